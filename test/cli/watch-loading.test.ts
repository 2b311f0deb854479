import { expect, test } from "vitest";
import { memoryNote, watchLoading } from "../../runtime/cli/watch-loading.ts";

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

test("what a large model needs, with its keys and values", () => {
  const parts = {
    embedding: 1,
    attention: 2,
    experts: 3,
    unembedding: 4,
    activations: 5,
    cache: 7.74,
  };
  const gib = (n: number): number => n * 2 ** 30;
  const needs = {
    contextLength: 131_072,
    bytes: gib(22.74),
    parts: { ...parts, cache: gib(parts.cache) },
  };
  expect(memoryNote(needs)).toBe(
    "memory: 15.0 GiB for weights and activations, up to 7.7 GiB for the keys and values of 131072 tokens.",
  );
  expect(memoryNote({ ...needs, bytes: 1e8 })).toBeNull();
});
