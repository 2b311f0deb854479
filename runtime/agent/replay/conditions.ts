/** What is other than when a turn was recorded: model, version, system and developer message, tools. */
import type { Message } from "../../../harmony/index.ts";
import type { Tool } from "../../../tools/index.ts";
import { DeclaredTools } from "../../calls/declared-tools.ts";
import type { LanguageModel } from "../../model/language-model.ts";
import { openingMessages } from "../../model/opening.ts";
import type { UserInput } from "../../thread/entry.ts";
import { packageVersion } from "../../version.ts";
import type { ReplayCondition } from "./report.ts";

/**
 * @param opening as the log has it for this turn
 * @param recorded the tools of the turn
 * @param tools those that the program has now; they are compared by name
 */
export function conditionsOf(
  turn: UserInput & { readonly seq: number },
  opening: readonly Message[],
  recorded: DeclaredTools,
  model: Pick<LanguageModel, "name" | "fingerprint">,
  tools: readonly Tool[],
): readonly ReplayCondition[] {
  const { seq } = turn;
  const found: ReplayCondition[] = [];
  const modelChange = changeOfModel(turn, model);
  if (modelChange !== null) found.push({ what: "model", seq, message: modelChange });
  const version = packageVersion();
  if (turn.version !== undefined && turn.version !== version) {
    const message = `It was recorded by Chorale ${turn.version}; this is ${version}.`;
    found.push({ what: "version", seq, message });
  }
  const fresh = openingMessages(turn.settings, recorded);
  const now = withoutBuiltin(fresh);
  const then = withoutBuiltin(opening);
  const changed = then.findIndex((message, at) => message !== now[at]);
  if (changed !== -1 || now.length !== then.length || hasOtherBuiltin(opening, fresh)) {
    const role = opening[Math.max(0, changed)]?.role ?? "developer";
    const message = `This version of Chorale writes another ${role} message than was recorded; the recorded one is replayed.`;
    found.push({ what: "prompt", seq, message });
  }
  const current = new Map(new DeclaredTools(tools).pins.map((pin) => [pin.name, pin]));
  for (const { name, hash } of turn.settings.tools) {
    const pin = current.get(name);
    if (pin === undefined || pin.hash === hash) continue;
    const message = `The tool ${name} has another description or schema now (${pin.hash}) than was recorded (${hash}).`;
    found.push({ what: "tool", seq, message });
  }
  return found;
}

/** Equal texts where the messages are equal. What builtin tools are told of this machine is left out. */
function withoutBuiltin(opening: readonly Message[]): readonly string[] {
  return opening.map((message) =>
    JSON.stringify(message, (_key, value: unknown) => {
      const part = value as { readonly type?: unknown } | null;
      return typeof part === "object" && part !== null && part.type === "system"
        ? { ...part, tools: undefined }
        : value;
    }),
  );
}

/** Whether this version tells something else of Python or the browser; what was added for a machine does not count. */
function hasOtherBuiltin(opening: readonly Message[], fresh: readonly Message[]): boolean {
  const then = builtin(opening);
  const now = builtin(fresh);
  return (
    then.size !== now.size ||
    [...now].some(([name, description]) => !then.get(name)?.startsWith(description))
  );
}

/** Namespace → what it is described as, in the system message. */
function builtin(opening: readonly Message[]): ReadonlyMap<string, string> {
  const parts = opening.flatMap(({ content }) => content);
  return new Map(
    parts.flatMap((part) =>
      part.type === "system"
        ? (part.tools ?? []).map(({ name, description }) => [name, description ?? ""] as const)
        : [],
    ),
  );
}

function changeOfModel(
  turn: UserInput,
  { name, fingerprint }: Pick<LanguageModel, "name" | "fingerprint">,
): string | null {
  if (turn.fingerprint === undefined || fingerprint === undefined) {
    if (turn.model === name) return null;
    return `It was recorded with the model ${turn.model}; this one is ${name}.`;
  }
  if (turn.fingerprint === fingerprint) return null;
  const [weights, precision, experts] = turn.fingerprint.split(":");
  const [ownWeights, ownPrecision, ownExperts] = fingerprint.split(":");
  if (weights === ownWeights && precision === ownPrecision) {
    return `It was recorded with experts as ${experts ?? "in the files"}; this model has them as ${ownExperts ?? "in the files"} (--experts).`;
  }
  return weights === ownWeights
    ? `It was recorded with the precision ${precision}; this model computes with ${ownPrecision} (--precision).`
    : `The model differs: it was recorded with ${turn.model} (weights ${weights}), and this is ${name} (weights ${ownWeights}).`;
}
