/**
 * config.json → `ModelConfig`. Two dialects exist: the original one (fields of OpenAI's
 * `ModelConfig`) and Hugging Face's (`model_type: "gpt_oss"`). Both are read strictly: a field that
 * is missing, of the wrong type or in contradiction to another stops the load, because a model with
 * a wrong constant does not fail, it talks nonsense.
 */

import { CheckpointError, UnsupportedArchitectureError } from "../errors.ts";
import { Fields, isObject, show } from "./fields.ts";

/** Which keys a layer attends to: the last `slidingWindow` positions (itself included), or all. */
export type LayerType = "sliding" | "full";

/** YaRN, "NTK by parts", with correction bounds that are not rounded. `factor` 1 is plain RoPE. */
export type RopeConfig = {
  readonly theta: number;
  readonly factor: number;
  /** Turns over the original context above which a frequency is left alone. */
  readonly betaFast: number;
  /** Turns over the original context below which a frequency is divided by `factor`. */
  readonly betaSlow: number;
  /** Context the frequencies were trained on before scaling, in tokens. */
  readonly originalContext: number;
};

export type ModelConfig = {
  readonly layers: number;
  readonly hidden: number;
  /** Inner width of one expert. */
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly experts: number;
  readonly expertsPerToken: number;
  readonly vocab: number;
  readonly slidingWindow: number;
  /** One per layer. */
  readonly layerTypes: readonly LayerType[];
  readonly rope: RopeConfig;
  readonly rmsEps: number;
  readonly swigluLimit: number;
  readonly swigluAlpha: number;
  /** Most tokens the model was made for. */
  readonly contextLength: number;
};

/** Elements that share one MXFP4 scale; expert inputs are whole blocks. */
export const MXFP4_BLOCK = 32;

// Far above gpt-oss-120b (36 layers, 128 experts, 201,088 ids), and low enough that no product of
// two dimensions leaves the safe integers.
export const MAX_LAYERS = 1024;
export const MAX_DIMENSION: number = 1 << 20;
const MAX_VOCAB = 1 << 24;
export const MAX_CONTEXT: number = 1 << 24;

// Constants of the gpt-oss code that config files leave out.
export const DEFAULT_RMS_EPS = 1e-5;
export const DEFAULT_SWIGLU_LIMIT = 7;
export const DEFAULT_SWIGLU_ALPHA = 1.702;

const ACCEPTED_DIALECTS =
  'a Hugging Face config with model_type "gpt_oss", or an original one with num_experts and ' +
  "initial_context_length and no model_type";

/**
 * Reads the parsed content of a config.json.
 * @param path names the file in errors
 * @param rowsOf the rows of a tensor, undefined where there is none: what the config leaves out may follow
 * @throws UnsupportedArchitectureError for another architecture or a variant not implemented
 * @throws CheckpointError for a missing field or a value out of range
 */
export function parseConfig(
  json: unknown,
  path: string,
  rowsOf: RowsOf = () => undefined,
): ModelConfig {
  if (!isObject(json)) throw new CheckpointError(path, "the config is not a JSON object.");
  const fields = new Fields(json, path);
  const modelType = json["model_type"];
  if (modelType === undefined && json["num_experts"] !== undefined) {
    return checked(originalConfig(fields, rowsOf), path);
  }
  if (modelType !== "gpt_oss") {
    throw new UnsupportedArchitectureError(path, "model_type", show(modelType), ACCEPTED_DIALECTS);
  }
  return checked(huggingFaceConfig(fields, path, rowsOf), path);
}

export type RowsOf = (tensor: string) => number | undefined;

/**
 * The size of a head that a config does not say: the rows of queries by the number of heads. There is no
 * other place to see it, since the heads together are wider than the model.
 * @returns undefined where that gives none
 */
export function headDimOf(rows: number | undefined, heads: number): number | undefined {
  const headDim = rows === undefined ? undefined : rows / heads;
  return headDim !== undefined && Number.isInteger(headDim) && headDim > 0 ? headDim : undefined;
}

function originalConfig(fields: Fields, rowsOf: RowsOf): ModelConfig {
  const layers = fields.integer(["num_hidden_layers"], 1, MAX_LAYERS);
  const originalContext = fields.integer(["initial_context_length"], 1, MAX_CONTEXT);
  const factor = fields.number(["rope_scaling_factor"], 1, 1024);
  return {
    ...sharedFields(fields, layers, (heads, kvHeads) =>
      headDimOf(rowsOf("block.0.attn.qkv.weight"), heads + 2 * kvHeads),
    ),
    experts: fields.integer(["num_experts"], 1, MAX_DIMENSION),
    expertsPerToken: fields.integer(["experts_per_token"], 1, MAX_DIMENSION),
    layerTypes: alternating(layers),
    rope: {
      theta: fields.number(["rope_theta"], 2, 1e12),
      factor,
      betaFast: fields.number(["rope_ntk_beta"], 1e-6, 1e6),
      betaSlow: fields.number(["rope_ntk_alpha"], 1e-6, 1e6),
      originalContext,
    },
    contextLength: Math.min(MAX_CONTEXT, Math.floor(originalContext * factor)),
  };
}

function huggingFaceConfig(fields: Fields, path: string, rowsOf: RowsOf): ModelConfig {
  fields.only("hidden_act", ["silu"]);
  fields.only("attention_bias", [true]);
  fields.only("tie_word_embeddings", [false]);
  const quantization = fields.object("quantization_config");
  quantization?.only("quant_method", ["mxfp4"]);
  const layers = fields.integer(["num_hidden_layers"], 1, MAX_LAYERS);
  return {
    ...sharedFields(fields, layers, (heads) =>
      headDimOf(rowsOf("model.layers.0.self_attn.q_proj.weight"), heads),
    ),
    experts: fields.integer(["num_local_experts"], 1, MAX_DIMENSION),
    expertsPerToken: fields.integer(["num_experts_per_tok", "experts_per_token"], 1, MAX_DIMENSION),
    layerTypes: explicitLayerTypes(fields, layers, path) ?? alternating(layers),
    rope: huggingFaceRope(fields),
    contextLength: fields.integer(["max_position_embeddings"], 1, MAX_CONTEXT),
  };
}

/**
 * Fields that both dialects call the same.
 * @param headDim what the tensors say
 */
function sharedFields(
  fields: Fields,
  layers: number,
  headDim: (heads: number, kvHeads: number) => number | undefined,
): Omit<ModelConfig, "experts" | "expertsPerToken" | "layerTypes" | "rope" | "contextLength"> {
  const heads = fields.integer(["num_attention_heads"], 1, MAX_DIMENSION);
  const kvHeads = fields.integer(["num_key_value_heads"], 1, MAX_DIMENSION);
  const found = fields.has("head_dim") ? undefined : headDim(heads, kvHeads);
  return {
    layers,
    hidden: fields.integer(["hidden_size"], 1, MAX_DIMENSION),
    intermediate: fields.integer(["intermediate_size"], 1, MAX_DIMENSION),
    heads,
    kvHeads,
    headDim: found ?? fields.integer(["head_dim"], 1, MAX_DIMENSION),
    vocab: fields.integer(["vocab_size"], 1, MAX_VOCAB),
    slidingWindow: fields.integer(["sliding_window"], 1, MAX_CONTEXT),
    rmsEps: fields.number(["rms_norm_eps"], 1e-12, 1, DEFAULT_RMS_EPS),
    swigluLimit: fields.number(["swiglu_limit"], 1e-6, 1e6, DEFAULT_SWIGLU_LIMIT),
    swigluAlpha: fields.number(["swiglu_alpha"], 1e-6, 1e6, DEFAULT_SWIGLU_ALPHA),
  };
}

/**
 * The rope data is under `rope_scaling` in the published files and under `rope_parameters` in those
 * that newer transformers write (which also moves `rope_theta` there). Reading only one of the two
 * would silently give plain RoPE.
 */
function huggingFaceRope(fields: Fields): RopeConfig {
  const scaling = fields.object("rope_scaling") ?? fields.object("rope_parameters");
  if (scaling === undefined) {
    throw fields.invalid(
      "rope_scaling",
      "missing",
      'an object with rope_type "yarn", under rope_scaling or rope_parameters',
    );
  }
  scaling.only("rope_type", ["yarn"]);
  scaling.only("type", ["yarn"]);
  scaling.only("truncate", [false]);
  const factor = scaling.number(["factor"], 1, 1024);
  // The concentration is computed from the factor; a file that overrides it is another model.
  scaling.only("attention_factor", [concentration(factor), null]);
  const theta = scaling.has("rope_theta") ? scaling : fields;
  return {
    theta: theta.number(["rope_theta"], 2, 1e12),
    factor,
    betaFast: scaling.number(["beta_fast"], 1e-6, 1e6, 32),
    betaSlow: scaling.number(["beta_slow"], 1e-6, 1e6, 1),
    originalContext: (scaling.has("original_max_position_embeddings") ? scaling : fields).integer(
      ["original_max_position_embeddings", "initial_context_length"],
      1,
      MAX_CONTEXT,
    ),
  };
}

/** YaRN's attention temperature: multiplies both cos and sin. */
export function concentration(factor: number): number {
  return 0.1 * Math.log(factor) + 1;
}

function explicitLayerTypes(fields: Fields, layers: number, path: string): LayerType[] | undefined {
  if (!fields.has("layer_types")) return undefined;
  const value = fields.raw("layer_types");
  if (!Array.isArray(value) || value.length !== layers) {
    throw fields.invalid("layer_types", show(value), `a list of ${layers} layer types`);
  }
  return value.map((type: unknown) => {
    if (type === "sliding_attention") return "sliding";
    if (type === "full_attention") return "full";
    throw new UnsupportedArchitectureError(
      path,
      "a layer type",
      show(type),
      '"sliding_attention" and "full_attention"',
    );
  });
}

/** gpt-oss without an explicit list: even layers slide, odd layers see everything. */
export function alternating(layers: number): LayerType[] {
  return Array.from({ length: layers }, (_, layer) => (layer % 2 === 0 ? "sliding" : "full"));
}

/** Relations between fields, the same for all dialects. @throws CheckpointError */
export function checked(config: ModelConfig, path: string): ModelConfig {
  const relations: [boolean, string][] = [
    [
      config.heads % config.kvHeads === 0,
      `num_attention_heads ${config.heads} is not a multiple of num_key_value_heads ${config.kvHeads}`,
    ],
    [config.headDim % 2 === 0, `head_dim ${config.headDim} is odd; RoPE turns pairs`],
    [
      config.hidden % MXFP4_BLOCK === 0,
      `hidden_size ${config.hidden} is not a multiple of ${MXFP4_BLOCK} (an MXFP4 block)`,
    ],
    [
      config.intermediate % MXFP4_BLOCK === 0,
      `intermediate_size ${config.intermediate} is not a multiple of ${MXFP4_BLOCK} (an MXFP4 block)`,
    ],
    [
      config.expertsPerToken <= config.experts,
      `a token is sent to ${config.expertsPerToken} experts, but there are ${config.experts}`,
    ],
    [
      config.rope.betaFast > config.rope.betaSlow,
      `the rope's beta_fast ${config.rope.betaFast} is not above its beta_slow ${config.rope.betaSlow}`,
    ],
  ];
  for (const [holds, problem] of relations) {
    if (!holds) throw new CheckpointError(path, `${problem}.`);
  }
  return config;
}
