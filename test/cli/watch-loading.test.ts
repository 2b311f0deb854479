import { expect, test } from "vitest";
import { watchLoading } from "../../runtime/cli/watch-loading.ts";

test("a large model: a line every other second, and one at the end", () => {
  let time = 0;
  const said: string[] = [];
  const watch = watchLoading(
    (sentence) => said.push(sentence),
    () => time,
  );
  for (let step = 1; step <= 12; step++) {
    time += 500;
    watch({
      done: step * 2 + (step === 12 ? 2 : 0),
      total: 26,
      bytes: step * 1e9,
      totalBytes: 12e9,
    });
  }
  expect(said).toEqual([
    "loading: 7 of 24 layers, 4.0 of 12.0 GB, 2.0 GB/s.",
    "loading: 15 of 24 layers, 8.0 of 12.0 GB, 2.0 GB/s.",
    "loaded 12.0 GB in 6.0 s (2.0 GB/s).",
  ]);
});

test("a small model: nothing", () => {
  const said: string[] = [];
  const watch = watchLoading(
    (sentence) => said.push(sentence),
    () => 1e9,
  );
  watch({ done: 4, total: 4, bytes: 5e6, totalBytes: 5e6 });
  expect(said).toEqual([]);
});
