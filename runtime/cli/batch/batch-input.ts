/** The prompts of a batch: a file with one JSON value on each line. */
import { createHash } from "node:crypto";
import type { ReasoningEffort } from "../../../harmony/index.ts";
import { nearestNames } from "../../../tools/index.ts";
import { messageOf } from "../../errors.ts";
import type { RunInput } from "../../index.ts";

/** What a line asks for; what it does not say comes from the flags. */
export type BatchPrompt = {
  readonly input: RunInput;
  readonly instructions?: string;
  readonly effort?: ReasoningEffort;
  readonly sampling?: { readonly seed?: number; readonly temperature?: number };
  readonly maxSteps?: number;
  readonly maxTokens?: number;
};

export type BatchItem = {
  /** Number of the line in the file, from 1. */
  readonly line: number;
  /** Of the text of the line, so that a result can be held against it. */
  readonly sha256: string;
  /** As the line has it; null where it has none. */
  readonly id: string | number | null;
} & (
  | { readonly prompt: BatchPrompt }
  /** Why the line is no prompt. */
  | { readonly problem: string }
);

const NEWLINE = 0x0a;

/** Every line that is not blank. A line is read when it is its turn. */
export function* batchItems(file: Buffer): Generator<BatchItem, void, void> {
  let line = 0;
  for (let start = 0; start < file.length; ) {
    const end = file.indexOf(NEWLINE, start);
    const bytes = file.subarray(start, end === -1 ? file.length : end);
    start += bytes.length + 1;
    line++;
    if (bytes.toString("latin1").trim() !== "") yield itemOf(bytes, line);
  }
}

function itemOf(bytes: Buffer, line: number): BatchItem {
  const sha256 = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const base = { line, sha256, id: null };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { ...base, problem: `Line ${line} is not UTF-8 text.` };
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ...base, problem: `Line ${line} is not JSON: ${messageOf(error)}.` };
  }
  const prompt = promptOf(json);
  const id = isObject(json) && isId(json["id"]) ? json["id"] : null;
  if (typeof prompt === "string") return { ...base, id, problem: `Line ${line} ${prompt}` };
  return { ...base, id, prompt };
}

/** @returns a sentence about what is wrong, without its beginning */
function promptOf(json: unknown): BatchPrompt | string {
  if (typeof json === "string") return json.trim() === "" ? EMPTY : { input: json };
  if (!isObject(json)) return `is ${shown(json)}; accepted: a text, or an object with a prompt.`;
  if (json["id"] !== undefined && !isId(json["id"])) {
    return `has the id ${shown(json["id"])}; accepted: a text or a number.`;
  }
  const input = inputOf(json);
  if (typeof input === "object" && "problem" in input) return input.problem;
  for (const [name, { accepts, accepted }] of Object.entries(SETTINGS)) {
    const value = json[name];
    if (value !== undefined && !accepts(value)) {
      return `has ${shown(value)} for ${name}; accepted: ${accepted}.`;
    }
  }
  const { instructions, effort, seed, temperature } = json as Settings;
  const { max_steps: maxSteps, max_tokens: maxTokens } = json as Settings;
  const sampling = {
    ...(seed !== undefined && { seed }),
    ...(temperature !== undefined && { temperature }),
  };
  return {
    input,
    ...(instructions !== undefined && { instructions }),
    ...(effort !== undefined && { effort }),
    ...(Object.keys(sampling).length > 0 && { sampling }),
    ...(maxSteps !== undefined && { maxSteps }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
}

const EMPTY = "has an empty prompt; give a question.";

type JsonObject = { readonly [key: string]: unknown };
type Settings = {
  readonly instructions?: string;
  readonly effort?: ReasoningEffort;
  readonly seed?: number;
  readonly temperature?: number;
  readonly max_steps?: number;
  readonly max_tokens?: number;
};

type Check = { readonly accepts: (value: unknown) => boolean; readonly accepted: string };

const whole = (least: number, most: number): Check => ({
  accepts: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  accepted: `a whole number from ${least} to ${most}`,
});

const SETTINGS: Readonly<Record<keyof Settings, Check>> = {
  instructions: { accepts: (value) => typeof value === "string", accepted: "a text" },
  effort: {
    accepts: (value) => value === "low" || value === "medium" || value === "high",
    accepted: "low, medium, high",
  },
  seed: whole(0, 2 ** 32 - 1),
  temperature: {
    accepts: (value) => typeof value === "number" && value >= 0 && value <= 100,
    accepted: "a number from 0 to 100",
  },
  max_steps: whole(1, 100_000),
  max_tokens: whole(1, 2 ** 31 - 1),
};

function inputOf(json: JsonObject): RunInput | { readonly problem: string } {
  const { prompt, messages } = json;
  if (prompt !== undefined && messages !== undefined) {
    return { problem: "has a prompt and messages; give one of them." };
  }
  if (typeof prompt === "string") return prompt.trim() === "" ? { problem: EMPTY } : prompt;
  if (prompt !== undefined)
    return { problem: `has the prompt ${shown(prompt)}; accepted: a text.` };
  if (messages === undefined) {
    const [near] = nearestNames("prompt", Object.keys(json), 1);
    const found = near === undefined ? "" : ` (it has ${JSON.stringify(near)})`;
    return { problem: `has no prompt${found}; accepted: "prompt", or "messages".` };
  }
  const isFine =
    Array.isArray(messages) &&
    messages.length > 0 &&
    messages.every(
      (message) =>
        isObject(message) &&
        (message["role"] === "user" || message["role"] === "assistant") &&
        typeof message["content"] === "string",
    );
  return isFine
    ? (messages as Exclude<RunInput, string>)
    : {
        problem:
          'has messages that cannot be read; accepted: a list of {"role": "user" or "assistant", "content": TEXT}.',
      };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
