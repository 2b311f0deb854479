/**
 * Where everything of a loaded model lies: which bank and which address, decided from the config and
 * the dtypes alone, before a byte is allocated. Plain data, posted to every worker.
 *
 * Every bank starts with the same scratch area (activations of one step); weights follow. What
 * belongs to one layer is in one bank, so a step copies activations only where the bank changes.
 */

import type { ModelConfig } from "../checkpoint/config.ts";
import { bytesOf, type Dtype } from "../checkpoint/dtypes.ts";
import type { Tensor } from "../checkpoint/tensor-file.ts";
import type { Checkpoint, ExpertLinear, Linear } from "../checkpoint/tensors.ts";
import { UnsupportedArchitectureError } from "../errors.ts";
import {
  type Address,
  BLOCK,
  FLOAT_BYTES,
  I16_BYTES,
  MXFP4_F32_SCRATCH_BYTES,
  ROW_GROUP,
} from "../wasm/kernels.ts";
import { alignUp, BankAllocator, MAX_BANK_BYTES } from "../wasm/memory-bank.ts";
import {
  type Activations,
  ALONE_COLUMNS,
  type Matrix,
  type MatrixKind,
  matrixBytes,
  type Precision,
} from "./matrix.ts";
import { planScreen, type ScreenPlan, screenRecordBytes } from "./screen.ts";

export type LayerPlan = {
  readonly bank: number;
  readonly attnNorm: Address; // f32 (hidden)
  /** Rows of q, then k, then v. */
  readonly qkv: Matrix;
  readonly out: Matrix;
  readonly mlpNorm: Address; // f32 (hidden)
  readonly router: Matrix;
  /** One of each per expert; where experts are paged, fewer: slots that hold now this one, now that. */
  readonly gateUp: readonly Matrix[]; // (2·intermediate, hidden), gate and up rows in turn
  readonly down: readonly Matrix[]; // (hidden, intermediate)
};

/** Activations of one step; "slot" = one column at one of its experts. */
export type ScratchPlan = {
  readonly columns: number;
  readonly x: Address; // f32 (columns, hidden): the residual stream
  readonly normed: Activations; // (columns, hidden)
  /** Per thread: the same of a step of few columns, which each thread normalises for itself. */
  readonly normedAlone: readonly Activations[]; // (ALONE_COLUMNS, hidden)
  readonly qkv: Address; // f32 (columns, (heads + 2·kvHeads)·headDim)
  readonly z: Activations; // (columns, heads·headDim): what attention saw
  readonly y: Address; // f32 (columns, hidden): output of attention
  readonly routerLogits: Address; // f32 (columns, experts)
  /** Per thread, since it costs less than a barrier: the router's choice. */
  readonly chosen: readonly Address[]; // u32 (columns, expertsPerToken)
  readonly chosenWeights: readonly Address[]; // f32 (columns, expertsPerToken)
  /** Per thread: f32 (columns, GATE_UP_ROWS), what one expert's gate and up give before they are joined. */
  readonly gateUp: Address;
  readonly inner: Activations; // (slots, intermediate)
  readonly down: Address; // f32 (slots, hidden)
  readonly logits: Address; // f32 (logitColumns, vocab)
  /** Columns whose logits are computed together, which reads the unembedding once for all. */
  readonly logitColumns: number;
  /** One column's logits and their noise, and some ids. */
  readonly perturbed: Address; // f32 (vocab)
  readonly ids: Address; // u32 (vocab)
  /** Per thread: one unpacked row group, then the columns of each slot as u32. */
  readonly thread: Address;
  readonly threadStripBytes: number;
  readonly threadBytes: number;
  /**
   * What is read from files lies here before it is repacked: so many bytes per thread, one after the
   * other. The same bytes as above, unless experts are read while the rest is in use.
   */
  readonly staging: { readonly address: Address; readonly bytes: number };
  readonly end: Address;
};

export type ModelPlan = {
  readonly config: ModelConfig;
  readonly precision: Precision;
  readonly threads: number;
  readonly scratch: ScratchPlan;
  /**
   * Of commands that interrupt others, whose activations stay where they are, by depth: a prompt that is
   * read in between, then decoding. Empty where experts are paged, whose slots are in use meanwhile.
   */
  readonly interrupting: readonly ScratchPlan[];
  /** Bytes of each bank. */
  readonly banks: readonly number[];
  /** Rows as in the file; each is converted when it is looked up. */
  readonly embedding: {
    readonly bank: number;
    readonly dtype: Dtype;
    readonly address: Address;
    readonly rowBytes: number;
  };
  readonly layers: readonly LayerPlan[];
  /** Whether experts are read from the files when they are needed, as far as they are not in a slot. */
  readonly paged: boolean;
  readonly head: {
    readonly bank: number;
    readonly norm: Address; // f32 (hidden)
    readonly unembedding: Matrix;
    /** Absent where it would not pay. */
    readonly screen: ScreenPlan | undefined;
  };
  /** What experts become that are not MXFP4 in the files; absent where there are none, or nothing is converted. */
  readonly convertedExperts?: ExpertKind | undefined;
  /** Bytes of weights that one decoded token reads. */
  readonly bytesPerToken: number;
  /** What the banks hold: bytes by part, which add up to all of them. */
  readonly resident: Readonly<Record<ResidentPart, number>>;
};

export type ResidentPart = "embedding" | "attention" | "experts" | "unembedding" | "activations";

/** `q8`: as precise as the rest of the model; `mxfp4`: half as large, and rounded to sixteen values. */
export type ExpertKind = "q8" | "mxfp4";

export type PlanOptions = {
  readonly precision: Precision;
  readonly threads: number;
  /** What experts become that are not MXFP4 in the files, under int8. Default: q8. Exact ones stay as they are. */
  readonly experts?: ExpertKind | undefined;
  /** Most tokens of one step. */
  readonly columns: number;
  /** Most bytes of all banks: experts that do not fit are paged. */
  readonly memoryLimit?: number | undefined;
  /** Of one bank. Default: what 32-bit addresses reach. */
  readonly maxBankBytes?: number | undefined;
  /** Weights of an unembedding from which it is screened; infinity: never. Default: 2^25. */
  readonly minScreenedWeights?: number | undefined;
  /** Of the dither of the screen, an integer below 2^48: drawn anew for each load, see `screen.ts`. */
  readonly screenSeed: number;
};

/** Rows of gate and up that are computed together: a cache line of int8 inner activations, two blocks of 32. */
export const GATE_UP_ROWS = 128;

/** Most columns of a prompt that is read while another one is: enough that unpacking a weight pays for several. */
const INTERRUPTING_COLUMNS = 64;
/** Sessions that are decoded together, and a draft with the id before it, have room in so many. */
export const MAX_LOGIT_COLUMNS = 16;
/** An unembedding of so many weights has a copy that screens it; a smaller one is read fast enough. */
const MIN_SCREENED_WEIGHTS = 1 << 25;
/** Loading stages pieces of tensors in the scratch area: this much keeps the pieces from being small. */
const MIN_SCRATCH_BYTES = 1 << 20;
const MIN_STAGING_BYTES = 1 << 16;
/** And so many row groups of the widest matrix, as f32, have room in any case. */
const MIN_STAGED_ROW_GROUPS = 4;

/**
 * With a memory limit, each layer gets as many slots for experts as fit. One per layer is the least: a
 * plan may thus be larger than the limit.
 * @throws UnsupportedArchitectureError for shapes that the kernels do not take
 */
export function planModel(checkpoint: Checkpoint, options: PlanOptions): ModelPlan {
  const { config, path } = checkpoint;
  checkShapes(config, path);
  const { layers, experts } = config;
  const limit = options.memoryLimit ?? Number.POSITIVE_INFINITY;
  const screened = planSlots(checkpoint, options, layers * experts);
  if (bankBytes(screened) <= limit) return screened;
  // What screens the unembedding is the first thing to go.
  options = { ...options, minScreenedWeights: Number.POSITIVE_INFINITY };
  const whole = planSlots(checkpoint, options, layers * experts);
  if (bankBytes(whole) <= limit) return whole;
  // Searched, not computed: with more experts there are more banks, and each has a scratch area.
  let plan = planSlots(checkpoint, options, layers);
  let [fits, tooMany] = [layers, Math.max(layers + 1, layers * experts)];
  while (tooMany - fits > 1) {
    const slots = Math.floor((fits + tooMany) / 2);
    const trial = planSlots(checkpoint, options, slots);
    if (bankBytes(trial) <= limit) [plan, fits] = [trial, slots];
    else tooMany = slots;
  }
  return plan;
}

/** Bytes of all banks. */
export function bankBytes(plan: ModelPlan): number {
  return plan.banks.reduce((sum, bytes) => sum + bytes, 0);
}

/** @param slots for experts, in all layers together; at least one per layer */
function planSlots(checkpoint: Checkpoint, options: PlanOptions, slots: number): ModelPlan {
  const { config } = checkpoint;
  const { precision, threads, columns } = options;
  const maxBankBytes = options.maxBankBytes ?? MAX_BANK_BYTES;
  const paged = slots < config.layers * config.experts;
  const slotsOf = (layer: number): number =>
    Math.floor((slots + config.layers - 1 - layer) / config.layers);
  const kinds = checkpoint.layers.map(({ gateUp, down }) => ({
    gateUp: expertKind(gateUp, options),
    down: expertKind(down, options),
  }));
  const { scratch, interrupting } = planScratch(config, {
    precision,
    columns,
    threads,
    paged,
    hasQ8Inner: kinds.some(({ down }) => down === "q8"),
  });
  const banks = new Banks(scratch.end, maxBankBytes);

  const embedding = banks.place((bank, allocator) => {
    const { dtype } = checkpoint.embedding;
    const rowBytes = bytesOf(dtype, config.hidden);
    return { bank, dtype, rowBytes, address: allocator.allocate(config.vocab * rowBytes) };
  });
  const layers = checkpoint.layers.map((tensors, index) =>
    banks.place((bank, allocator): LayerPlan => {
      const floats = (count: number): Address => allocator.allocate(count * FLOAT_BYTES);
      const dense = (kind: MatrixKind, rows: number, width: number): Matrix =>
        allocateMatrix(allocator, kind, rows, width, true);
      const { gateUp, down } = kinds[index]!;
      const experts = (kind: MatrixKind, rows: number, width: number): Matrix[] =>
        Array.from({ length: slotsOf(index) }, () => dense(kind, rows, width));
      return {
        bank,
        attnNorm: floats(config.hidden),
        qkv: dense(qkvKind(tensors, precision), qkvRows(config), config.hidden),
        out: dense(
          denseKind(tensors.out.weight.dtype, precision),
          config.hidden,
          config.heads * config.headDim,
        ),
        mlpNorm: floats(config.hidden),
        router: dense("f32", config.experts, config.hidden),
        gateUp: experts(gateUp, 2 * config.intermediate, config.hidden),
        down: experts(down, config.hidden, config.intermediate),
      };
    }),
  );
  const { minScreenedWeights = MIN_SCREENED_WEIGHTS } = options;
  const head = banks.place((bank, allocator) => {
    const { vocab, hidden } = config;
    const kind = denseKind(checkpoint.unembedding.dtype, precision);
    const isScreened = kind === "q8" && vocab * hidden >= minScreenedWeights;
    return {
      bank,
      norm: allocator.allocate(hidden * FLOAT_BYTES),
      unembedding: allocateMatrix(allocator, kind, vocab, hidden, false),
      screen: isScreened
        ? planScreen(allocator, { rows: vocab, columns: hidden }, options.screenSeed)
        : undefined,
    };
  });
  const active = layers.flatMap(({ qkv, out, gateUp, down }) => [
    qkv,
    out,
    ...Array.from({ length: config.expertsPerToken }, () => [gateUp[0]!, down[0]!]).flat(),
  ]);
  const total = banks.sizes.reduce((sum, bytes) => sum + bytes, 0);
  const activations = banks.sizes.length * scratch.end;
  const experts = layers
    .flatMap((layer) => [...layer.gateUp, ...layer.down])
    .reduce((sum, matrix) => sum + matrixBytes(matrix) + matrix.rows * FLOAT_BYTES, 0);
  const fullBytes = matrixBytes(head.unembedding);
  const screenBytes = head.screen === undefined ? 0 : screenRecordBytes(head.unembedding);
  const others = config.vocab * embedding.rowBytes + fullBytes + screenBytes;
  return {
    config,
    precision,
    threads,
    scratch,
    interrupting,
    banks: banks.sizes,
    embedding,
    layers,
    paged,
    head,
    convertedExperts: convertedExperts(checkpoint, options),
    bytesPerToken: active.reduce((sum, m) => sum + matrixBytes(m), screenBytes || fullBytes),
    resident: {
      embedding: config.vocab * embedding.rowBytes,
      experts,
      unembedding: fullBytes + screenBytes,
      activations,
      // Norms, the router and what alignment leaves are counted with it.
      attention: total - activations - experts - others,
    },
  };
}

/** Rows of q, k and v together. */
function qkvRows(config: ModelConfig): number {
  return (config.heads + 2 * config.kvHeads) * config.headDim;
}

function convertedExperts(
  { layers }: Checkpoint,
  { precision, experts = "q8" }: PlanOptions,
): ExpertKind | undefined {
  const isDense = layers.some(({ gateUp, down }) =>
    [gateUp, down].some(({ weights }) => weights.form === "dense"),
  );
  if (!isDense) return undefined;
  return precision === "exact" && experts !== "mxfp4" ? undefined : experts;
}

function expertKind(
  { weights }: ExpertLinear,
  { precision, experts = "q8" }: PlanOptions,
): MatrixKind {
  if (weights.form !== "dense" || experts === "mxfp4") return "mxfp4";
  const isBF16 = weights.parts.every((part) => part.every(({ dtype }) => dtype === "BF16"));
  return denseKind(isBF16 ? "BF16" : "F32", precision);
}

function denseKind(dtype: Dtype, precision: Precision): MatrixKind {
  if (precision === "int8") return "q8";
  return dtype === "BF16" ? "bf16" : "f32";
}

/** One matrix holds q, k and v; when their dtypes differ, f32 holds them all. */
function qkvKind(
  tensors: { readonly q: Linear; readonly k: Linear; readonly v: Linear },
  precision: Precision,
): MatrixKind {
  const weights: Tensor[] = [tensors.q.weight, tensors.k.weight, tensors.v.weight];
  const same = weights.every((weight) => weight.dtype === "BF16");
  return denseKind(same ? "BF16" : "F32", precision);
}

function allocateMatrix(
  allocator: BankAllocator,
  kind: MatrixKind,
  rows: number,
  columns: number,
  bias: boolean,
): Matrix {
  return {
    kind,
    rows,
    columns,
    address: allocator.allocate(matrixBytes({ kind, rows, columns })),
    bias: bias ? allocator.allocate(rows * FLOAT_BYTES) : 0,
  };
}

type ScratchOptions = Pick<PlanOptions, "precision" | "columns" | "threads"> & {
  readonly paged: boolean;
  /** Whether what an expert joins is multiplied with Q8_0. */
  readonly hasQ8Inner: boolean;
};

function planScratch(
  config: ModelConfig,
  options: ScratchOptions,
): Pick<ModelPlan, "scratch" | "interrupting"> {
  const { columns, threads, paged } = options;
  const allocator = new BankAllocator();
  const start = allocator.byteLength;
  const { hidden, intermediate } = config;
  const logitColumns = Math.min(columns, MAX_LOGIT_COLUMNS);
  const floats = (count: number): Address => allocator.allocate(count * FLOAT_BYTES);
  const activationsOf = (columns: number): StepPlan =>
    planStep(allocator, config, { ...options, columns });
  const main = activationsOf(columns);
  const depths = paged ? [] : [Math.min(columns, INTERRUPTING_COLUMNS), logitColumns];
  const others = depths.map(activationsOf);
  // A prefill that is interrupted has no logits: all commands may have theirs in one place.
  const shared = {
    logits: floats(logitColumns * config.vocab),
    logitColumns,
    perturbed: floats(config.vocab),
    ids: floats(config.vocab),
  };
  const widest = Math.max(hidden, intermediate, config.heads * config.headDim);
  const staged = MIN_STAGED_ROW_GROUPS * ROW_GROUP * widest * FLOAT_BYTES;
  const minimum = threads * Math.max(MIN_STAGING_BYTES, staged);
  const end = Math.max(MIN_SCRATCH_BYTES, minimum);
  const stagingStart = paged ? allocator.byteLength : start;
  allocator.allocate(paged ? minimum : Math.max(0, end - allocator.byteLength));
  const staging = (allocator.byteLength - stagingStart) / threads;
  const rest = {
    ...shared,
    staging: { address: stagingStart, bytes: alignUp(staging) - alignUp(1) },
    end: allocator.byteLength,
  };
  return {
    scratch: { ...main, ...rest },
    interrupting: others.map((step) => ({ ...step, ...rest })),
  };
}

/** What each command has to itself while it is open. */
type StepPlan = Omit<
  ScratchPlan,
  "logits" | "logitColumns" | "perturbed" | "ids" | "staging" | "end"
>;

function planStep(
  allocator: BankAllocator,
  config: ModelConfig,
  { precision, columns, threads, hasQ8Inner }: ScratchOptions,
): StepPlan {
  const { hidden, intermediate, experts, expertsPerToken } = config;
  const slots = columns * expertsPerToken;
  const floats = (count: number): Address => allocator.allocate(count * FLOAT_BYTES);
  const activations = (count: number, width: number, hasI16 = true): Activations => ({
    width,
    values: floats(count * width),
    quantised: allocator.allocate(precision === "int8" ? count * width : 0),
    i16: allocator.allocate(precision === "int8" && hasI16 ? count * width * I16_BYTES : 0),
    scales: floats(precision === "int8" ? (count * width) / BLOCK : 0),
    starts: floats(precision === "int8" ? (count * width) / BLOCK : 0),
  });
  const forEachThread = <T>(make: () => T): T[] => Array.from({ length: threads }, make);
  // The strip of the exact kernel is the larger one; both fit.
  const threadStripBytes = (Math.max(hidden, intermediate) / BLOCK) * MXFP4_F32_SCRATCH_BYTES;
  const threadBytes = threadStripBytes + slots * FLOAT_BYTES;
  return {
    columns,
    threadStripBytes,
    threadBytes,
    x: floats(columns * hidden),
    normed: activations(columns, hidden),
    normedAlone: forEachThread(() => activations(Math.min(columns, ALONE_COLUMNS), hidden)),
    qkv: floats(columns * qkvRows(config)),
    z: activations(columns, config.heads * config.headDim),
    y: floats(columns * hidden),
    routerLogits: floats(columns * experts),
    chosen: forEachThread(() => floats(slots)),
    chosenWeights: forEachThread(() => floats(slots)),
    gateUp: floats(threads * columns * GATE_UP_ROWS),
    inner: activations(slots, intermediate, hasQ8Inner),
    down: floats(slots * hidden),
    thread: allocator.allocate(threads * threadBytes),
  };
}

/** Fills banks one after the other; a unit that no longer fits begins a new bank. */
class Banks {
  readonly #scratchEnd: number;
  readonly #maxBytes: number;
  readonly #allocators: BankAllocator[] = [];

  constructor(scratchEnd: number, maxBytes: number) {
    this.#scratchEnd = scratchEnd;
    this.#maxBytes = maxBytes;
    this.#open();
  }

  /** Allocates what belongs together; `unit` is a pure function of the allocator it is given. */
  place<T>(unit: (bank: number, allocator: BankAllocator) => T): T {
    const trial = new BankAllocator();
    unit(0, trial);
    const last = this.#allocators.at(-1) ?? this.#open();
    const fits = last.byteLength + trial.byteLength <= this.#maxBytes;
    const empty = last.byteLength <= this.#scratchEnd;
    const target = fits || empty ? last : this.#open();
    return unit(this.#allocators.length - 1, target);
  }

  get sizes(): number[] {
    return this.#allocators.map((allocator) => allocator.byteLength);
  }

  #open(): BankAllocator {
    const allocator = new BankAllocator();
    allocator.allocate(this.#scratchEnd - allocator.byteLength);
    this.#allocators.push(allocator);
    return allocator;
  }
}

/** What the kernels want beyond what every gpt-oss config fulfils. */
function checkShapes(config: ModelConfig, path: string): void {
  const { headDim, heads } = config;
  if (headDim % ROW_GROUP !== 0) {
    const accepted = `multiples of ${ROW_GROUP}`;
    throw new UnsupportedArchitectureError(path, "head_dim", String(headDim), accepted);
  }
  if ((heads * headDim) % BLOCK !== 0) {
    throw new UnsupportedArchitectureError(
      path,
      "num_attention_heads · head_dim",
      String(heads * headDim),
      `multiples of ${BLOCK}`,
    );
  }
}
