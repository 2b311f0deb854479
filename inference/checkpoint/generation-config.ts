import { CheckpointError } from "../errors.ts";
import { readJson } from "./read-json.ts";

/** How a model's makers say it should be sampled; undefined where they do not say. */
export type GenerationDefaults = {
  /** 0 when the file says not to sample. */
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly topK?: number | undefined;
  readonly minP?: number | undefined;
  readonly repetitionPenalty?: number | undefined;
};

const MAX_BYTES = 1 << 20;
const MAX_TEMPERATURE = 100;
const MAX_PENALTY = 100;

/**
 * Reads a generation_config.json.
 * @param path undefined when the model has none
 * @throws CheckpointError for a value that makes no sense
 */
export function readGenerationDefaults(path: string | undefined): GenerationDefaults {
  if (path === undefined) return { temperature: undefined, topP: undefined };
  const json = readJson(path, MAX_BYTES);
  if (typeof json !== "object" || json === null) {
    throw new CheckpointError(path, "the content is not a JSON object.");
  }
  const fields = json as Readonly<Record<string, unknown>>;
  const number = (name: string, max: number): number | undefined => {
    const value = fields[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !(value >= 0 && value <= max)) {
      throw new CheckpointError(path, `${name} is not a number 0 … ${max}.`, name);
    }
    return value;
  };
  const temperature = number("temperature", MAX_TEMPERATURE);
  const topK = number("top_k", Number.MAX_SAFE_INTEGER);
  const repetitionPenalty = number("repetition_penalty", MAX_PENALTY);
  return {
    temperature: fields["do_sample"] === false ? 0 : temperature,
    topP: number("top_p", 1),
    topK: topK === undefined ? undefined : Math.floor(topK),
    minP: number("min_p", 1),
    // 0 would make every id that came impossible or certain: a value that no maker of a model means.
    repetitionPenalty: repetitionPenalty === 0 ? undefined : repetitionPenalty,
  };
}
