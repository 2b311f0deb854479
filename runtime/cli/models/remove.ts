/** `chorale rm NAME …`: forgets pulled models, and frees what no other model has. */
import { findStoredModel, parseModelName } from "../../../inference/index.ts";
import { UsageError } from "../../errors.ts";
import { modelStore, resolveModelName } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { bytesText } from "./transfer-progress.ts";

export type RemoveArguments = { readonly names: readonly string[]; readonly json: boolean };

/** @throws UsageError for a name of none that was pulled; ModelStoreError */
export async function removeCommand(
  { names, json }: RemoveArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, env, signal } = context;
  const store = modelStore(env);
  const removed: object[] = [];
  for (const text of names) {
    // A pull that did not end has no manifest, and its full name only.
    const stored = findStoredModel(text, store);
    const name = stored?.name ?? parseModelName(text);
    const found = await store.remove(name, signal);
    if (found === undefined) throw notThere(text, env);
    const shown = stored?.manifest.name ?? text;
    removed.push({ name: shown, freed_bytes: found.freedBytes, shared_bytes: found.sharedBytes });
    if (json) continue;
    const shared =
      found.sharedBytes === 0
        ? ""
        : `; ${bytesText(found.sharedBytes)} kept, since other models have them`;
    output.line(
      visibleText(`Removed ${shown}: ${bytesText(found.freedBytes)} free again${shared}.`),
    );
  }
  if (json) output.jsonLine({ folder: store.root, removed });
  return EXIT.ok;
}

const KEEPERS = {
  path: "it lies at a path of yours",
  ollama: "Ollama keeps it",
  huggingface: "it lies in the Hugging Face cache",
  lmstudio: "LM Studio keeps it",
} as const;

/** Says whose it is, where there is a model of the name. */
function notThere(text: string, env: NodeJS.ProcessEnv): Error {
  const found = resolveModelName(text, env);
  const [why, accepted] =
    found === undefined
      ? ["it is part of Chorale", "the name of a model that was pulled"]
      : found.keeper === "chorale"
        ? ["no model that was pulled has this full name", found.name]
        : [KEEPERS[found.keeper], "the name of a model that was pulled"];
  return new UsageError(`Cannot remove ${text}: ${why}; accepted: ${accepted}.`);
}
