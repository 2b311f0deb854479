/**
 * What keys and values depend on beside the token ids: the weights, how they are computed and how a
 * cache is laid out. Reading a whole checkpoint would take longer than it saves, so of each tensor some
 * pieces stand for all of it, together with the time its file was last changed.
 */

import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Tensor } from "../checkpoint/tensor-file.ts";
import type { Checkpoint } from "../checkpoint/tensors.ts";
import type { KvLayout } from "../model/kv-layout.ts";
import type { ModelPlan } from "../model/plan.ts";

const PIECE_BYTES = 4096;
/** Pieces of a tensor, evenly spread; the first and the last are its ends. */
const PIECES = 4;

/** @throws CheckpointError when the checkpoint cannot be read */
export function identifyModel(
  checkpoint: Checkpoint,
  plan: Pick<ModelPlan, "precision" | "layers">,
  layout: KvLayout,
): string {
  const hash = createHash("sha256");
  const say = (facts: unknown): void => {
    hash.update(JSON.stringify(facts)).update("\n");
  };
  const kinds = plan.layers.map(({ gateUp, down }) => [gateUp[0]?.kind, down[0]?.kind]);
  say([plan.precision, kinds, checkpoint.config]);
  say([layout.type, layout.layerPageBytes]);
  hash.update(readFileSync(new URL("../kernels/kernels.wasm.json", import.meta.url)));
  const paths = new Set<string>();
  const piece = Buffer.alloc(PIECE_BYTES);
  for (const tensor of tensorsIn(checkpoint)) {
    const { name, dtype, shape, byteLength, path } = tensor;
    paths.add(path);
    say([name, dtype, shape, byteLength]);
    for (let i = 0; i < PIECES; i++) {
      const size = Math.min(PIECE_BYTES, byteLength);
      const part = piece.subarray(0, size);
      tensor.readInto(part, Math.floor(((byteLength - size) * i) / (PIECES - 1)));
      hash.update(part);
    }
  }
  for (const path of paths) {
    const { size, mtimeMs } = statSync(path);
    say([size, mtimeMs]);
  }
  return hash.digest("hex");
}

/** Every tensor of a checkpoint, wherever it stands in it. */
function* tensorsIn(value: unknown): Generator<Tensor, void, void> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if ("readInto" in value) yield value as Tensor;
  else for (const part of Object.values(value)) yield* tensorsIn(part);
}
