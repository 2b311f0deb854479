import { type Address, KV_PAGE, ROW_GROUP } from "../wasm/kernels.ts";
import { multiply, prepare, unitsPerPiece } from "./multiply.ts";
import type { LayerPlan } from "./plan.ts";
import type { Step, ThreadModel } from "./step.ts";

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

  for (let c = team.from(count); c < team.to(count); c++) {
    const offset = c * hidden * FLOAT_BYTES;
    const { values } = scratch.normed;
    bank.kernels.rms_norm(
      scratch.x + offset,
      layer.attnNorm,
      values + offset,
      hidden,
      config.rmsEps,
    );
    prepare(bank, precision, layer.qkv, scratch.normed, c);
  }
  team.barrier();

  const stride = layer.qkv.rows;
  const qRows = config.heads * headDim;
  const project = (first: number, from: number, to: number): void => {
    const y = scratch.qkv + first * stride * FLOAT_BYTES;
    const columns = count - first;
    multiply(
      bank,
      precision,
      layer.qkv,
      scratch.normed,
      first,
      0,
      columns,
      from,
      to,
      y,
      stride,
      strip,
    );
  };
  team.deal(Math.ceil(stride / ROW_GROUP), unitsPerPiece(hidden, count, ROW_GROUP), (from, to) => {
    const row = from * ROW_GROUP;
    const end = Math.min(to * ROW_GROUP, stride);
    project(wanted, row, Math.min(end, qRows));
    project(0, Math.max(row, qRows), end);
  });
  team.barrier();

  for (let c = team.from(count); c < team.to(count); c++) {
    rotateAndStore(model, step, index, layer, c);
  }
  team.barrier();

  const units = (count - wanted) * kvHeads;
  team.deal(units, Math.ceil(units / (team.size * ATTENTION_PIECES)), (from, to) => {
    for (let unit = from; unit < to; unit++) {
      attend(model, step, index, wanted + Math.floor(unit / kvHeads), unit % kvHeads);
    }
  });
  team.barrier();

  const from = wanted + team.from(count - wanted);
  const to = wanted + team.to(count - wanted);
  for (let c = from; c < to; c++) {
    const offset = c * qRows * FLOAT_BYTES;
    const cache = step.cacheOf(c);
    const from = cache.layout.z + offset;
    bank.copyFloats(cache.bankOf(index), from, scratch.z.values + offset, qRows);
    prepare(bank, precision, layer.out, scratch.z, c);
  }
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

/** One column's q, k, v: to the cache's memory, rotated, and k and v into their place in its page. */
function rotateAndStore(
  model: ThreadModel,
  step: Step,
  index: number,
  layer: LayerPlan,
  column: number,
): void {
  const { config, scratch } = model.plan;
  const { heads, kvHeads, headDim } = config;
  const cache = step.cacheOf(column);
  const { layout } = cache;
  const bank = cache.bankOf(index);
  const width = layer.qkv.rows;
  const offset = column * width * FLOAT_BYTES;
  bank.copyFloats(model.bank(layer.bank), scratch.qkv + offset, layout.qkv + offset, width);
  const q = layout.qkv + offset;
  const k = q + heads * headDim * FLOAT_BYTES;
  const v = k + kvHeads * headDim * FLOAT_BYTES;
  const rotation = column * (headDim / 2) * FLOAT_BYTES;
  // q and k follow each other and turn by the same angles.
  bank.kernels.rope(q, heads + kvHeads, headDim / 2, layout.cos + rotation, layout.sin + rotation);
  const position = step.positionOf(column);
  const page = cache.pagesOf(index) + Math.floor(position / KV_PAGE) * layout.pageBytes;
  const store = layout.type === "words" ? bank.kernels.kv_store_words : bank.kernels.kv_store;
  store(k, v, page, position % KV_PAGE, kvHeads, headDim);
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
    cache.pagesOf(index) + (layout.layerPageBytes / kvHeads) * kvHead,
    layout.pageBytes / FLOAT_BYTES,
    first,
    position + 1,
    1 / Math.sqrt(headDim),
    layout.sinks + (index * heads + kvHead * group) * FLOAT_BYTES,
    layout.z + (column * heads + kvHead * group) * headDim * FLOAT_BYTES,
    layout.scratch + model.team.index * layout.scratchBytes,
  );
}

/** This thread's scratch for one unpacked row group. */
export function threadScratch(model: ThreadModel): Address {
  const { scratch } = model.plan;
  return scratch.thread + model.team.index * scratch.threadBytes;
}
