/** The settings of a turn: what is given, checked, with every default filled in. */
import { randomInt } from "node:crypto";
import type { Sampling } from "../../inference/index.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";
import { resolveCall } from "../calls/resolve.ts";
import type { OutputFormat, ToolChoice, TurnSettings } from "../context.ts";
import { invalid, type TurnOptions } from "../options.ts";

const EFFORTS: readonly string[] = ["low", "medium", "high"];
const CONTENT = [true, false, "required"] as const;

/** @throws UsageError in one sentence that names the option, what was given and what is accepted */
export function resolveSettings(
  options: TurnOptions,
  tools: DeclaredTools,
  output: OutputFormat | null,
  modelSampling: Partial<Sampling>,
): TurnSettings {
  const { effort = "medium", date = today(), instructions, system = {} } = options;
  if (!EFFORTS.includes(effort)) {
    throw invalid("effort", effort, EFFORTS.join(", "));
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw invalid("date", date, "YYYY-MM-DD");
  const { toolChoice = "auto" } = options;
  checkToolChoice(toolChoice, tools);
  return {
    effort,
    date,
    instructions: textOption("instructions", instructions) ?? null,
    system,
    sampling: resolveSampling(modelSampling, options.sampling),
    maxSteps: count("maxSteps", options.maxSteps, 1) ?? 20,
    maxTokens: count("maxTokens", options.maxTokens, 1) ?? null,
    maxReasoningTokens: count("maxReasoningTokens", options.maxReasoningTokens, 0) ?? null,
    maxSeconds: seconds("maxSeconds", options.maxSeconds),
    maxToolCalls: count("maxToolCalls", options.maxToolCalls, 0) ?? null,
    maxOutputBytes: count("maxOutputBytes", options.maxOutputBytes, 1) ?? null,
    compaction: options.compaction ?? true,
    maxRetries: count("maxRetries", options.maxRetries, 0) ?? 3,
    maxRepairs: count("maxRepairs", options.maxRepairs, 0) ?? 2,
    ...(options.verifyCitations === true && output === null && { verifyCitations: true }),
    constrainHeaders: options.constrainHeaders ?? true,
    constrainContent:
      oneOf("constrainContent", options.constrainContent ?? true, CONTENT) !== false,
    onLimit: oneOf("onLimit", options.onLimit ?? "fail", ["fail", "close"]),
    toolChoice,
    tools: tools.pins,
    output,
  };
}

function oneOf<const T>(name: string, value: T, accepted: readonly T[]): T {
  if (accepted.includes(value)) return value;
  throw invalid(name, value, accepted.join(", "));
}

/** Options by which sampling works, their bounds, and whether only whole numbers are accepted. */
const SAMPLING_BOUNDS: Readonly<
  Record<string, readonly [min: number, max: number, isWhole: boolean]>
> = {
  temperature: [0, 100, false],
  topP: [0, 1, false],
  topK: [0, 2 ** 31 - 1, true],
  minP: [0, 1, false],
  repetitionPenalty: [0.01, 100, false],
  presencePenalty: [-100, 100, false],
  frequencyPenalty: [-100, 100, false],
  penaltyWindow: [0, 2 ** 31 - 1, true],
  seed: [0, 2 ** 32 - 1, true],
};

/** What is given, else the model's own, else temperature 1 and top-p 1; a random seed. */
function resolveSampling(
  model: Partial<Sampling>,
  given: Partial<Sampling> = {},
): TurnSettings["sampling"] {
  for (const [name, value] of Object.entries(given)) {
    const bounds = SAMPLING_BOUNDS[name];
    if (bounds === undefined || value === undefined) continue;
    const [min, max, isWhole] = bounds;
    const isFine =
      typeof value === "number" &&
      value >= min &&
      value <= max &&
      (!isWhole || Number.isInteger(value));
    if (!isFine) {
      throw invalid(
        `sampling.${name}`,
        value,
        `${isWhole ? "a whole number" : "a number"} from ${min} to ${max}`,
      );
    }
  }
  const isGiven = ([, value]: [string, unknown]): boolean => value !== undefined;
  const own = Object.fromEntries(Object.entries(model).filter(isGiven));
  const overrides = Object.fromEntries(Object.entries(given).filter(isGiven));
  return { temperature: 1, topP: 1, seed: randomInt(2 ** 32), ...own, ...overrides };
}

function checkToolChoice(choice: ToolChoice, tools: DeclaredTools): void {
  if (choice === "auto" || choice === "none") return;
  if (tools.list.length === 0) {
    throw invalid("toolChoice", choice, "`auto` or `none`, since the run has no tools");
  }
  if (choice === "required") return;
  const names = namesOf(choice);
  const isKnown = (name: unknown): boolean =>
    typeof name === "string" && resolveCall(name, tools).call.execution !== "unknown";
  if (names.length > 0 && names.every(isKnown) && hasMode(choice)) return;
  const known = tools.list.map((declared) => declared.name).join(", ");
  throw invalid(
    "toolChoice",
    choice,
    `auto, none, required, { tool } or { tools, mode: "auto" or "required" } with names of ${known}`,
  );
}

function namesOf(choice: Exclude<ToolChoice, string>): readonly unknown[] {
  if (typeof choice !== "object" || choice === null) return [];
  if ("tool" in choice) return [choice.tool];
  return Array.isArray(choice.tools) ? choice.tools : [];
}

function hasMode(choice: Exclude<ToolChoice, string>): boolean {
  return "tool" in choice || [undefined, "auto", "required"].includes(choice.mode);
}

/** @throws UsageError */
export function checkToolTokenBudget(budget: number): void {
  count("toolTokenBudget", budget, 0);
}

/** The tools that `activeTools` names. @throws UsageError for a name that is none */
export function activeTools<T extends { readonly recipient: string }>(
  tools: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  if (names === undefined) return tools;
  const isNamed = (recipient: string, name: string): boolean =>
    recipient === name || recipient === `functions.${name}`;
  for (const name of names) {
    if (tools.some(({ recipient }) => isNamed(recipient, name))) continue;
    const known = tools.map(({ recipient }) => recipient).join(", ");
    throw invalid("activeTools", name, `names of the run's tools (${known || "it has none"})`);
  }
  return tools.filter(({ recipient }) => names.some((name) => isNamed(recipient, name)));
}

function count(name: string, value: number | undefined, min: number): number | undefined {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min) {
    throw invalid(name, value, `a whole number from ${min} on`);
  }
  return value;
}

/** The longest delay that timers can hold, about 24 days. */
const MAX_SECONDS = 2_000_000;

function seconds(name: string, value: number | undefined): number | null {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return null;
  if (typeof value !== "number" || !(value > 0 && value <= MAX_SECONDS)) {
    throw invalid(name, value, `seconds above 0, up to ${MAX_SECONDS}`);
  }
  return value;
}

function textOption(name: string, value: string | undefined): string | undefined {
  if (value !== undefined && typeof value !== "string") throw invalid(name, value, "a text");
  return value;
}

/** In this machine's time zone, which is the user's. */
function today(): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
