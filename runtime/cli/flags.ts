/**
 * The flags that commands share, and the checks of their values. Every value arrives as text and is
 * converted here, so that `--seed x` and `--seed 1 --seed 2` are refused in a sentence.
 */
import type { ArgumentsCamelCase, Options } from "yargs";
import type { ReasoningEffort } from "../../harmony/index.ts";
import type { Precision } from "../../inference/index.ts";
import { UsageError } from "../errors.ts";
import type { CommandContext } from "./command-context.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { ColorMode } from "./output.ts";

const EFFORTS = ["low", "medium", "high"] as const satisfies readonly ReasoningEffort[];
const PRECISIONS = ["int8", "exact"] as const satisfies readonly Precision[];
const COLORS = ["auto", "always", "never"] as const satisfies readonly ColorMode[];

const precisionOption = value(
  PRECISIONS.join("|"),
  "int8: products of 8-bit integers; exact: weights as in the checkpoint, products in float32, which " +
    "takes more memory and is slower (default: int8; exact for the embedded model)",
);

/** Which model computes, and how it samples. */
export const modelOptions: Record<string, Options> = {
  model: {
    ...value(
      "MODEL",
      "A gpt-oss checkpoint: a folder, a .safetensors or .gguf file, or the name of a model in an Ollama " +
        "store (default: CHORALE_MODEL, else the embedded demo model)",
    ),
    alias: "m",
  },
  context: value("N", "Most tokens of the conversation (default: what the model allows)"),
  threads: value("N", "Threads that compute (default: the cores of this machine)"),
  memory: value(
    "SIZE",
    "Most memory for the model, like 8G; experts beyond it are read from its file when they are " +
      "needed (default: all are in memory)",
  ),
  precision: precisionOption,
  temperature: value("T", "0 takes the likeliest token always (default: the model's own)"),
  "top-p": value(
    "P",
    "Sample among the likeliest tokens of probability P (default: the model's own)",
  ),
  "top-k": value("K", "Sample among the K likeliest tokens; 0: all (default: the model's own)"),
  "min-p": value("P", "Leave out tokens less than P times as likely as the likeliest (default: 0)"),
  "repeat-penalty": value(
    "R",
    "Divide the logits of tokens that came lately by R (default: 1, off)",
  ),
  "repeat-last-n": value("N", "How many of the latest tokens penalties look at (default: 64)"),
  "presence-penalty": value(
    "X",
    "Subtract X from the logits of tokens that came lately (default: 0)",
  ),
  "frequency-penalty": value("X", "Subtract X for every time that they came (default: 0)"),
  "prefix-store": value(
    "GIB",
    "Disk for computed system messages and tools, with which later runs begin; 0: none (default: 4)",
  ),
  seed: value("N", "Same seed, same answer (default: random)"),
};

export const grantOption: Record<string, Options> = {
  grant: value(
    "GRANT",
    "What plugins may use of what they ask for: net:HOST, fs:read:PATH, fs:write:PATH, tools:NAME, env:NAME, process; with several plugins PLUGIN=GRANT; may be repeated (default: nothing)",
  ),
};

/** What the agent is told, may do, and must deliver. */
export const agentOptions: Record<string, Options> = {
  instructions: value("TEXT", "Instructions for the model (the developer message)"),
  system: value("TEXT", "Who the model is told to be, instead of ChatGPT (the system message)"),
  effort: value(EFFORTS.join("|"), "How much the model reasons (default: medium)"),
  "max-steps": value("N", "Most steps: samplings of the model (default: 20)"),
  "max-turns": { type: "string", hidden: true },
  "max-tokens": value("N", "Most tokens generated in all steps (default: what the context holds)"),
  "max-reasoning-tokens": value(
    "N",
    "Most tokens of reasoning before each call or answer; then the model must go on (default: no limit)",
  ),
  "max-retries": value("N", "How often in a row an unusable step is tried again (default: 3)"),
  "free-headers": {
    type: "boolean",
    describe: "Let the model write message headers that the format does not have",
  },
  docs: value("PATH", "Folder of documents that the model may search and read"),
  file: value("PATH", "File that Python code may read in /mnt/data; may be repeated"),
  artifacts: value(
    "DIR",
    "Where files that Python code writes to /outputs land (default: a new folder of the state)",
  ),
  packages: value(
    "NAMES|none",
    "Which installed packages Python code may import, like numpy,pandas (default: all; see chorale python)",
  ),
  tool: value("FILE", "Module that exports function tools; may be repeated"),
  plugin: value("PATH", "Folder or npm package of a plugin, run in a sandbox; may be repeated"),
  ...grantOption,
  schema: value("FILE", "JSON Schema that the answer must pass"),
  xsd: value("FILE", "XML Schema that the answer must pass"),
};

/** Which conversation a run belongs to. */
export const threadOptions: Record<string, Options> = {
  resume: value("ID", "Go on with a conversation; without a prompt, with its unfinished turn"),
  ephemeral: { type: "boolean", describe: "Do not keep the conversation" },
};

/** What `chorale bench` measures. */
export const benchOptions: Record<string, Options> = {
  model: value("PATH", "What --model of chorale run takes; without it the embedded demo model"),
  threads: value("N", "Threads that compute (default: the cores of this machine)"),
  precision: precisionOption,
  prompt: value("N", "Tokens of the prompt (default: 512)"),
  generate: value("N", "Tokens that are decoded (default: 64)"),
  rounds: value("N", "How often; medians are shown (default: 3)"),
};

/** How much a command tells beside its answer. */
export const outputOptions: Record<string, Options> = {
  quiet: { type: "boolean", alias: "q", describe: "Show the answer and errors alone" },
  verbose: { type: "boolean", describe: "Show tokens and seconds behind the answer" },
};

export const jsonOption: Record<string, Options> = {
  json: { type: "boolean", describe: "Print every event as one line of JSON on stdout" },
};

/** For commands that say one thing at their end. */
export const reportOption: Record<string, Options> = {
  json: { type: "boolean", describe: "Print JSON on stdout" },
};

export const colorOption: Record<string, Options> = {
  color: value(COLORS.join("|"), "Colour on stderr (default: auto)"),
};

export type ModelArguments = {
  readonly model?: string;
  readonly context?: number;
  readonly threads?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly precision?: Precision;
  readonly temperature?: number;
  readonly prefixCache?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly penaltyWindow?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly seed?: number;
};

export type AgentArguments = {
  readonly instructions?: string;
  readonly system?: string;
  readonly effort?: ReasoningEffort;
  readonly maxSteps?: number;
  readonly maxTokens?: number;
  readonly maxReasoningTokens?: number;
  readonly maxRetries?: number;
  readonly constrainHeaders?: boolean;
  readonly docs?: string;
  readonly files: readonly string[];
  readonly artifacts?: string;
  /** Of those that are installed; default: all. */
  readonly packages?: readonly string[];
  readonly tools: readonly string[];
  readonly plugins: readonly string[];
  readonly grants: readonly string[];
  readonly schema?: string;
  readonly xsd?: string;
};

export type Parsed = ArgumentsCamelCase<Record<string, unknown>>;

/** Turns what a command does into what yargs calls. */
export type MakeHandler = (
  run: (parsed: Parsed, context: CommandContext) => Promise<ExitCode>,
) => (parsed: Parsed) => Promise<void>;

/** @throws UsageError naming the flag, what was given, and what would be accepted */
export function modelArguments(
  parsed: Parsed,
  env: NodeJS.ProcessEnv = process.env,
): ModelArguments {
  return defined({
    model: one(parsed, "model") ?? (env["CHORALE_MODEL"] || undefined),
    context: wholeNumber(parsed, "context", 1, 2 ** 31 - 1),
    threads: wholeNumber(parsed, "threads", 1, 1024),
    memory: byteSize(parsed, "memory"),
    precision: choice(parsed, "precision", PRECISIONS),
    temperature: number(parsed, "temperature", 0, 100),
    prefixCache: number(parsed, "prefix-store", 0, 1_000_000),
    topP: number(parsed, "top-p", 0, 1),
    topK: wholeNumber(parsed, "top-k", 0, 2 ** 31 - 1),
    minP: number(parsed, "min-p", 0, 1),
    repetitionPenalty: number(parsed, "repeat-penalty", 0.01, 100),
    penaltyWindow: wholeNumber(parsed, "repeat-last-n", 0, 2 ** 31 - 1),
    presencePenalty: number(parsed, "presence-penalty", -100, 100),
    frequencyPenalty: number(parsed, "frequency-penalty", -100, 100),
    seed: wholeNumber(parsed, "seed", 0, 2 ** 32 - 1),
  });
}

/** @throws UsageError as above; also when both `--schema` and `--xsd` are given */
export function agentArguments(parsed: Parsed): AgentArguments {
  const schema = one(parsed, "schema");
  const xsd = one(parsed, "xsd");
  if (schema !== undefined && xsd !== undefined) {
    throw new UsageError("--schema and --xsd exclude each other: an answer is JSON or XML.");
  }
  return {
    files: all(parsed, "file"),
    tools: all(parsed, "tool"),
    plugins: all(parsed, "plugin"),
    grants: all(parsed, "grant"),
    ...defined({
      instructions: one(parsed, "instructions"),
      system: one(parsed, "system"),
      effort: choice(parsed, "effort", EFFORTS),
      // The older name of the flag is still taken.
      maxSteps:
        wholeNumber(parsed, "max-steps", 1, 100_000) ??
        wholeNumber(parsed, "max-turns", 1, 100_000),
      maxTokens: wholeNumber(parsed, "max-tokens", 1, 2 ** 31 - 1),
      maxReasoningTokens: wholeNumber(parsed, "max-reasoning-tokens", 0, 2 ** 31 - 1),
      maxRetries: wholeNumber(parsed, "max-retries", 0, 1000),
      constrainHeaders: parsed["free-headers"] === true ? false : undefined,
      docs: one(parsed, "docs"),
      artifacts: one(parsed, "artifacts"),
      packages: names(parsed, "packages"),
      schema,
      xsd,
    }),
  };
}

/** @throws UsageError as above */
export function benchArguments(parsed: Parsed): {
  readonly model?: string;
  readonly threads?: number;
  readonly precision?: Precision;
  readonly prompt: number;
  readonly generate: number;
  readonly rounds: number;
} {
  return {
    ...defined({
      model: one(parsed, "model"),
      threads: wholeNumber(parsed, "threads", 1, 1024),
      precision: choice(parsed, "precision", PRECISIONS),
    }),
    prompt: wholeNumber(parsed, "prompt", 1, 131_072) ?? 512,
    generate: wholeNumber(parsed, "generate", 1, 131_072) ?? 64,
    rounds: wholeNumber(parsed, "rounds", 1, 1000) ?? 3,
  };
}

/** @throws UsageError as above; also with `--ephemeral`, which keeps no conversation to go on with */
export function resumeArgument(parsed: Parsed): string | undefined {
  const thread = one(parsed, "resume");
  if (thread !== undefined && parsed["ephemeral"] === true) {
    throw new UsageError("--resume and --ephemeral exclude each other.");
  }
  return thread;
}

/** @throws UsageError as above */
export function colorArgument(parsed: Parsed): ColorMode {
  return choice(parsed, "color", COLORS) ?? "auto";
}

/** An option that takes one value. */
export function value(placeholder: string, describe: string): Options {
  return { type: "string", requiresArg: true, describe: `${describe} [${placeholder}]` };
}

/** Every value of a flag that may be repeated. @throws UsageError for an empty one */
export function all(parsed: Parsed, flag: string): readonly string[] {
  const given = parsed[flag];
  const values = given === undefined ? [] : Array.isArray(given) ? given : [given];
  return values.map((text: unknown) => {
    if (typeof text !== "string" || text === "") throw new UsageError(`--${flag} needs a value.`);
    return text;
  });
}

/** The value of a flag. @throws UsageError when it is given twice */
export function one(parsed: Parsed, flag: string): string | undefined {
  const values = all(parsed, flag);
  if (values.length > 1) {
    throw new UsageError(`--${flag} is given ${values.length} times; give it once.`);
  }
  return values[0];
}

/** Names with commas between them; `none`: an empty list. @throws UsageError for an empty name */
function names(parsed: Parsed, flag: string): readonly string[] | undefined {
  const text = one(parsed, flag);
  if (text === undefined || text === "none") return text === undefined ? undefined : [];
  const list = text.split(",").map((name) => name.trim());
  if (list.includes("")) {
    throw new UsageError(
      `--${flag} is ${JSON.stringify(text)}; accepted: names with commas between them, or none.`,
    );
  }
  return list;
}

/** One of the accepted words. @throws UsageError naming them */
export function choice<T extends string>(
  parsed: Parsed,
  flag: string,
  accepted: readonly T[],
): T | undefined {
  const text = one(parsed, flag);
  if (text === undefined) return undefined;
  const found = accepted.find((name) => name === text);
  if (found === undefined) {
    throw new UsageError(`--${flag} is ${JSON.stringify(text)}; accepted: ${accepted.join(", ")}.`);
  }
  return found;
}

function number(parsed: Parsed, flag: string, min: number, max: number): number | undefined {
  const text = one(parsed, flag);
  if (text === undefined) return undefined;
  const found = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!(found >= min && found <= max)) {
    throw new UsageError(
      `--${flag} is ${JSON.stringify(text)}; accepted: a number from ${min} to ${max}.`,
    );
  }
  return found;
}

function wholeNumber(parsed: Parsed, flag: string, min: number, max: number): number | undefined {
  const found = number(parsed, flag, min, max);
  if (found !== undefined && !Number.isInteger(found)) {
    throw new UsageError(`--${flag} is ${found}; accepted: a whole number.`);
  }
  return found;
}

/** `8G`, `1.5GiB`, `500M`, plain bytes: powers of 1,024. @throws UsageError */
function byteSize(parsed: Parsed, flag: string): number | undefined {
  const text = one(parsed, flag);
  if (text === undefined) return undefined;
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * 1024 ** " KMGT".indexOf(unit.toUpperCase() || " "));
  if (!(bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER)) {
    throw new UsageError(
      `--${flag} is ${JSON.stringify(text)}; accepted: bytes, or a number with K, M, G or T, like 8G.`,
    );
  }
  return bytes;
}

/** The same object without the keys whose value is undefined. */
function defined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, found]) => found !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
