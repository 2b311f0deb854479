/** A checkpoint in the layout of the Hugging Face repositories of gpt-oss, experts in MXFP4. */

import type { ModelConfig } from "../checkpoint/config.ts";
import { FLOAT_DTYPES } from "../checkpoint/dtypes.ts";
import { readExpertBias } from "../checkpoint/expert-rows.ts";
import type { Tensor } from "../checkpoint/tensor-file.ts";
import type { Checkpoint, ExpertLinear, Linear } from "../checkpoint/tensors.ts";
import { mxfp4Rows } from "./mxfp4-rows.ts";
import { asFloats, bytesView, copied, type OutputTensor } from "./output-tensor.ts";

/** What `config.json` says. */
export function huggingFaceConfig(config: ModelConfig): object {
  const { rope } = config;
  return {
    architectures: ["GptOssForCausalLM"],
    model_type: "gpt_oss",
    attention_bias: true,
    head_dim: config.headDim,
    hidden_act: "silu",
    hidden_size: config.hidden,
    initial_context_length: rope.originalContext,
    intermediate_size: config.intermediate,
    layer_types: config.layerTypes.map((type) => `${type}_attention`),
    max_position_embeddings: config.contextLength,
    num_attention_heads: config.heads,
    num_experts_per_tok: config.expertsPerToken,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.kvHeads,
    num_local_experts: config.experts,
    quantization_config: {
      quant_method: "mxfp4",
      modules_to_not_convert: [
        "model.layers.*.self_attn",
        "model.layers.*.mlp.router",
        "model.embed_tokens",
        "lm_head",
      ],
    },
    rms_norm_eps: config.rmsEps,
    rope_scaling: {
      rope_type: "yarn",
      factor: rope.factor,
      beta_fast: rope.betaFast,
      beta_slow: rope.betaSlow,
      original_max_position_embeddings: rope.originalContext,
      truncate: false,
    },
    rope_theta: rope.theta,
    sliding_window: config.slidingWindow,
    swiglu_limit: config.swigluLimit,
    swiglu_alpha: config.swigluAlpha,
    tie_word_embeddings: false,
    torch_dtype: "bfloat16",
    vocab_size: config.vocab,
  };
}

export function safetensorsContent(checkpoint: Checkpoint): OutputTensor[] {
  const { embedding, norm, unembedding, layers } = checkpoint;
  return [
    floats("model.embed_tokens.weight", embedding),
    ...layers.flatMap((layer, index) => {
      const name = `model.layers.${index}`;
      return [
        floats(`${name}.input_layernorm.weight`, layer.attnNorm),
        ...linear(`${name}.self_attn.q_proj`, layer.q),
        ...linear(`${name}.self_attn.k_proj`, layer.k),
        ...linear(`${name}.self_attn.v_proj`, layer.v),
        ...linear(`${name}.self_attn.o_proj`, layer.out),
        floats(`${name}.self_attn.sinks`, layer.sinks),
        floats(`${name}.post_attention_layernorm.weight`, layer.mlpNorm),
        ...linear(`${name}.mlp.router`, layer.router),
        ...experts(`${name}.mlp.experts.gate_up_proj`, layer.gateUp),
        ...experts(`${name}.mlp.experts.down_proj`, layer.down),
      ];
    }),
    floats("model.norm.weight", norm),
    floats("lm_head.weight", unembedding),
  ];
}

/** Floats as they are; safetensors has no name for the types of ggml, which become bf16. */
function floats(name: string, tensor: Tensor): OutputTensor {
  return FLOAT_DTYPES.some((known) => known === tensor.dtype)
    ? copied(name, tensor)
    : asFloats(name, tensor, "BF16");
}

function linear(name: string, { weight, bias }: Linear): [OutputTensor, OutputTensor] {
  return [floats(`${name}.weight`, weight), floats(`${name}.bias`, bias)];
}

function experts(name: string, linear: ExpertLinear): OutputTensor[] {
  const { experts: count, outputs, inputs } = linear;
  const blocks = inputs / 32;
  const each = function* (part: "codes" | "scales"): Generator<Uint8Array, void, void> {
    for (let expert = 0; expert < count; expert++) yield mxfp4Rows(linear, expert)[part];
  };
  return [
    {
      name: `${name}_blocks`,
      dtype: "U8",
      shape: [count, outputs, blocks, 16],
      byteLength: count * outputs * blocks * 16,
      pieces: () => each("codes"),
    },
    {
      name: `${name}_scales`,
      dtype: "U8",
      shape: [count, outputs, blocks],
      byteLength: count * outputs * blocks,
      pieces: () => each("scales"),
    },
    {
      name: `${name}_bias`,
      dtype: "F32",
      shape: [count, outputs],
      byteLength: count * outputs * 4,
      *pieces() {
        for (let expert = 0; expert < count; expert++) {
          yield bytesView(Float32Array.from(readExpertBias(linear, expert)));
        }
      },
    },
  ];
}
