import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concentration, parseConfig } from "../../inference/checkpoint/config.ts";
import { InferenceError } from "../../inference/errors.ts";
import { tinyModel } from "./broken-checkpoints.ts";
import { FUZZ, FUZZ_TIMEOUT } from "./hostile-headers.ts";

type Json = Record<string, unknown>;

const HUGGING_FACE = JSON.parse(readFileSync(`${tinyModel("hf")}/config.json`, "utf8")) as Json;
const ORIGINAL = JSON.parse(readFileSync(`${tinyModel("original")}/config.json`, "utf8")) as Json;
const ROPE = HUGGING_FACE["rope_scaling"] as Json;

/** The message of the error that a config gives; undefined is a field taken away. */
function refusal(base: Json, change: Json): string {
  try {
    parseConfig({ ...base, ...change }, "config.json");
  } catch (error) {
    if (error instanceof InferenceError) return error.message;
    throw error;
  }
  return "accepted";
}

describe("the shapes of the published models", () => {
  test("gpt-oss-20b in the original dialect, as published", () => {
    const published = {
      num_hidden_layers: 24,
      num_experts: 32,
      experts_per_token: 4,
      vocab_size: 201088,
      hidden_size: 2880,
      intermediate_size: 2880,
      head_dim: 64,
      num_attention_heads: 64,
      num_key_value_heads: 8,
      sliding_window: 128,
      initial_context_length: 4096,
      rope_theta: 150000,
      rope_scaling_factor: 32.0,
      rope_ntk_alpha: 1,
      rope_ntk_beta: 32,
    };
    expect(parseConfig(published, "config.json")).toMatchObject({
      experts: 32,
      layerTypes: Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? "sliding" : "full")),
      rmsEps: 1e-5,
      swigluLimit: 7,
      swigluAlpha: 1.702,
      contextLength: 131_072,
      rope: { theta: 150_000, factor: 32, betaFast: 32, betaSlow: 1, originalContext: 4096 },
    });
  });
});

describe("where Hugging Face configs put things", () => {
  const expected = parseConfig(HUGGING_FACE, "config.json");

  test("rope under rope_parameters, with the theta inside", () => {
    const { rope_scaling: _, rope_theta: theta, ...rest } = HUGGING_FACE;
    const moved = { ...rest, rope_parameters: { ...ROPE, rope_theta: theta } };
    expect(parseConfig(moved, "config.json")).toEqual(expected);
  });

  test("experts_per_token, no layer_types, initial_context_length", () => {
    const { num_experts_per_tok: _, layer_types: __, ...rest } = HUGGING_FACE;
    const { original_max_position_embeddings: ___, ...rope } = ROPE;
    const other = {
      ...rest,
      experts_per_token: 2,
      initial_context_length: 512,
      rope_scaling: rope,
    };
    expect(parseConfig(other, "config.json")).toEqual(expected);
  });

  test("an attention factor that says what is computed anyway", () => {
    const rope_scaling = { ...ROPE, attention_factor: concentration(32) };
    expect(parseConfig({ ...HUGGING_FACE, rope_scaling }, "config.json")).toEqual(expected);
  });
});

describe("nonsense is refused by name", () => {
  test.each<[Json, RegExp]>([
    [{ num_hidden_layers: undefined }, /num_hidden_layers is missing; accepted: a number 1/],
    [{ num_hidden_layers: 0 }, /num_hidden_layers is 0; accepted/],
    [{ num_hidden_layers: 1e9 }, /num_hidden_layers is 1000000000; accepted/],
    [{ hidden_size: "64" }, /hidden_size is "64"; accepted/],
    [{ hidden_size: 64.5 }, /hidden_size is 64.5; accepted: an integer/],
    [{ hidden_size: -64 }, /hidden_size is -64/],
    [{ hidden_size: 48 }, /hidden_size 48 is not a multiple of 32/],
    [{ intermediate_size: 33 }, /intermediate_size 33 is not a multiple of 32/],
    [{ head_dim: 15 }, /head_dim 15 is odd/],
    [
      { num_key_value_heads: 3 },
      /num_attention_heads 4 is not a multiple of num_key_value_heads 3/,
    ],
    [{ num_experts_per_tok: 5 }, /5 experts, but there are 4/],
    [{ vocab_size: null }, /vocab_size is null/],
    [{ sliding_window: [8] }, /sliding_window is a list of 1/],
    [{ rms_norm_eps: "tiny" }, /rms_norm_eps is "tiny"/],
    [{ rope_theta: 0 }, /rope_theta is 0/],
    [{ rope_scaling: undefined }, /rope_scaling is missing; accepted: an object with rope_type/],
    [{ rope_scaling: 3 }, /rope_scaling is 3; accepted: an object/],
    [{ rope_scaling: { ...ROPE, factor: 0 } }, /rope_scaling.factor is 0/],
    [{ rope_scaling: { ...ROPE, rope_type: "linear" } }, /rope_type is "linear"; accepted: "yarn"/],
    [{ rope_scaling: { ...ROPE, truncate: true } }, /truncate is true; accepted: false/],
    [{ rope_scaling: { ...ROPE, attention_factor: 2 } }, /attention_factor is 2; accepted: 1.34/],
    [{ rope_scaling: { ...ROPE, beta_fast: 1 } }, /beta_fast 1 is not above its beta_slow 1/],
    [{ layer_types: ["full_attention"] }, /layer_types is a list of 1; accepted: a list of 2/],
    [{ layer_types: ["linear", "full_attention"] }, /a layer type is "linear"; accepted: "sliding/],
    [{ hidden_act: "gelu" }, /hidden_act is "gelu"; accepted: "silu"/],
    [{ attention_bias: false }, /attention_bias is false; accepted: true/],
    [{ tie_word_embeddings: true }, /tie_word_embeddings is true; accepted: false/],
    [
      { quantization_config: { quant_method: "gptq" } },
      /quant_method is "gptq"; accepted: "mxfp4"/,
    ],
    [{ model_type: "qwen3_moe" }, /model_type is "qwen3_moe"; accepted: .*"gpt_oss"/],
    [{ model_type: undefined }, /model_type is missing; accepted/],
  ])("Hugging Face: %j", (change, message) => {
    expect(refusal(HUGGING_FACE, change)).toMatch(message);
  });

  test.each<[Json, RegExp]>([
    [{ num_experts: 0 }, /num_experts is 0/],
    [{ initial_context_length: undefined }, /initial_context_length is missing/],
    [{ rope_ntk_alpha: 64 }, /beta_fast 32 is not above its beta_slow 64/],
    [{ rope_scaling_factor: 1e300 }, /rope_scaling_factor is 1e\+300/],
  ])("original: %j", (change, message) => {
    expect(refusal(ORIGINAL, change)).toMatch(message);
  });

  test.each([null, 3, "gpt_oss", [], true])("a config that is %j", (json) => {
    expect(() => parseConfig(json, "config.json")).toThrow(/not a JSON object/);
  });
});

test(
  "whatever happens to any field, it gives a config or an InferenceError with a short message",
  () => {
    for (const base of [HUGGING_FACE, ORIGINAL]) {
      fc.assert(
        fc.property(
          fc.constantFrom(...Object.keys(base)),
          fc.oneof(
            fc.jsonValue(),
            fc.integer(),
            fc.double({ noNaN: true }),
            fc.string({ size: "large" }),
          ),
          (field, value) => {
            expect(refusal(base, { [field]: value }).length).toBeLessThan(400);
          },
        ),
        FUZZ,
      );
    }
  },
  FUZZ_TIMEOUT,
);
