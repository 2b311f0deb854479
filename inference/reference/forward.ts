/**
 * The gpt-oss forward pass, slow and obvious: float64, one token at a time, one loop per formula.
 * It is the oracle of every kernel; nothing runs it but tests and the maker of test fixtures.
 */

import { inverseFrequencies, rotate } from "./rope.ts";
import type { Matrix, ReferenceLayer, ReferenceWeights } from "./weights.ts";

/** Keys and values of one layer, one entry per position; f64 (kvHeads·headDim) each. */
type ReferenceCache = { readonly keys: Float64Array[]; readonly values: Float64Array[] };

export type ReferenceOptions = {
  /** Where the timeline starts, to look at rotations far out. */
  readonly firstPosition?: number;
  /** W·x + b of the large matrices (all but the router), to look at other roundings. */
  readonly multiply?: (matrix: Matrix, x: Float64Array) => Float64Array;
};

/** A model with the positions it has seen. */
export class ReferenceModel {
  readonly weights: ReferenceWeights;
  readonly #multiply: (matrix: Matrix, x: Float64Array) => Float64Array;
  readonly #caches: readonly ReferenceCache[];
  readonly #frequencies: Float64Array;
  #position: number;

  constructor(weights: ReferenceWeights, options: ReferenceOptions = {}) {
    this.weights = weights;
    this.#multiply = options.multiply ?? apply;
    this.#caches = weights.layers.map(() => ({ keys: [], values: [] }));
    this.#frequencies = inverseFrequencies(weights.config.rope, weights.config.headDim);
    this.#position = options.firstPosition ?? 0;
  }

  /**
   * Appends one token.
   * @returns logits of the next token, f64 (vocab)
   */
  step(token: number): Float64Array {
    const { config, embedding, layers, norm, unembedding } = this.weights;
    const x = embedding.slice(token * config.hidden, (token + 1) * config.hidden);
    for (const [i, layer] of layers.entries()) {
      const window = config.layerTypes[i] === "sliding" ? config.slidingWindow : Infinity;
      add(x, this.#attention(layer, rmsNorm(x, layer.attnNorm, config.rmsEps), i, window));
      add(x, this.#feedForward(layer, rmsNorm(x, layer.mlpNorm, config.rmsEps)));
    }
    this.#position++;
    const noBias = new Float64Array(config.vocab);
    return this.#multiply({ weight: unembedding, bias: noBias }, rmsNorm(x, norm, config.rmsEps));
  }

  #attention(layer: ReferenceLayer, t: Float64Array, index: number, window: number): Float64Array {
    const { heads, kvHeads, headDim, rope } = this.weights.config;
    const q = this.#multiply(layer.q, t);
    const k = this.#multiply(layer.k, t);
    for (let h = 0; h < heads; h++) {
      rotate(headOf(q, h, headDim), this.#position, this.#frequencies, rope);
    }
    for (let h = 0; h < kvHeads; h++) {
      rotate(headOf(k, h, headDim), this.#position, this.#frequencies, rope);
    }
    const { keys, values } = this.#caches[index]!;
    keys.push(k);
    values.push(this.#multiply(layer.v, t));
    const z = new Float64Array(heads * headDim);
    for (let h = 0; h < heads; h++) {
      // Neighbouring query heads share a key and value head.
      const kv = Math.floor(h / (heads / kvHeads));
      const from = Math.max(0, keys.length - window);
      const attended = attend(
        headOf(q, h, headDim),
        keys.slice(from).map((key) => headOf(key, kv, headDim)),
        values.slice(from).map((value) => headOf(value, kv, headDim)),
        layer.sinks[h]!,
      );
      z.set(attended, h * headDim);
    }
    return this.#multiply(layer.out, z);
  }

  #feedForward(layer: ReferenceLayer, t: Float64Array): Float64Array {
    const { hidden, expertsPerToken, swigluLimit, swigluAlpha } = this.weights.config;
    const { experts, weights } = route(apply(layer.router, t), expertsPerToken);
    const out = new Float64Array(hidden);
    for (const [i, expert] of experts.entries()) {
      const inner = swiglu(this.#multiply(layer.gateUp[expert]!, t), swigluLimit, swigluAlpha);
      const y = this.#multiply(layer.down[expert]!, inner);
      for (let j = 0; j < out.length; j++) out[j]! += weights[i]! * y[j]!;
    }
    return out;
  }
}

/**
 * Logits after every token of a prompt.
 * @returns f64 (vocab) per token
 */
export function referenceLogits(
  weights: ReferenceWeights,
  tokens: readonly number[],
  options: ReferenceOptions = {},
): Float64Array[] {
  const model = new ReferenceModel(weights, options);
  return tokens.map((token) => model.step(token));
}

/** x / sqrt(mean(x²) + eps) · scale */
export function rmsNorm(x: Float64Array, scale: Float64Array, eps: number): Float64Array {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  return x.map((value, i) => (value / Math.sqrt(meanSquare + eps)) * scale[i]!);
}

/** W·x + b */
export function apply(matrix: Matrix, x: Float64Array): Float64Array {
  return matrix.bias.map((bias, row) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += matrix.weight[row * x.length + i]! * x[i]!;
    return sum + bias;
  });
}

/**
 * One query head over the keys it may see. The sink is one more logit in the softmax, not divided
 * by sqrt(headDim), whose weight is dropped because it has no value.
 */
export function attend(
  q: Float64Array,
  keys: readonly Float64Array[],
  values: readonly Float64Array[],
  sink: number,
): Float64Array {
  const scores = keys.map((key) => dot(q, key) / Math.sqrt(q.length));
  const weights = softmax(Float64Array.of(...scores, sink));
  const out = new Float64Array(q.length);
  for (const [j, value] of values.entries()) {
    for (let i = 0; i < out.length; i++) out[i]! += weights[j]! * value[i]!;
  }
  return out;
}

/**
 * The experts of one token: the highest logits first, the lower index on a tie; the softmax is over
 * the chosen logits only.
 * @param logits f64 (experts)
 */
export function route(
  logits: Float64Array,
  expertsPerToken: number,
): { readonly experts: readonly number[]; readonly weights: Float64Array } {
  const experts = [...logits.keys()]
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, expertsPerToken);
  return { experts, weights: softmax(Float64Array.from(experts, (e) => logits[e]!)) };
}

/**
 * The clamped SwiGLU of gpt-oss: gate is clamped above only, up on both sides, and 1 is added to up.
 * @param gateUp f64 (2·intermediate), gate and up in turn
 * @returns f64 (intermediate)
 */
export function swiglu(gateUp: Float64Array, limit: number, alpha: number): Float64Array {
  return Float64Array.from({ length: gateUp.length / 2 }, (_, i) => {
    const gate = Math.min(gateUp[2 * i]!, limit);
    const up = Math.min(Math.max(gateUp[2 * i + 1]!, -limit), limit);
    return (gate / (1 + Math.exp(-alpha * gate))) * (up + 1);
  });
}

/** e^x normalised to sum 1; the largest is subtracted first, so nothing overflows. */
export function softmax(x: Float64Array): Float64Array {
  const max = x.reduce((a, b) => Math.max(a, b), -Infinity);
  const exps = x.map((value) => Math.exp(value - max));
  const sum = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / sum);
}

/** A view of head `h`: what is written to it is written to `x`. */
function headOf(x: Float64Array, h: number, headDim: number): Float64Array {
  return x.subarray(h * headDim, (h + 1) * headDim);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** x += y */
function add(x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i]! += y[i]!;
}
