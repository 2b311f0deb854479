import {
  type Address,
  ATTENTION_COLUMNS,
  BLOCK,
  FLOAT_BYTES,
  KV_PAGE,
  ROW_GROUP,
} from "../wasm/kernels.ts";
import { multiply, type Product, prepare, unitsPerPiece } from "./multiply.ts";
import { rmsNorm } from "./rms-norm.ts";
import type { ColumnRun, LayerStep, ThreadModel } from "./step.ts";

/** Pieces that each thread's part of the heads is dealt out in, where there are as many. */
const ATTENTION_PIECES = 32;

/**
 * x += attention(norm(x)) for the columns from `wanted` on; keys and values of all columns are added
 * to the cache first.
 *
 * Query heads h share the key-value head h / group. A sliding layer sees the last `slidingWindow`
 * positions, the column's own included. Each query head's sink is one more logit of its softmax.
 */
export function attention(at: LayerStep): void {
  const { model, step, layer, wanted } = at;
  const { team, plan } = model;
  const { config, scratch } = plan;
  const { hidden, headDim, kvHeads } = config;
  const workspace = model.workspace(layer.bank);
  const { count } = step;

  const normed = rmsNorm(at, layer.attnNorm, layer.qkv, 0);

  const stride = layer.qkv.rows;
  const qRows = config.heads * headDim;
  const projection = (first: number): Product => ({
    matrix: layer.qkv,
    x: normed,
    first,
    index: 0,
    count: count - first,
    y: scratch.qkv + first * stride * FLOAT_BYTES,
    stride,
  });
  const [queries, keysAndValues] = [projection(wanted), projection(0)];
  team.deal(Math.ceil(stride / ROW_GROUP), unitsPerPiece(hidden, count, ROW_GROUP), (from, to) => {
    const row = from * ROW_GROUP;
    const end = Math.min(to * ROW_GROUP, stride);
    multiply(workspace, queries, row, Math.min(end, qRows));
    multiply(workspace, keysAndValues, Math.max(row, qRows), end);
  });
  team.barrier();

  // In a decode step, no column attends to another: each is attended to by the thread that stores it.
  const storesAlone = step.isDecode && wanted === 0;
  if (!storesAlone) {
    for (let c = team.from(count); c < team.to(count); c++) {
      for (let head = 0; head < kvHeads; head++) storeKeyAndValue(at, c, head);
    }
    team.barrier();
  }

  // What attention saw is quantised by blocks: key-value heads are dealt out so that none is divided.
  const together = ((config.heads / kvHeads) * headDim) % BLOCK === 0 ? 1 : kvHeads;
  const runs = step.runs(wanted, ATTENTION_COLUMNS);
  const units = (runs.length * kvHeads) / together;
  team.deal(units, Math.ceil(units / (team.size * ATTENTION_PIECES)), (from, to) => {
    for (let unit = from; unit < to; unit++) {
      const run = runs[Math.floor((unit * together) / kvHeads)]!;
      const first = (unit * together) % kvHeads;
      for (let head = first; head < first + together; head++) {
        if (storesAlone) storeKeyAndValue(at, run.first, head);
        attend(at, run, head);
      }
      const values = scratch.z.width / kvHeads;
      const end = (first + together) * values;
      for (let c = run.first; c < run.first + run.count; c++) {
        prepare(workspace, layer.out, scratch.z, c, first * values, end);
      }
    }
  });
  team.barrier();

  const columns = count - wanted;
  const out: Product = {
    matrix: layer.out,
    x: scratch.z,
    first: wanted,
    index: 0,
    count: columns,
    y: scratch.y + wanted * hidden * FLOAT_BYTES,
    stride: hidden,
  };
  const { add_scaled } = workspace.bank.kernels;
  team.deal(Math.ceil(hidden / ROW_GROUP), unitsPerPiece(qRows, columns, ROW_GROUP), (from, to) => {
    const row = from * ROW_GROUP;
    const end = Math.min(to * ROW_GROUP, hidden);
    multiply(workspace, out, row, end);
    // The thread that computed rows adds them: no barrier between.
    for (let c = wanted; c < count; c++) {
      const offset = (c * hidden + row) * FLOAT_BYTES;
      add_scaled(scratch.x + offset, scratch.y + offset, 1, end - row);
    }
  });
  team.barrier();
}

/** Key and value of one column and key-value head, the key rotated: to their place in the session's page. */
function storeKeyAndValue(at: LayerStep, column: number, kvHead: number): void {
  const { model, step, index } = at;
  const { heads, kvHeads, headDim } = model.plan.config;
  const { layout } = model.kv;
  const bank = model.kv.bankOf(index);
  const k = takeProjected(at, column, heads + kvHead, 1, layout.k);
  const v = takeProjected(at, column, heads + kvHeads + kvHead, 1, layout.v);
  rotate(at, column, k, 1);
  const position = step.positionOf(column);
  const { pageTable } = step.segments[step.segmentOf(column)]!;
  const page = pageTable[Math.floor(position / KV_PAGE)]!;
  const store = layout.type === "i16" ? bank.kernels.kv_store_i16 : bank.kernels.kv_store;
  const place = pagesOfHead(model, index, kvHead) + page * layout.pageBytes;
  store(k, v, place, position % KV_PAGE, 1, headDim);
}

/** What the query heads of a run of columns that share a key-value head see: to their places in `scratch.z`. */
function attend(at: LayerStep, run: ColumnRun, kvHead: number): void {
  const { model, step, index, layer } = at;
  const { config, scratch } = model.plan;
  const { heads, kvHeads, headDim } = config;
  const { kv } = model;
  const { layout } = kv;
  const bank = kv.bankOf(index);
  const group = heads / kvHeads;
  const thread = kvThread(model);
  for (let i = 0; i < run.count; i++) {
    const place = layout.q + i * group * headDim * FLOAT_BYTES;
    const q = takeProjected(at, run.first + i, kvHead * group, group, place);
    rotate(at, run.first + i, q, group);
  }
  const position = step.positionOf(run.first);
  const isSliding = config.layerTypes[index] === "sliding";
  const attention = layout.type === "i16" ? bank.kernels.attention_i16 : bank.kernels.attention;
  attention(
    thread + layout.q,
    run.count,
    group,
    headDim,
    pagesOfHead(model, index, kvHead),
    kv.tableOf(step.segmentOf(run.first)),
    layout.pageBytes / FLOAT_BYTES,
    isSliding ? config.slidingWindow : layout.contextLength,
    position + 1,
    1 / Math.sqrt(headDim),
    layout.sinks + (index * heads + kvHead * group) * FLOAT_BYTES,
    thread + layout.z,
    thread + layout.scratch,
  );
  for (let i = 0; i < run.count; i++) {
    const row = ((run.first + i) * heads + kvHead * group) * headDim * FLOAT_BYTES;
    const z = thread + layout.z + i * group * headDim * FLOAT_BYTES;
    model.bank(layer.bank).copyFloats(bank, z, scratch.z.values + row, group * headDim);
  }
}

/**
 * Copies some heads of q, k and v of a column to this thread's part of the layer's cache memory.
 * @param place within the thread's part
 * @returns where they are
 */
function takeProjected(
  { model, index, layer }: LayerStep,
  column: number,
  head: number,
  count: number,
  place: Address,
): Address {
  const { headDim } = model.plan.config;
  const from = model.plan.scratch.qkv + (column * layer.qkv.rows + head * headDim) * FLOAT_BYTES;
  const to = kvThread(model) + place;
  model.kv.bankOf(index).copyFloats(model.bank(layer.bank), from, to, count * headDim);
  return to;
}

/** Rotates some heads of a column, in the layer's cache memory. */
function rotate({ model, index }: LayerStep, column: number, x: Address, heads: number): void {
  const { cos, sin } = model.kv.step;
  const half = model.plan.config.headDim / 2;
  const row = column * half * FLOAT_BYTES;
  model.kv.bankOf(index).kernels.rope(x, heads, half, cos + row, sin + row);
}

/** A key-value head's part of page number 0 of a layer. */
function pagesOfHead(model: ThreadModel, index: number, kvHead: number): Address {
  const { kv, plan } = model;
  return kv.pagesOf(index) + (kv.layout.layerPageBytes / plan.config.kvHeads) * kvHead;
}

/** This thread's part of the cache's memories. */
function kvThread(model: ThreadModel): Address {
  const { layout } = model.kv;
  return layout.thread + model.team.index * layout.threadBytes;
}
