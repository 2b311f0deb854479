/** One thread of team.test.ts: counts how often each item was done. */
import { workerData } from "node:worker_threads";
import { Team, type TeamControl } from "../../inference/wasm/team.ts";

export type TeamWork = {
  readonly control: TeamControl;
  readonly index: number;
  readonly size: number;
  readonly total: number;
  readonly piece: number;
  readonly rounds: number;
  /** By item. */
  readonly times: Int32Array<SharedArrayBuffer>;
  /** By thread: rounds behind which each item had been done as often as there were rounds. */
  readonly seen: Int32Array<SharedArrayBuffer>;
};

const { control, index, size, total, piece, rounds, times, seen } = workerData as TeamWork;
const team = new Team(control, index, size);
team.begin(1);
for (let round = 1; round <= rounds; round++) {
  team.deal(total, piece, (from, to) => {
    // Not atomic: no two threads do the same item.
    for (let i = from; i < to; i++) times[i] = (times[i] ?? 0) + 1;
  });
  team.barrier();
  if (times.every((count) => count === round)) seen[index] = (seen[index] ?? 0) + 1;
  team.barrier();
}
