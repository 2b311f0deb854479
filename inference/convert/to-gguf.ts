/** A checkpoint under the names and in the types of llama.cpp's GGUF files, experts in MXFP4. */

import type { ModelConfig } from "../checkpoint/config.ts";
import { readExpertBias } from "../checkpoint/expert-rows.ts";
import { SPLIT_KEY } from "../checkpoint/gguf-vocabulary.ts";
import type { Tensor } from "../checkpoint/tensor-file.ts";
import type { Checkpoint, ExpertLinear, Linear } from "../checkpoint/tensors.ts";
import type { ListedVocabulary } from "../checkpoint/vocabulary.ts";
import type { GgufOutputValue } from "./gguf-file.ts";
import { mxfp4Rows } from "./mxfp4-rows.ts";
import { asFloats, bytesView, copied, type OutputTensor } from "./output-tensor.ts";

/** `MXFP4 MoE` of llama.cpp's file types. */
const FILE_TYPE = 38;
const BLOCK_BYTES = 17;
const CODES = 16;
/** Of token types. */
const [NORMAL, CONTROL, UNUSED] = [1, 3, 5];

export type GgufContent = {
  readonly metadata: ReadonlyMap<string, GgufOutputValue>;
  readonly tensors: readonly OutputTensor[];
};

/** @param name of the model, for people */
export function ggufContent(
  checkpoint: Checkpoint,
  vocabulary: ListedVocabulary,
  name: string,
): GgufContent {
  const { config } = checkpoint;
  const metadata = new Map([...architecture(config, name), ...tokenizer(vocabulary, config.vocab)]);
  return { metadata, tensors: tensorsOf(checkpoint) };
}

function architecture(config: ModelConfig, name: string): [string, GgufOutputValue][] {
  const of = (key: string, value: GgufOutputValue): [string, GgufOutputValue] => [
    `gpt-oss.${key}`,
    value,
  ];
  const { rope } = config;
  return [
    ["general.architecture", { string: "gpt-oss" }],
    ["general.type", { string: "model" }],
    ["general.name", { string: name }],
    ["general.quantization_version", { u32: 2 }],
    ["general.file_type", { u32: FILE_TYPE }],
    of("block_count", { u32: config.layers }),
    of("context_length", { u32: config.contextLength }),
    of("embedding_length", { u32: config.hidden }),
    of("feed_forward_length", { u32: config.intermediate }),
    of("expert_feed_forward_length", { u32: config.intermediate }),
    of("expert_count", { u32: config.experts }),
    of("expert_used_count", { u32: config.expertsPerToken }),
    of("attention.head_count", { u32: config.heads }),
    of("attention.head_count_kv", { u32: config.kvHeads }),
    of("attention.key_length", { u32: config.headDim }),
    of("attention.value_length", { u32: config.headDim }),
    of("attention.layer_norm_rms_epsilon", { f32: config.rmsEps }),
    of("attention.sliding_window", { u32: config.slidingWindow }),
    of("rope.freq_base", { f32: rope.theta }),
    of("rope.scaling.type", { string: "yarn" }),
    of("rope.scaling.factor", { f32: rope.factor }),
    of("rope.scaling.original_context_length", { u32: rope.originalContext }),
    of("rope.scaling.yarn_beta_fast", { f32: rope.betaFast }),
    of("rope.scaling.yarn_beta_slow", { f32: rope.betaSlow }),
  ];
}

function tokenizer(vocabulary: ListedVocabulary, rows: number): [string, GgufOutputValue][] {
  const { tokens, merges, specialTokens, split } = vocabulary;
  const special = new Map([...specialTokens].map(([text, id]) => [id, text]));
  const texts: string[] = [...tokens];
  const types: number[] = tokens.map(() => NORMAL);
  for (let id = tokens.length; id < rows; id++) {
    const text = special.get(id);
    texts.push(text ?? `[PAD${id}]`);
    types.push(text === undefined ? UNUSED : CONTROL);
  }
  const ids: [string, number | undefined][] = [
    ["bos", specialTokens.get("<|startoftext|>") ?? specialTokens.get("<|start|>")],
    ["eos", specialTokens.get("<|return|>")],
    ["padding", specialTokens.get("<|endoftext|>")],
  ];
  return [
    ["tokenizer.ggml.model", { string: "gpt2" }],
    ["tokenizer.ggml.pre", { string: "gpt-4o" }],
    ["tokenizer.ggml.tokens", { strings: texts }],
    ["tokenizer.ggml.token_type", { i32s: types }],
    ["tokenizer.ggml.merges", { strings: merges }],
    ...ids.flatMap(([name, id]): [string, GgufOutputValue][] =>
      id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, { u32: id }]],
    ),
    ["tokenizer.ggml.add_bos_token", { bool: false }],
    ...(split === undefined ? [] : [[SPLIT_KEY, { string: split }] as [string, GgufOutputValue]]),
  ];
}

function tensorsOf(checkpoint: Checkpoint): OutputTensor[] {
  const small = (name: string, tensor: Tensor): OutputTensor => asFloats(name, tensor, "F32");
  const linear = (name: string, { weight, bias }: Linear): OutputTensor[] => [
    copied(`${name}.weight`, weight),
    small(`${name}.bias`, bias),
  ];
  const { embedding, norm, unembedding, layers } = checkpoint;
  return [
    copied("token_embd.weight", embedding),
    small("output_norm.weight", norm),
    copied("output.weight", unembedding),
    ...layers.flatMap((layer, index) => {
      const name = `blk.${index}`;
      return [
        small(`${name}.attn_norm.weight`, layer.attnNorm),
        ...linear(`${name}.attn_q`, layer.q),
        ...linear(`${name}.attn_k`, layer.k),
        ...linear(`${name}.attn_v`, layer.v),
        ...linear(`${name}.attn_output`, layer.out),
        small(`${name}.attn_sinks.weight`, layer.sinks),
        small(`${name}.post_attention_norm.weight`, layer.mlpNorm),
        small(`${name}.ffn_gate_inp.weight`, layer.router.weight),
        small(`${name}.ffn_gate_inp.bias`, layer.router.bias),
        ...experts(`${name}.ffn_gate_exps`, layer.gateUp, 0, 2),
        ...experts(`${name}.ffn_up_exps`, layer.gateUp, 1, 2),
        ...experts(`${name}.ffn_down_exps`, layer.down, 0, 1),
      ];
    }),
  ];
}

/** Every `step`-th row of the experts, from row `first` on. */
function experts(
  name: string,
  linear: ExpertLinear,
  first: number,
  step: number,
): [OutputTensor, OutputTensor] {
  const rows = linear.outputs / step;
  const rowBlocks = linear.inputs / 32;
  const expertBytes = rows * rowBlocks * BLOCK_BYTES;
  const weight: OutputTensor = {
    name: `${name}.weight`,
    dtype: "MXFP4",
    shape: [linear.experts, rows, linear.inputs],
    byteLength: linear.experts * expertBytes,
    *pieces() {
      for (let expert = 0; expert < linear.experts; expert++) {
        const { codes, scales } = mxfp4Rows(linear, expert);
        const out = new Uint8Array(expertBytes);
        let to = 0;
        for (let row = first; row < linear.outputs; row += step) {
          for (let block = row * rowBlocks; block < (row + 1) * rowBlocks; block++) {
            out[to] = scales[block]!;
            splitHalves(codes, block * CODES, out, to + 1);
            to += BLOCK_BYTES;
          }
        }
        yield out;
      }
    },
  };
  const bias: OutputTensor = {
    name: `${name}.bias`,
    dtype: "F32",
    shape: [linear.experts, rows],
    byteLength: linear.experts * rows * 4,
    *pieces() {
      for (let expert = 0; expert < linear.experts; expert++) {
        const values = readExpertBias(linear, expert);
        yield bytesView(Float32Array.from({ length: rows }, (_, i) => values[first + i * step]!));
      }
    },
  };
  return [weight, bias];
}

/** Byte j has elements j and j+16 there, and 2j and 2j+1 here. */
function splitHalves(codes: Uint8Array, from: number, out: Uint8Array, to: number): void {
  for (let j = 0; j < CODES / 2; j++) {
    const [low, high] = [codes[from + j]!, codes[from + CODES / 2 + j]!];
    out[to + 2 * j] = (low & 15) | ((high & 15) << 4);
    out[to + 2 * j + 1] = (low >> 4) | (high & 0xf0);
  }
}
