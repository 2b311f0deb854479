import { expect, test } from "vitest";
import { memoryNote, watchLoading } from "../../runtime/cli/watch-loading.ts";

function watched(steps: number, isTerminal: boolean): { notes: string[]; progress: string[] } {
  let time = 0;
  const notes: string[] = [];
  const progress: string[] = [];
  const watch = watchLoading(
    {
      note: (sentence) => notes.push(sentence),
      progress: isTerminal ? (text) => progress.push(text) : null,
    },
    () => time,
  );
  for (let step = 1; step <= steps; step++) {
    time += 1000;
    const last = step === steps;
    const done = last ? 26 : step;
    watch({ done, total: 26, bytes: (step / steps) * 12e9, totalBytes: 12e9 });
  }
  return { notes, progress };
}

test("a large model on a terminal: in place, and a line at the end", () => {
  expect(watched(3, true)).toEqual({
    progress: ["loading: 4.0 of 12.0 GB, 2 s left", "loading: 8.0 of 12.0 GB, 1 s left"],
    notes: ["loaded 12.0 GB in 3.0 s (4.0 GB/s)."],
  });
});

test("elsewhere: a line every ten seconds", () => {
  expect(watched(24, false)).toEqual({
    progress: [],
    notes: [
      "loading: 5.0 of 12.0 GB, 14 s left.",
      "loading: 10.0 of 12.0 GB, 4 s left.",
      "loaded 12.0 GB in 24.0 s (0.5 GB/s).",
    ],
  });
});

test("a small model: nothing", () => {
  const notes: string[] = [];
  const watch = watchLoading(
    { note: (sentence) => notes.push(sentence), progress: null },
    () => 1e9,
  );
  watch({ done: 4, total: 4, bytes: 5e6, totalBytes: 5e6 });
  expect(notes).toEqual([]);
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
