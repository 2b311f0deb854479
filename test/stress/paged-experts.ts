/**
 * The shape of gpt-oss-120b in less memory than it has. The file consists of holes; only the routers, the
 * norms and some rows of the embedding are written, so that every token chooses experts of its own while the
 * disk holds next to nothing. What is shown is that memory stays within its limit, whatever the size of the
 * file; not how fast a disk is, nor what a model says.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { openModel } from "../../inference/index.ts";
import { Random } from "../eval/random.ts";
import { type SparseTensor, writeSparseGguf } from "../fixtures/gguf-writer.ts";
import { encodeQ8, FORMS, GGML, metadataOf } from "../fixtures/make-gguf-model.ts";

export type PagingOptions = {
  readonly layers: number;
  /** What --memory takes, in bytes. */
  readonly memoryLimit: number;
  readonly prompt: number;
  readonly generate: number;
  readonly seed: number;
  /** Where the file lies while it is needed. */
  readonly folder: string;
};

export type PagingReport = {
  readonly layers: number;
  readonly file_gb: number;
  readonly limit_gib: number;
  /** Of this process. */
  readonly peak_gib: number;
  readonly experts: number;
  readonly resident: number;
  readonly hits: number;
  readonly misses: number;
  readonly read_gb: number;
  readonly load_s: number;
  readonly prefill_s: number;
  readonly decode_s: number;
  readonly generated: number;
};

const SHAPE = {
  hidden: 2880,
  intermediate: 2880,
  heads: 64,
  kvHeads: 8,
  headDim: 64,
  experts: 128,
  expertsPerToken: 4,
  vocab: 201_088,
  window: 128,
  originalContext: 4096,
  swigluLimit: 7,
};
/** Ids with a row in the embedding that is not zero; no others are used. */
const ROWS = 1024;
const CONTEXT = 4096;

export async function stressPaging(options: PagingOptions): Promise<PagingReport> {
  const { layers, memoryLimit, prompt, generate, seed } = options;
  const path = join(options.folder, "holes.gguf");
  const random = new Random(seed, "paged experts");
  const size = { ...SHAPE, layers: Array.from({ length: layers }, layerType) };
  const length = writeSparseGguf(path, metadataOf(size, FORMS.llamaCppQ8), tensors(layers, random));
  try {
    const opening = performance.now();
    const { engine } = await openModel(path, { memoryLimit, contextLength: CONTEXT });
    const load_s = seconds(opening);
    const session = await engine.createSession();
    const prefilling = performance.now();
    await session.sync(Array.from({ length: prompt }, () => random.int(0, ROWS - 1)));
    const prefill_s = seconds(prefilling);
    const decoding = performance.now();
    const sampling = { temperature: 1, topP: 1, seed };
    const sampleableIds = new Uint32Array(Math.ceil(SHAPE.vocab / 32)).fill(
      2 ** 32 - 1,
      0,
      ROWS / 32,
    );
    const wanted = { maxTokens: generate, stopIds: new Set<number>(), sampling, sampleableIds };
    let generated = 0;
    for await (const _ of session.generate({ ...wanted, speculation: false })) generated++;
    const decode_s = seconds(decoding);
    const traffic = engine.statistics?.experts;
    await engine.close();
    return {
      layers,
      file_gb: rounded(length / 1e9),
      limit_gib: rounded(memoryLimit / 2 ** 30),
      peak_gib: rounded(process.resourceUsage().maxRSS / 2 ** 20),
      experts: layers * SHAPE.experts,
      resident: traffic?.resident ?? layers * SHAPE.experts,
      hits: traffic?.hits ?? 0,
      misses: traffic?.misses ?? 0,
      read_gb: rounded((traffic?.bytesRead ?? 0) / 1e9),
      load_s,
      prefill_s,
      decode_s,
      generated,
    };
  } finally {
    rmSync(path);
  }
}

function layerType(_: unknown, layer: number): "sliding" | "full" {
  return layer % 2 === 0 ? "sliding" : "full";
}

/** As llama.cpp names them, with Q8_0 matrices and MXFP4 experts. */
function tensors(layers: number, random: Random): Map<string, SparseTensor> {
  const { hidden, intermediate, heads, kvHeads, headDim, experts, vocab } = SHAPE;
  const out = new Map<string, SparseTensor>();
  const floats = (name: string, shape: number[], valueAt?: () => number): void => {
    const count = shape.reduce((a, b) => a * b, 1);
    const byteLength = count * 4;
    const bytes = valueAt && new Uint8Array(Float32Array.from({ length: count }, valueAt).buffer);
    out.set(name, { type: GGML.F32, shape, byteLength, ...(bytes && { bytes }) });
  };
  const blocks = (
    name: string,
    type: number,
    blockBytes: number,
    shape: number[],
    bytes?: Uint8Array,
  ): void => {
    const byteLength = (shape.reduce((a, b) => a * b, 1) / 32) * blockBytes;
    out.set(name, { type, shape, byteLength, ...(bytes && { bytes }) });
  };
  const linear = (name: string, outputs: number, inputs: number): void => {
    blocks(`${name}.weight`, GGML.Q8_0, 34, [outputs, inputs]);
    floats(`${name}.bias`, [outputs]);
  };
  const one = (): number => 1;
  const centred = (): number => random.next() - 0.5;
  const rows = encodeQ8(Float32Array.from({ length: ROWS * hidden }, centred));
  blocks("token_embd.weight", GGML.Q8_0, 34, [vocab, hidden], rows);
  floats("output_norm.weight", [hidden], one);
  for (let layer = 0; layer < layers; layer++) {
    const at = `blk.${layer}`;
    floats(`${at}.attn_norm.weight`, [hidden], one);
    linear(`${at}.attn_q`, heads * headDim, hidden);
    linear(`${at}.attn_k`, kvHeads * headDim, hidden);
    linear(`${at}.attn_v`, kvHeads * headDim, hidden);
    linear(`${at}.attn_output`, hidden, heads * headDim);
    floats(`${at}.attn_sinks.weight`, [heads]);
    floats(`${at}.post_attention_norm.weight`, [hidden], one);
    floats(`${at}.ffn_gate_inp.weight`, [experts, hidden], centred);
    floats(`${at}.ffn_gate_inp.bias`, [experts]);
    for (const name of ["gate", "up", "down"]) {
      blocks(`${at}.ffn_${name}_exps.weight`, GGML.MXFP4, 17, [experts, intermediate, hidden]);
      floats(`${at}.ffn_${name}_exps.bias`, [experts, hidden]);
    }
  }
  blocks("output.weight", GGML.Q8_0, 34, [vocab, hidden]);
  return out;
}

function seconds(since: number): number {
  return rounded((performance.now() - since) / 1000);
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
