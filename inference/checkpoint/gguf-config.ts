/**
 * GGUF metadata → `ModelConfig`. The keys leave out what the architecture fixes: the constants of
 * SwiGLU, and for most files the turns of YaRN's bounds and which layers slide.
 */

import { CheckpointError, UnsupportedArchitectureError } from "../errors.ts";
import {
  alternating,
  checked,
  DEFAULT_RMS_EPS,
  DEFAULT_SWIGLU_ALPHA,
  DEFAULT_SWIGLU_LIMIT,
  headDimOf,
  type LayerType,
  MAX_CONTEXT,
  MAX_DIMENSION,
  MAX_LAYERS,
  type ModelConfig,
  type RowsOf,
} from "./config.ts";
import { Fields, show } from "./fields.ts";
import type { GgufMetadata } from "./gguf-metadata.ts";

/** llama.cpp's name of the architecture, and the one under which Ollama's own converter wrote it. */
export type GgufArchitecture = "gpt-oss" | "gptoss";

/** @throws UnsupportedArchitectureError for every other */
export function readArchitecture(metadata: GgufMetadata): GgufArchitecture {
  const name = metadata.scalar("general.architecture");
  if (name === "gpt-oss" || name === "gptoss") return name;
  throw new UnsupportedArchitectureError(
    metadata.path,
    "general.architecture",
    show(name),
    '"gpt-oss" (llama.cpp) or "gptoss" (Ollama)',
  );
}

/**
 * @param vocab rows of the embedding: no key says it
 * @param rowsOf the rows of a tensor, undefined where there is none: what the keys leave out may follow
 * @throws UnsupportedArchitectureError for a variant not implemented
 * @throws CheckpointError for a key that is missing or out of range
 */
export function readGgufConfig(
  metadata: GgufMetadata,
  vocab: number,
  rowsOf: RowsOf = () => undefined,
): ModelConfig {
  const architecture = readArchitecture(metadata);
  const prefix = `${architecture}.`;
  const fields = new Fields(metadata.scalars(prefix), metadata.path, prefix);
  const layers = fields.integer(["block_count"], 1, MAX_LAYERS);
  const dimension = (...names: string[]): number => fields.integer(names, 1, MAX_DIMENSION);
  const heads = dimension("attention.head_count");
  const kvHeads = dimension("attention.head_count_kv");
  const fused = headDimOf(rowsOf("blk.0.attn_qkv.weight"), heads + 2 * kvHeads);
  const found = headDimOf(rowsOf("blk.0.attn_q.weight"), heads) ?? fused;
  const headDim =
    found !== undefined && !fields.has("attention.key_length")
      ? found
      : dimension("attention.key_length");
  fields.only("attention.value_length", [headDim]);
  fields.only("rope.dimension_count", [headDim]);
  // Some converters do not write it; the architecture knows no other.
  fields.only("rope.scaling.type", ["yarn"]);
  const theta = fields.number(["rope.freq_base"], 2, 1e12);
  fields.only("rope.freq_base_swa", [theta]);
  const config: ModelConfig = {
    layers,
    hidden: dimension("embedding_length"),
    intermediate: dimension("expert_feed_forward_length", "feed_forward_length"),
    heads,
    kvHeads,
    headDim,
    experts: dimension("expert_count"),
    expertsPerToken: dimension("expert_used_count"),
    vocab,
    slidingWindow: fields.integer(["attention.sliding_window"], 1, MAX_CONTEXT),
    layerTypes: layerTypes(metadata, `${prefix}attention.sliding_window_pattern`, layers),
    rope: {
      theta,
      factor: fields.number(["rope.scaling.factor"], 1, 1024),
      betaFast: fields.number(["rope.scaling.yarn_beta_fast"], 1e-6, 1e6, 32),
      betaSlow: fields.number(["rope.scaling.yarn_beta_slow"], 1e-6, 1e6, 1),
      originalContext: fields.integer(["rope.scaling.original_context_length"], 1, MAX_CONTEXT),
    },
    rmsEps: fields.number(["attention.layer_norm_rms_epsilon"], 1e-12, 1, DEFAULT_RMS_EPS),
    swigluLimit: DEFAULT_SWIGLU_LIMIT,
    swigluAlpha: DEFAULT_SWIGLU_ALPHA,
    contextLength: fields.integer(["context_length"], 1, MAX_CONTEXT),
  };
  return checked(config, metadata.path);
}

/** A period n (the last of every n layers sees everything), or one truth value per layer. */
function layerTypes(metadata: GgufMetadata, key: string, layers: number): LayerType[] {
  const value = metadata.get(key);
  if (value === undefined) return alternating(layers);
  if (value.elementType !== undefined) {
    const sliding = metadata.numbers(key, MAX_LAYERS) ?? [];
    if (sliding.length === layers) return sliding.map((slides) => (slides ? "sliding" : "full"));
  } else {
    const period = metadata.scalar(key);
    if (typeof period === "number" && Number.isInteger(period) && period > 0) {
      return Array.from({ length: layers }, (_, layer) =>
        layer % period < period - 1 ? "sliding" : "full",
      );
    }
  }
  throw new CheckpointError(
    metadata.path,
    `${key} is something else; accepted: a period, or a list of ${layers} truth values.`,
    key,
  );
}
