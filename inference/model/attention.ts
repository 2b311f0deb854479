import { type Address, BLOCK, KV_PAGE, ROW_GROUP } from "../wasm/kernels.ts";
import { multiply, prepare, unitsPerPiece } from "./multiply.ts";
import { normalise } from "./normalise.ts";
import type { LayerPlan } from "./plan.ts";
import type { Step, ThreadCache, ThreadModel } from "./step.ts";

const FLOAT_BYTES = 4;
/** Pieces that each thread's part of the heads is dealt out in, where there are as many. */
const ATTENTION_PIECES = 32;

/**
 * x += attention(norm(x)) for the columns from `wanted` on; keys and values of all columns are added
 * to the cache first.
 *
 * Query heads h share the key-value head h / group. A sliding layer sees the last `slidingWindow`
 * positions, the column's own included. Each query head's sink is one more logit of its softmax.
 */
export function attention(
  model: ThreadModel,
  step: Step,
  index: number,
  layer: LayerPlan,
  wanted: number,
): void {
  const { team, plan } = model;
  const { config, scratch, precision } = plan;
  const { hidden, headDim, kvHeads } = config;
  const bank = model.bank(layer.bank);
  const strip = threadScratch(model);
  const { count } = step;

  const normed = normalise(model, layer, layer.attnNorm, layer.qkv, 0, count);

  const stride = layer.qkv.rows;
  const qRows = config.heads * headDim;
  const project = (first: number, from: number, to: number): void => {
    const y = scratch.qkv + first * stride * FLOAT_BYTES;
    const columns = count - first;
    multiply(bank, precision, layer.qkv, normed, first, 0, columns, from, to, y, stride, strip);
  };
  team.deal(Math.ceil(stride / ROW_GROUP), unitsPerPiece(hidden, count, ROW_GROUP), (from, to) => {
    const row = from * ROW_GROUP;
    const end = Math.min(to * ROW_GROUP, stride);
    project(wanted, row, Math.min(end, qRows));
    project(0, Math.max(row, qRows), end);
  });
  team.barrier();

  // A column that no other attends to needs nobody else's keys: who attends also stores them.
  const storesAlone = step.isDecode && wanted === 0;
  if (!storesAlone) {
    for (let c = team.from(count); c < team.to(count); c++) {
      for (let head = 0; head < kvHeads; head++) rotateAndStore(model, step, index, layer, c, head);
    }
    team.barrier();
  }

  // What attention saw is quantised by blocks: key-value heads are dealt out so that none is divided.
  const together = ((config.heads / kvHeads) * headDim) % BLOCK === 0 ? 1 : kvHeads;
  const units = ((count - wanted) * kvHeads) / together;
  team.deal(units, Math.ceil(units / (team.size * ATTENTION_PIECES)), (from, to) => {
    for (let unit = from; unit < to; unit++) {
      const c = wanted + Math.floor((unit * together) / kvHeads);
      const first = (unit * together) % kvHeads;
      for (let head = first; head < first + together; head++) {
        if (storesAlone) rotateAndStore(model, step, index, layer, c, head);
        attend(model, step, index, c, head);
      }
      takeSeen(model, step, index, layer, c, first, first + together);
    }
  });
  team.barrier();

  const y = scratch.y + wanted * hidden * FLOAT_BYTES;
  const columns = count - wanted;
  team.deal(Math.ceil(hidden / ROW_GROUP), unitsPerPiece(qRows, columns, ROW_GROUP), (from, to) => {
    const row = from * ROW_GROUP;
    const end = Math.min(to * ROW_GROUP, hidden);
    multiply(bank, precision, layer.out, scratch.z, wanted, 0, columns, row, end, y, hidden, strip);
    // Who computed rows adds them: no barrier between.
    for (let c = wanted; c < count; c++) {
      const offset = (c * hidden + row) * FLOAT_BYTES;
      bank.kernels.add_scaled(scratch.x + offset, scratch.y + offset, 1, end - row);
    }
  });
  team.barrier();
}

/** q, k, v of one column and key-value head: to the cache's memory, rotated, and k and v into their place in its page. */
function rotateAndStore(
  model: ThreadModel,
  step: Step,
  index: number,
  layer: LayerPlan,
  column: number,
  kvHead: number,
): void {
  const { config, scratch } = model.plan;
  const { heads, kvHeads, headDim } = config;
  const cache = step.cacheOf(column);
  const { layout } = cache;
  const bank = cache.bankOf(index);
  const group = heads / kvHeads;
  const copied = (head: number, count: number): Address => {
    const offset = column * layer.qkv.rows * FLOAT_BYTES + head * headDim * FLOAT_BYTES;
    const to = layout.qkv + offset;
    bank.copyFloats(model.bank(layer.bank), scratch.qkv + offset, to, count * headDim);
    return to;
  };
  const q = copied(kvHead * group, group);
  const k = copied(heads + kvHead, 1);
  const v = copied(heads + kvHeads + kvHead, 1);
  const rotation = column * (headDim / 2) * FLOAT_BYTES;
  const { rope, kv_store, kv_store_words } = bank.kernels;
  rope(q, group, headDim / 2, layout.cos + rotation, layout.sin + rotation);
  rope(k, 1, headDim / 2, layout.cos + rotation, layout.sin + rotation);
  const position = step.positionOf(column);
  const page = pagesOfHead(model, cache, index, kvHead);
  const store = layout.type === "words" ? kv_store_words : kv_store;
  const at = page + Math.floor(position / KV_PAGE) * layout.pageBytes;
  store(k, v, at, position % KV_PAGE, 1, headDim);
}

/** The query heads of one column that share a key-value head. */
function attend(
  model: ThreadModel,
  step: Step,
  index: number,
  column: number,
  kvHead: number,
): void {
  const { config } = model.plan;
  const { heads, kvHeads, headDim } = config;
  const cache = step.cacheOf(column);
  const { layout } = cache;
  const bank = cache.bankOf(index);
  const group = heads / kvHeads;
  const position = step.positionOf(column);
  const sliding = config.layerTypes[index] === "sliding";
  const first = sliding ? Math.max(0, position - config.slidingWindow + 1) : 0;
  const qkvWidth = (heads + 2 * kvHeads) * headDim;
  const attention = layout.type === "words" ? bank.kernels.attention_words : bank.kernels.attention;
  attention(
    layout.qkv + (column * qkvWidth + kvHead * group * headDim) * FLOAT_BYTES,
    group,
    headDim,
    pagesOfHead(model, cache, index, kvHead),
    layout.pageBytes / FLOAT_BYTES,
    first,
    position + 1,
    1 / Math.sqrt(headDim),
    layout.sinks + (index * heads + kvHead * group) * FLOAT_BYTES,
    layout.z + (column * heads + kvHead * group) * headDim * FLOAT_BYTES,
    layout.scratch + model.team.index * layout.scratchBytes,
  );
}

/** Takes what some key-value heads of one column saw to the layer's bank, in the form that `out` reads. */
function takeSeen(
  model: ThreadModel,
  step: Step,
  index: number,
  layer: LayerPlan,
  column: number,
  firstHead: number,
  endHead: number,
): void {
  const { config, scratch, precision } = model.plan;
  const bank = model.bank(layer.bank);
  const cache = step.cacheOf(column);
  const { width } = scratch.z;
  const from = (width / config.kvHeads) * firstHead;
  const to = (width / config.kvHeads) * endHead;
  const offset = (column * width + from) * FLOAT_BYTES;
  const source = cache.layout.z + offset;
  bank.copyFloats(cache.bankOf(index), source, scratch.z.values + offset, to - from);
  prepare(bank, precision, layer.out, scratch.z, column, from, to);
}

/** A key-value head's part of page 0 of a layer. */
function pagesOfHead(
  model: ThreadModel,
  cache: ThreadCache,
  index: number,
  kvHead: number,
): Address {
  const { kvHeads } = model.plan.config;
  return cache.pagesOf(index) + (cache.layout.layerPageBytes / kvHeads) * kvHead;
}

/** This thread's scratch for one unpacked row group. */
export function threadScratch(model: ThreadModel): Address {
  const { scratch } = model.plan;
  return scratch.thread + model.team.index * scratch.threadBytes;
}
