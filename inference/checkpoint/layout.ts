/**
 * Names → roles of safetensors. The two published layouts hold the same bytes under different names;
 * this is the one place that knows them. Each role states the shape it must have; a tensor that differs
 * stops the load with the tensor's name, what was expected and what was found.
 */

import { CheckpointError } from "../errors.ts";
import { type ModelConfig, MXFP4_BLOCK } from "./config.ts";
import { Finder, type Located } from "./finder.ts";
import type { StoredTensor } from "./tensor-file.ts";
import type { Checkpoint, ExpertLinear, LayerTensors, Linear } from "./tensors.ts";

export type Roles = Pick<Checkpoint, "embedding" | "unembedding" | "norm" | "layers">;

const HINT =
  "Experts are accepted in MXFP4, as blocks and scales, as they were published, or as floats: one tensor " +
  "(experts, inputs, outputs), or one per expert (outputs, inputs). Everything else is accepted as floats.";
const MXFP4_BLOCK_BYTES = MXFP4_BLOCK / 2;

/**
 * Binds every tensor of the model to its role.
 * @param tensors all tensors of all files, by name; others than the model's are ignored
 * @param path names the checkpoint in errors
 * @throws CheckpointError for a tensor that is missing or has another shape or dtype
 */
export function bindRoles(
  config: ModelConfig,
  tensors: ReadonlyMap<string, Located>,
  path: string,
): Roles {
  const finder = new Finder(tensors, path, HINT);
  if (finder.has("model.embed_tokens.weight")) return bindHuggingFace(config, finder);
  if (finder.has("embedding.weight")) return bindOriginal(config, finder);
  throw new CheckpointError(
    path,
    "it has neither the tensor model.embed_tokens.weight (Hugging Face layout) nor " +
      "embedding.weight (original layout).",
  );
}

function bindHuggingFace(config: ModelConfig, find: Finder): Roles {
  const { hidden, vocab } = config;
  const widths = attentionWidths(config);
  return {
    embedding: find.floats("model.embed_tokens.weight", [vocab, hidden]),
    unembedding: find.floats("lm_head.weight", [vocab, hidden]),
    norm: find.floats("model.norm.weight", [hidden]),
    layers: Array.from({ length: config.layers }, (_, layer): LayerTensors => {
      const name = `model.layers.${layer}`;
      const projection = (which: string, outputs: number, inputs: number): Linear =>
        linear(find, `${name}.self_attn.${which}`, outputs, inputs);
      const expert = (which: string, outputs: number, inputs: number): ExpertLinear =>
        huggingFaceExperts(find, config, `${name}.mlp.experts.${which}`, outputs, inputs);
      const router = find.has(`${name}.mlp.router.linear.weight`) ? "router.linear" : "router";
      return {
        attnNorm: find.floats(`${name}.input_layernorm.weight`, [hidden]),
        q: projection("q_proj", widths.q, hidden),
        k: projection("k_proj", widths.kv, hidden),
        v: projection("v_proj", widths.kv, hidden),
        out: projection("o_proj", hidden, widths.q),
        sinks: find.floats(`${name}.self_attn.sinks`, [config.heads]),
        mlpNorm: find.floats(`${name}.post_attention_layernorm.weight`, [hidden]),
        router: linear(find, `${name}.mlp.${router}`, config.experts, hidden),
        gateUp: expert("gate_up_proj", 2 * config.intermediate, hidden),
        down: expert("down_proj", hidden, config.intermediate),
      };
    }),
  };
}

function bindOriginal(config: ModelConfig, find: Finder): Roles {
  const { hidden, vocab } = config;
  const widths = attentionWidths(config);
  return {
    embedding: find.floats("embedding.weight", [vocab, hidden]),
    unembedding: find.floats("unembedding.weight", [vocab, hidden]),
    norm: find.floats("norm.scale", [hidden]),
    layers: Array.from({ length: config.layers }, (_, layer): LayerTensors => {
      const name = `block.${layer}`;
      const expert = (which: string, outputs: number, inputs: number): ExpertLinear =>
        experts(find, config, outputs, inputs, {
          blocks: `${name}.mlp.${which}_weight.blocks`,
          scales: `${name}.mlp.${which}_weight.scales`,
          bias: `${name}.mlp.${which}_bias`,
        });
      // One matrix holds the rows of q, then k, then v.
      const qkvRows = widths.q + 2 * widths.kv;
      const weight = find.floats(`${name}.attn.qkv.weight`, [qkvRows, hidden]);
      const bias = find.floats(`${name}.attn.qkv.bias`, [qkvRows]);
      const rows = (start: number, count: number): Linear => ({
        weight: weight.rows(start, count),
        bias: bias.rows(start, count),
      });
      return {
        attnNorm: find.floats(`${name}.attn.norm.scale`, [hidden]),
        q: rows(0, widths.q),
        k: rows(widths.q, widths.kv),
        v: rows(widths.q + widths.kv, widths.kv),
        out: linear(find, `${name}.attn.out`, hidden, widths.q),
        sinks: find.floats(`${name}.attn.sinks`, [config.heads]),
        mlpNorm: find.floats(`${name}.mlp.norm.scale`, [hidden]),
        router: linear(find, `${name}.mlp.gate`, config.experts, hidden),
        gateUp: expert("mlp1", 2 * config.intermediate, hidden),
        down: expert("mlp2", hidden, config.intermediate),
      };
    }),
  };
}

export function attentionWidths(config: ModelConfig): { q: number; kv: number } {
  return { q: config.heads * config.headDim, kv: config.kvHeads * config.headDim };
}

function linear(find: Finder, name: string, outputs: number, inputs: number): Linear {
  return {
    weight: find.floats(`${name}.weight`, [outputs, inputs]),
    bias: find.floats(`${name}.bias`, [outputs]),
  };
}

/** In MXFP4, as floats in one tensor, which lies transposed, or as floats in one tensor per expert. */
function huggingFaceExperts(
  find: Finder,
  config: ModelConfig,
  name: string,
  outputs: number,
  inputs: number,
): ExpertLinear {
  const count = config.experts;
  const sizes = { experts: count, outputs, inputs };
  if (find.has(name)) {
    const weight = find.floats(name, [count, inputs, outputs]);
    const bias = find.floats(`${name}_bias`, [count, outputs]);
    const parts = [slices(weight, count)];
    const weights = { form: "dense", parts, transposed: true } as const;
    return { ...sizes, weights, bias: [slices(bias, count)] };
  }
  if (find.has(`${name}s.0.weight`)) {
    const each = (kind: string, shape: readonly number[]): StoredTensor[] =>
      Array.from({ length: count }, (_, e) => find.floats(`${name}s.${e}.${kind}`, shape));
    const parts = [each("weight", [outputs, inputs])];
    const weights = { form: "dense", parts, transposed: false } as const;
    return { ...sizes, weights, bias: [each("bias", [outputs])] };
  }
  return experts(find, config, outputs, inputs, {
    blocks: `${name}_blocks`,
    scales: `${name}_scales`,
    bias: `${name}_bias`,
  });
}

/** What a tensor has of each expert, without the outermost dimension. */
export function slices(tensor: StoredTensor, experts: number): StoredTensor[] {
  return Array.from({ length: experts }, (_, expert) => tensor.slice(expert));
}

function experts(
  find: Finder,
  config: ModelConfig,
  outputs: number,
  inputs: number,
  names: { readonly blocks: string; readonly scales: string; readonly bias: string },
): ExpertLinear {
  const rows = [config.experts, outputs];
  const scales = [...rows, inputs / MXFP4_BLOCK];
  return {
    experts: config.experts,
    outputs,
    inputs,
    weights: {
      form: "separate",
      blocks: find.tensor(names.blocks, [...scales, MXFP4_BLOCK_BYTES], ["U8"]),
      scales: find.tensor(names.scales, scales, ["U8"]),
    },
    bias: [slices(find.floats(names.bias, rows), config.experts)],
  };
}
