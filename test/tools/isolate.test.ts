/** Real processes behind the layers, and what becomes of them. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  descendantsOf,
  findIsolatedVm,
  findOsSandbox,
  gracefulKill,
  type SandboxLayer,
  SupervisedChild,
  type SupervisedChildOptions,
  sandboxReport,
} from "../../tools/isolate/index.ts";
import { launch } from "../../tools/isolate/launch.ts";
import { worksHere } from "../../tools/isolate/os-sandbox.ts";

vi.setConfig({ testTimeout: 60_000 });
vi.mock(import("../../tools/isolate/launch.ts"), async (original) => {
  const { launch, ...others } = await original();
  return { ...others, launch: vi.fn(launch) };
});

const MIB = 1024 * 1024;
const options = {
  entry: new URL("./isolate-child.ts", import.meta.url),
  setup: { greeting: "hello" },
  readable: [],
  limits: { residentBytes: 300 * MIB, dataBytes: 2500 * MIB, heapMb: 64, wasmPages: 1024 },
};

type Watched = { child: SupervisedChild; next: () => Promise<unknown>; end: Promise<string> };

/** A child, its messages one after the other, and how it ended. */
function start(
  onBytes?: (bytes: Buffer) => void,
  more?: Pick<SupervisedChildOptions, "unreadLimitBytes">,
): Watched {
  const messages: unknown[] = [];
  const waiting: ((message: unknown) => void)[] = [];
  const end = Promise.withResolvers<string>();
  const child = new SupervisedChild(
    { ...options, ...more },
    {
      onMessage(message) {
        const receive = waiting.shift();
        if (receive) receive(message);
        else messages.push(message);
      },
      onEnd: end.resolve,
      ...(onBytes && { onBytes }),
    },
  );
  child.keepsAgentAlive(true);
  onTestFinished(async () => {
    child.kill();
    await child.exited;
  });
  const next = (): Promise<unknown> =>
    messages.length > 0
      ? Promise.resolve(messages.shift())
      : Promise.race([
          new Promise((resolve) => waiting.push(resolve)),
          end.promise.then((reason) => `ended: ${reason}`),
        ]);
  return { child, next, end: end.promise };
}

describe("a supervised process", () => {
  test("answers, and knows only what it was given", async () => {
    const { child, next } = start();
    expect(await next()).toBe("ready");
    child.send({ question: ["é", 1, null] });
    expect(await next()).toEqual({ echo: { question: ["é", 1, null] }, greeting: "hello" });
    expect(child.alive).toBe(true);
  });

  test.each([
    ["garbage", /it sent a frame of an unknown kind|it sent a json frame of \d+ bytes/],
    ["not JSON", /it sent a message that is not JSON/],
    ["too long", /it sent a json frame of 2147483647 bytes, at most \d+ are accepted/],
    ["bytes", /it sent a bytes frame of 5 bytes, at most 0 are accepted/],
    ["crash", /its process ended with code 1: [\s\S]*broken on purpose/],
  ])("that sends %s is ended, and why is said", async (order, reason) => {
    const { child, next, end } = start();
    await next();
    child.send(order);
    expect(await end).toMatch(reason);
    expect(child.alive).toBe(false);
    await child.exited;
  });

  test("sends bytes to a receiver that accepts them", async () => {
    const received = Promise.withResolvers<Buffer>();
    const { child, next } = start(received.resolve);
    await next();
    child.send("bytes");
    expect((await received.promise).toString()).toBe("bytes");
  });

  test("has a last word", async () => {
    const { child, next, end } = start();
    await next();
    child.send("last words");
    expect(await next()).toBe("goodbye");
    expect(await end).toBe("its process was ended by SIGKILL");
  });

  test("that takes too much memory ends itself", async () => {
    const { child, next, end } = start();
    await next();
    child.send("eat");
    expect(await next()).toBe("out of memory");
    await end;
  });

  test("whose handler refuses a message is ended", async () => {
    const end = Promise.withResolvers<string>();
    const child = new SupervisedChild(options, {
      onMessage() {
        throw new Error("what was not asked for");
      },
      onEnd: end.resolve,
    });
    child.keepsAgentAlive(true);
    expect(await end.promise).toBe("it sent what was not asked for");
    await child.exited;
  });

  test("that cannot be started says so", async () => {
    const end = Promise.withResolvers<string>();
    vi.mocked(launch).mockImplementationOnce(() => spawn("/no/such/program"));
    new SupervisedChild(options, {
      onMessage: () => undefined,
      onEnd: end.resolve,
    }).keepsAgentAlive(true);
    expect(await end.promise).toContain("it could not be started: spawn /no/such/program");
  });

  test.runIf(process.platform !== "win32")("that does not start is given up", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const end = Promise.withResolvers<string>();
    vi.mocked(launch).mockImplementationOnce(() => spawn("sleep", ["100"]));
    const child = new SupervisedChild(options, {
      onMessage: () => undefined,
      onEnd: end.resolve,
    });
    vi.advanceTimersByTime(29_999);
    expect(child.alive).toBe(true);
    vi.advanceTimersByTime(1);
    expect(await end.promise).toMatch(
      /it did not start within 30 s; the system may give it too few/,
    );
    await child.exited;
  });

  test.runIf(process.platform === "linux")("goes when what contains it is killed", async () => {
    const end = Promise.withResolvers<string>();
    vi.mocked(launch).mockImplementationOnce(() =>
      spawn("/bin/sh", ["-c", "sleep 100 & wait"], { detached: true }),
    );
    const child = new SupervisedChild(options, {
      onMessage: () => undefined,
      onEnd: end.resolve,
    });
    child.keepsAgentAlive(true);
    const pid = child.pid ?? 0;
    await expect.poll(() => descendantsOf(pid), { interval: 5 }).toHaveLength(1);
    const [inner = 0] = descendantsOf(pid);
    process.kill(pid, "SIGKILL");
    expect(await end.promise).toBe("its process was ended by SIGKILL");
    await expect.poll(() => isAlive(inner), { timeout: 2000 }).toBe(false);
  });

  test("that leaves unread what is sent to it is ended", async () => {
    const { child, next, end } = start(undefined, { unreadLimitBytes: 2 * MIB });
    await next();
    child.send("deafen");
    expect(await next()).toBe("deaf");
    const message = "x".repeat(256 * 1024);
    for (let sent = 0; sent < 20 && child.alive; sent++) child.send(message);
    expect(await end).toBe("it left more than 2 MiB unread of what was sent to it");
    await child.exited;
  });

  test.runIf(process.platform !== "win32")("computes nothing while it is paused", async () => {
    const { child, next } = start();
    await next();
    child.pause();
    child.send("asked");
    const answer = next();
    const early = await Promise.race([answer, new Promise((done) => setTimeout(done, 300, null))]);
    expect(early).toBe(null);
    child.resume();
    expect(await answer).toEqual({ echo: "asked", greeting: "hello" });
    child.pause();
    child.kill();
    await child.exited;
  });
});

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

describe("a call that takes too long", () => {
  afterEach(() => void vi.useRealTimers());

  function steps(): { log: string[]; interrupt(): void; stop(): void; kill(): void } {
    const log: string[] = [];
    const note = (step: string) => () => void log.push(step);
    return { log, interrupt: note("interrupt"), stop: note("stop"), kill: note("kill") };
  }

  /** Timers are due when a test says so; the event loop turns as it does. */
  function fakeTimers(): void {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  }

  /** Lets the time pass, and the event loop read what has arrived meanwhile. */
  async function pass(ms: number): Promise<void> {
    vi.advanceTimersByTime(ms);
    await setImmediate();
  }

  test("is asked at its deadline, told after a second more, killed after another", async () => {
    fakeTimers();
    const s = steps();
    const ending = gracefulKill(500, new AbortController().signal, s);
    await pass(499);
    expect([s.log, ending.reason]).toEqual([[], null]);
    await pass(1);
    expect([s.log, ending.reason]).toEqual([["interrupt"], "it ran longer than 0.5 s"]);
    await pass(999);
    expect(s.log).toEqual(["interrupt"]);
    await pass(1);
    expect(s.log).toEqual(["interrupt", "stop"]);
    await pass(999);
    expect(s.log).toEqual(["interrupt", "stop"]);
    await pass(1);
    expect(s.log).toEqual(["interrupt", "stop", "kill"]);
  });

  test("is left alone once it is over", async () => {
    fakeTimers();
    const s = steps();
    const ending = gracefulKill(500, new AbortController().signal, s);
    await pass(600);
    ending.settle();
    await pass(10_000);
    expect(s.log).toEqual(["interrupt"]);
  });

  test("is left alone when its outcome is read in the turn of the event loop in which a step is due", async () => {
    fakeTimers();
    for (const ms of [500, 1500, 2500]) {
      const s = steps();
      const ending = gracefulKill(500, new AbortController().signal, s);
      while (s.log.length < (ms - 500) / 1000) await pass(500);
      const before = [...s.log];
      // A process that was held up: time is over, and the outcome has arrived already.
      vi.advanceTimersByTime(5000);
      ending.settle();
      await pass(5000);
      expect(s.log).toEqual(before);
    }
  });

  test("gets a second for each step, also where the time passed at once", async () => {
    fakeTimers();
    const s = steps();
    gracefulKill(500, new AbortController().signal, s);
    await pass(60_000);
    expect(s.log).toEqual(["interrupt"]);
    await pass(60_000);
    expect(s.log).toEqual(["interrupt", "stop"]);
    await pass(60_000);
    expect(s.log).toEqual(["interrupt", "stop", "kill"]);
  });

  test("ends in the same way when the run is cancelled, before or in it", async () => {
    fakeTimers();
    for (const abortFirst of [true, false]) {
      const s = steps();
      const abort = new AbortController();
      if (abortFirst) abort.abort();
      const ending = gracefulKill(60_000, abort.signal, s);
      abort.abort();
      expect([s.log, ending.reason]).toEqual([["interrupt"], "the run was cancelled"]);
      await pass(1000);
      expect(s.log).toEqual(["interrupt", "stop"]);
      await pass(1000);
      expect(s.log).toEqual(["interrupt", "stop", "kill"]);
    }
  });
});

test.runIf(findIsolatedVm().path !== null)("the report finds the layers enforced", async () => {
  const { available, isolatedVm, layers } = await sandboxReport();
  expect(available).toBe(true);
  expect(isolatedVm).toMatch(/^\d+\.\d+\.\d+$/);
  // These are the system's to give.
  const open = layers.filter(
    ({ name, enforced }) => !enforced && !/network|unix sockets|signals/.test(name),
  );
  expect(open).toEqual([]);
  expect(layers.map(({ name }) => name)).toEqual([
    "isolate",
    "environment",
    "reading",
    "writing",
    "processes",
    "native code",
    "code from strings",
    "memory",
    "network",
    "unix sockets",
    "signals",
  ]);
});

describe.runIf(process.platform === "linux")("what the operating system puts around it", () => {
  test.each([
    ["bubblewrap", true, true],
    ["namespaces", true, true],
    ["network-namespace", true, false],
    ["limits", false, false],
  ] as const)("%s", async (osSandbox, hasOwnNetwork, hasOwnFiles) => {
    // What a container or an administrator forbids cannot be tried there.
    if (osSandbox !== "limits" && !worksHere(osSandbox)) return;
    const { layers } = await sandboxReport(osSandbox);
    const layer = (wanted: string): SandboxLayer | undefined =>
      layers.find(({ name }) => name === wanted);
    expect(layer("network")?.enforced).toBe(hasOwnNetwork);
    expect(layer("signals")?.enforced).toBe(hasOwnNetwork);
    expect(layer("unix sockets")?.enforced).toBe(hasOwnFiles);
    expect(layer("environment")?.enforced).toBe(true);
    expect(layer("reading")?.detail).toContain(
      hasOwnFiles ? "there are no others in its file system" : "by Node's permission model",
    );
    expect(layer("memory")?.detail).toBe(
      "Limited by the system. Watched: a process that takes too much is ended.",
    );
  });

  test.each(["bubblewrap", "namespaces", "network-namespace", "limits"] as const)(
    "%s leaves nothing, whenever it is ended",
    async (osSandbox) => {
      if (osSandbox !== "limits" && !worksHere(osSandbox)) return;
      for (const ms of [0, 1, 3, 6, 10, 20, 40, 80]) {
        const child = new SupervisedChild(
          { ...options, osSandbox },
          { onMessage: () => undefined, onEnd: () => undefined },
        );
        await new Promise((resolve) => setTimeout(resolve, ms));
        child.kill();
        await child.exited;
      }
      await expect.poll(() => descendantsOf(process.pid), { timeout: 5000 }).toEqual([]);
    },
  );

  test("is the strongest that works", () => {
    const kinds = ["bubblewrap", "namespaces", "network-namespace"] as const;
    expect(findOsSandbox()).toBe(kinds.find(worksHere) ?? "limits");
  });
});
