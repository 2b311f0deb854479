import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { createControl, Team } from "../../inference/wasm/team.ts";
import type { TeamWork } from "./team-worker.ts";

test.each([
  [1, 1000, 7],
  [2, 1000, 1],
  [3, 1000, 7],
  [4, 3, 1],
  [4, 1000, 4000],
  [2, 0, 5],
])(
  "%i threads do each of %i items once, in pieces of %i",
  async (size, total, piece) => {
    const rounds = 60;
    const control = createControl(size);
    const times = new Int32Array(new SharedArrayBuffer(4 * total));
    const seen = new Int32Array(new SharedArrayBuffer(4 * size));
    const entry = new URL("./team-worker.ts", import.meta.url);
    const ends = Array.from({ length: size }, (_, index) => {
      const workerData: TeamWork = { control, index, size, total, piece, rounds, times, seen };
      const worker = new Worker(entry, { workerData });
      return new Promise((resolve, reject) => worker.on("error", reject).on("exit", resolve));
    });
    await Promise.all(ends);
    expect(new Set(times)).toEqual(new Set(total === 0 ? [] : [rounds]));
    // Behind each barrier, every thread saw what all had done.
    expect([...seen]).toEqual(Array.from({ length: size }, () => rounds));
  },
  20_000,
);

test("a thread takes over what the others have not begun", () => {
  const control = createControl(2);
  const [first, second] = [new Team(control, 0, 2), new Team(control, 1, 2)];
  for (const team of [first, second]) team.begin(1);
  const order: string[] = [];
  first.deal(8, 1, (item) => {
    order.push(`first ${item}`);
    // Meanwhile, the other does two items of its own part, and is held up in the third.
    if (item !== 0) return;
    let done = 0;
    const heldUp = new Error("held up");
    expect(() =>
      second.deal(8, 1, (item) => {
        order.push(`second ${item}`);
        if (++done === 3) throw heldUp;
      }),
    ).toThrow(heldUp);
  });
  expect(order.join(", ")).toBe(
    "first 0, second 4, second 5, second 6, first 1, first 2, first 3, first 7",
  );
});

test("two deals without a barrier between are refused", () => {
  const team = new Team(createControl(1), 0, 1);
  team.begin(1);
  team.deal(1, 1, () => {});
  expect(() => team.deal(1, 1, () => {})).toThrow("without a barrier");
  team.barrier();
  expect(() => team.deal(1, 1, () => {})).not.toThrow();
});
