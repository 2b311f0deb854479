import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { EngineFailedError } from "../../inference/index.ts";
import { KvPool } from "../../inference/local/kv-pool.ts";
import { planKvLayout } from "../../inference/model/kv-layout.ts";
import { planModel } from "../../inference/model/plan.ts";
import { compileKernels } from "../../inference/wasm/kernels.ts";
import { createMemory } from "../../inference/wasm/memory-bank.ts";
import type { Work } from "../../inference/workers/messages.ts";
import { type Priority, Threads } from "../../inference/workers/threads.ts";
import { tinyModel } from "./broken-checkpoints.ts";

const CONTEXT = 4096;
const ids = Array.from({ length: CONTEXT }, (_, i) => i % 96);
/** Long enough to be met while it runs. The weights are all zero, which computes as well as others. */
const long: Work = { type: "prefill", session: 1, start: 0, ids };
const short: Work = { ...long, ids: [1, 2, 3] };

let threads: Threads;

beforeEach(async () => {
  const checkpoint = openCheckpoint(tinyModel("hf"));
  const options = { precision: "int8", threads: 2, columns: 16, screenSeed: 1 } as const;
  const plan = planModel(checkpoint, options);
  checkpoint.close();
  const memories = plan.banks.map((bytes) => createMemory(bytes));
  const layout = planKvLayout(plan.config, {
    contextLength: CONTEXT,
    columns: 16,
    sessions: 16,
    threads: 2,
    type: "i16",
  });
  const pool = new KvPool(layout, () => Number.POSITIVE_INFINITY);
  const kv = { layout, memories: pool.memories };
  const init = { module: compileKernels(), plan, memories, kv };
  threads = await Threads.start(init, { uninterruptedMs: 0 });
  for (const session of [1, 2, 3]) {
    const cache = pool.open();
    cache.reserve(0, CONTEXT);
    threads.post({ type: "open", session, ...cache.cells });
  }
});

afterEach(() => threads.close());

test("commands run one after the other, in order", async () => {
  const ended: string[] = [];
  const run = (name: string, work: Work): Promise<unknown> =>
    threads.run(work).then((outcome) => ended.push(`${name} ${outcome}`));
  await Promise.all([
    run("a", { ...long, ids: ids.slice(0, 100) }),
    run("b", short),
    run("c", short),
  ]);
  expect(ended).toEqual(["a finished", "b finished", "c finished"]);
});

test("commands of a higher priority end before a prefill that began before them", async () => {
  const ended: string[] = [];
  const run = (name: string, work: Work, priority: Priority): Promise<unknown> =>
    threads.run(work, { priority }).then((outcome) => ended.push(`${name} ${outcome}`));
  await Promise.all([
    run("long", long, 0),
    run("equal", short, 0),
    run("short prompt", { ...short, session: 2 }, 1),
    run("decode", { ...short, session: 3 }, 2),
  ]);
  // Decoding interrupts the short prompt as well.
  expect(ended).toEqual([
    "decode finished",
    "short prompt finished",
    "long finished",
    "equal finished",
  ]);
});

describe("cancelling", () => {
  test("ends a command that is interrupted, and the one that interrupts it", async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const interrupted = threads.run(long, { signal });
    const between = threads.run(
      { ...long, session: 2 },
      { signal, priority: 1, onReport: () => abort.abort() },
    );
    const next = threads.run(short);
    expect(await Promise.all([interrupted, between, next])).toEqual([
      "cancelled",
      "cancelled",
      "finished",
    ]);
  });

  test("ends the running command, soon, and not the next", async () => {
    const abort = new AbortController();
    let done = 0;
    const running = threads.run(long, {
      signal: abort.signal,
      onReport: (report) => {
        if (report.type === "progress") done = report.done;
        abort.abort();
      },
    });
    const next = threads.run(short);
    expect(await running).toBe("cancelled");
    expect(done).toBeLessThan(CONTEXT);
    expect(await next).toBe("finished");
  });

  test("a command that waits never starts", async () => {
    const abort = new AbortController();
    const first = threads.run({ ...long, ids: ids.slice(0, 200) });
    let reports = 0;
    const waiting = threads.run(short, { signal: abort.signal, onReport: () => reports++ });
    abort.abort();
    expect(await first).toBe("finished");
    expect(await waiting).toBe("cancelled");
    expect(reports).toBe(0);
  });

  test("closing ends what runs and what waits, with an error", async () => {
    const running = expect(threads.run(long)).rejects.toThrow(/was closed/);
    const waiting = expect(threads.run(short)).rejects.toThrow(/was closed/);
    await threads.close();
    await Promise.all([running, waiting]);
    await expect(threads.run(short)).rejects.toThrow(EngineFailedError);
  });
});

test("a thread that dies ends the engine with a clear error, now and later", async () => {
  // A session that was not opened: the workers have no cache to work on.
  const dying = threads.run({ ...short, session: 99 });
  await expect(dying).rejects.toThrow(EngineFailedError);
  await expect(threads.run(short)).rejects.toThrow(/worker thread \d died: .*no session 99/);
});
