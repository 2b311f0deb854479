/**
 * Names → roles of GGUF files: llama.cpp's, and those of the two generations that Ollama's own
 * converter wrote. They differ in a few names, in whether q, k and v are one matrix, and in where
 * the rows of gate and up lie.
 */

import type { ModelConfig } from "./config.ts";
import { DENSE_DTYPES, type Dtype, MXFP4_DTYPES } from "./dtypes.ts";
import { Finder, type Located } from "./finder.ts";
import type { GgufArchitecture } from "./gguf-config.ts";
import { attentionWidths, type Roles, slices } from "./layout.ts";
import type { StoredTensor } from "./tensor-file.ts";
import type { ExpertLinear, ExpertWeights, LayerTensors, Linear } from "./tensors.ts";

const EXPERT_DTYPES: readonly Dtype[] = [...MXFP4_DTYPES, ...DENSE_DTYPES];
const HINT =
  `Experts are accepted as ${EXPERT_DTYPES.join(", ")}; other matrices as ${DENSE_DTYPES.join(", ")}; ` +
  "norms, biases and sinks as floats.";

/**
 * Binds every tensor of the model to its role.
 * @param tensors all tensors of all files, by name; others than the model's are ignored
 * @param path names the checkpoint in errors
 * @throws CheckpointError for a tensor that is missing or has another shape or dtype
 */
export function bindGgufRoles(
  config: ModelConfig,
  architecture: GgufArchitecture,
  tensors: ReadonlyMap<string, Located>,
  path: string,
): Roles {
  const find = new Finder(tensors, path, HINT);
  const { hidden, vocab } = config;
  const dense = (name: string, rows: number): StoredTensor =>
    find.tensor(name, [rows, hidden], DENSE_DTYPES);
  return {
    embedding: dense("token_embd.weight", vocab),
    unembedding: dense("output.weight", vocab),
    norm: find.floats("output_norm.weight", [hidden]),
    layers: Array.from({ length: config.layers }, (_, layer) =>
      bindLayer(config, architecture, find, `blk.${layer}`),
    ),
  };
}

function bindLayer(
  config: ModelConfig,
  architecture: GgufArchitecture,
  find: Finder,
  name: string,
): LayerTensors {
  const { hidden, intermediate, experts } = config;
  const widths = attentionWidths(config);
  const out = find.nameAmong([`${name}.attn_output.weight`, `${name}.attn_out.weight`]);
  const sinks = find.nameAmong([`${name}.attn_sinks.weight`, `${name}.attn_sinks`]);
  const mlpNorm = find.nameAmong([`${name}.post_attention_norm.weight`, `${name}.ffn_norm.weight`]);
  return {
    attnNorm: find.floats(`${name}.attn_norm.weight`, [hidden]),
    ...bindQkv(config, find, name),
    out: linear(find, out.slice(0, -".weight".length), hidden, widths.q),
    sinks: find.floats(sinks, [config.heads]),
    mlpNorm: find.floats(mlpNorm, [hidden]),
    router: linear(find, `${name}.ffn_gate_inp`, experts, hidden),
    gateUp: bindGateUp(config, architecture, find, name),
    down: expertLinear(find, experts, hidden, intermediate, [
      { name: `${name}.ffn_down_exps`, rows: hidden, first: 0 },
    ]),
  };
}

function bindQkv(
  config: ModelConfig,
  find: Finder,
  name: string,
): Pick<LayerTensors, "q" | "k" | "v"> {
  const { hidden } = config;
  const { q, kv } = attentionWidths(config);
  if (!find.has(`${name}.attn_qkv.weight`)) {
    return {
      q: linear(find, `${name}.attn_q`, q, hidden),
      k: linear(find, `${name}.attn_k`, kv, hidden),
      v: linear(find, `${name}.attn_v`, kv, hidden),
    };
  }
  const weight = find.tensor(`${name}.attn_qkv.weight`, [q + 2 * kv, hidden], DENSE_DTYPES);
  const bias = find.floats(`${name}.attn_qkv.bias`, [q + 2 * kv]);
  const rows = (start: number, count: number): Linear => ({
    weight: weight.rows(start, count),
    bias: bias.rows(start, count),
  });
  return { q: rows(0, q), k: rows(q, kv), v: rows(q + kv, kv) };
}

/**
 * gate and up are two tensors, or one: Ollama's first files have their rows in turn, as published;
 * llama.cpp, where asked to fuse them, puts those of gate above those of up.
 */
function bindGateUp(
  config: ModelConfig,
  architecture: GgufArchitecture,
  find: Finder,
  name: string,
): ExpertLinear {
  const { hidden, intermediate, experts } = config;
  const fused = `${name}.ffn_gate_up_exps`;
  const rows = 2 * intermediate;
  if (!find.has(`${fused}.weight`)) {
    return expertLinear(find, experts, rows, hidden, [
      { name: `${name}.ffn_gate_exps`, rows: intermediate, first: 0 },
      { name: `${name}.ffn_up_exps`, rows: intermediate, first: 0 },
    ]);
  }
  if (architecture === "gptoss") {
    return expertLinear(find, experts, rows, hidden, [{ name: fused, rows, first: 0 }]);
  }
  return expertLinear(find, experts, rows, hidden, [
    { name: fused, rows, first: 0 },
    { name: fused, rows, first: intermediate },
  ]);
}

/** Where some of an expert's rows are: tensors NAME.weight and NAME.bias with so many rows per expert. */
type NamedPart = { readonly name: string; readonly rows: number; readonly first: number };

function expertLinear(
  find: Finder,
  experts: number,
  outputs: number,
  inputs: number,
  parts: readonly NamedPart[],
): ExpertLinear {
  const ofExperts = (tensor: StoredTensor, first: number): StoredTensor[] =>
    slices(tensor, experts).map((slice) => slice.rows(first, outputs / parts.length));
  const found = parts.map(({ name, rows, first }) => {
    const tensor = find.tensor(`${name}.weight`, [experts, rows, inputs], EXPERT_DTYPES);
    const bias = find.floats(`${name}.bias`, [experts, rows]);
    return { tensor, bias, first };
  });
  const dtype = found[0]?.tensor.dtype;
  const isMxfp4 = MXFP4_DTYPES.some((known) => known === dtype);
  // Both parts in one of the two orders of nibbles.
  const weights: ExpertWeights =
    isMxfp4 && found.every(({ tensor }) => tensor.dtype === dtype)
      ? { form: "joined", parts: found.map(({ tensor, first }) => ({ tensor, first })) }
      : {
          form: "dense",
          parts: found.map(({ tensor, first }) => ofExperts(tensor, first)),
          transposed: false,
        };
  return {
    experts,
    outputs,
    inputs,
    weights,
    bias: found.map(({ bias, first }) => ofExperts(bias, first)),
  };
}

function linear(find: Finder, name: string, outputs: number, inputs: number): Linear {
  return {
    weight: find.tensor(`${name}.weight`, [outputs, inputs], DENSE_DTYPES),
    bias: find.floats(`${name}.bias`, [outputs]),
  };
}
