/** Which sandbox is found, what is said when one does not work, and what becomes of it with the agent. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { descendantsOf, findOsSandbox, SupervisedChild } from "../../tools/isolate/index.ts";
import { LaunchError, launch } from "../../tools/isolate/launch.ts";
import {
  OsSandboxTrialError,
  readTrial,
  strongest,
  type Trial,
  worksHere,
} from "../../tools/isolate/os-sandbox.ts";
import { osSandboxCommand } from "../../tools/isolate/os-sandbox-command.ts";

vi.setConfig({ testTimeout: 60_000 });

const isLinux = process.platform === "linux";
const MIB = 1024 * 1024;

describe("a trial", () => {
  const ended = { status: 0, signal: null, stdout: "", stderr: "" };
  const failed = (code: string): { error: Error } => ({
    error: Object.assign(new Error(`spawn ${code}`), { code }),
  });
  const said = (stderr: string, status = 1) => ({ status, stderr });

  test.each([
    ["works", { stdout: `${process.version}\n` }],
    ["absent", failed("ENOENT")],
    ["absent", failed("EPERM")],
    ["absent", said("sh: 1: exec: bwrap: not found", 127)],
    ["absent", said("unshare: unshare failed: Operation not permitted")],
    ["absent", said("unshare: write failed /proc/self/uid_map: Operation not permitted")],
    ["absent", said("mount: /sys: permission denied.", 32)],
    ["absent", said("bwrap: No permissions to create new namespace, likely because …")],
    ["absent", said("unshare: unrecognized option: map-user")],
    ["postponed", failed("EMFILE")],
    ["postponed", failed("ENFILE")],
    ["postponed", failed("EAGAIN")],
    ["postponed", failed("ENOMEM")],
    ["postponed", failed("ETIMEDOUT")],
    ["postponed", { status: null, signal: "SIGKILL" as const }],
    ["postponed", said("sh: 5: Cannot fork")],
    ["postponed", said("unshare: fork failed: Resource temporarily unavailable")],
    ["postponed", said("bwrap: Can't create pipe: Too many open files")],
    ["broken", said("unshare: unshare failed: No space left on device")],
    ["broken", said("node: error while loading shared libraries: libx.so", 42)],
    ["broken", { stdout: "v1.2.3" }],
  ])("%s: %o", (outcome, how) => {
    expect(readTrial({ ...ended, ...how } as never).outcome).toBe(outcome);
  });
});

describe.runIf(isLinux)("the strongest sandbox", () => {
  /** Answers in order, and the warnings. */
  function find(trials: Record<string, readonly Trial["outcome"][]>): [string, string[]] {
    const left = Object.fromEntries(Object.entries(trials).map(([name, all]) => [name, [...all]]));
    const warnings: string[] = [];
    const attempt = (name: string): Trial => {
      const outcome = left[name]?.shift() ?? "absent";
      return outcome === "works" || outcome === "absent" ? { outcome } : { outcome, why: "why" };
    };
    return [strongest(attempt, (sentence) => warnings.push(sentence)), warnings];
  }

  test("is the first that works; what is absent is not spoken of", () => {
    expect(find({ bubblewrap: ["works"] })).toEqual(["bubblewrap", []]);
    expect(find({ "network-namespace": ["works"] })).toEqual(["network-namespace", []]);
    expect(find({})).toEqual(["limits", []]);
  });

  test("what fails is tried again, and a weaker one is not used without a word", () => {
    expect(find({ bubblewrap: ["broken", "broken", "works"] })).toEqual(["bubblewrap", []]);
    expect(find({ bubblewrap: ["broken", "broken", "broken"], namespaces: ["works"] })).toEqual([
      "namespaces",
      ["Sandboxed processes run in namespaces: bubblewrap does not work here (why)."],
    ]);
  });

  test("what could not be tried is no answer", () => {
    expect(() => find({ bubblewrap: ["postponed"] })).toThrow(OsSandboxTrialError);
    expect(() => find({ bubblewrap: ["absent"], namespaces: ["broken", "postponed"] })).toThrow(
      /whether this system lets a process run in namespaces could not be found out: why/,
    );
  });

  test("is found by a program that had no descriptor to spare at first", () => {
    const script = join(import.meta.dirname, "agent-without-descriptors.ts");
    const { stdout, stderr, status } = spawnSync(
      "/bin/sh",
      ["-c", 'ulimit -n 128; exec "$@"', "sh", process.execPath, script],
      { encoding: "utf8" },
    );
    const lines = stdout.trim().split("\n");
    expect([stderr, status]).toEqual(["", 0]);
    expect(lines[0]).toMatch(/^it could not be started: .*EMFILE/);
    for (const line of lines.slice(1, -2)) expect(line).toMatch(/^started$|^it could not be/);
    expect(lines.slice(-2)).toEqual(["started", findOsSandbox()]);
  });
});

/** What code finds that has broken out of its isolate and of Node's permission model. Prints JSON. */
const INSIDE = `
  const { connect } = require("node:net");
  const fs = require("node:fs");
  const [unixSocket, tcpPort, own, agent] = process.argv.slice(1);
  const code = (attempt) => { try { attempt(); return "done"; } catch (error) { return error.code; } };
  const reach = (target) => new Promise((done) =>
    connect(target).on("connect", () => done("done")).on("error", (error) => done(error.code)));
  (async () => console.log(JSON.stringify({
    read: code(() => fs.readFileSync("/etc/passwd")),
    write: code(() => fs.writeFileSync("/new", "")),
    writeOwn: code(() => fs.openSync(own, "r+")),
    kernel: code(() => fs.openSync("/proc/sys/kernel/core_pattern", "r+")),
    firstProcess: code(() => fs.readFileSync("/proc/1/root/etc/passwd")),
    signal: code(() => process.kill(Number(agent), 0)),
    processes: fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).length,
    unixSocket: await reach({ path: unixSocket }),
    tcp: await reach({ host: "127.0.0.1", port: Number(tcpPort) }),
  })))();`;

describe.runIf(isLinux)("code that runs in it without Node's permission model", () => {
  test.each(["bubblewrap", "namespaces"] as const)("finds nothing in %s", async (osSandbox) => {
    if (!worksHere(osSandbox)) return;
    const folder = mkdtempSync(join(tmpdir(), "chorale-inside-"));
    const unixSocket = join(folder, "s");
    // A name that a shell and a table of mounts would take apart.
    const own = join(folder, "it's my own\n file");
    writeFileSync(own, "own");
    const unix = createServer((socket) => socket.destroy()).listen(unixSocket);
    const tcp = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await Promise.all([once(unix, "listening"), once(tcp, "listening")]);
    onTestFinished(() => {
      unix.close();
      tcp.close();
      rmSync(folder, { recursive: true });
    });
    const { port } = tcp.address() as AddressInfo;
    const inside = [INSIDE, unixSocket, String(port), own, String(process.pid)];
    const [command = "", ...args] = osSandboxCommand([process.execPath, "-e", ...inside], {
      osSandbox,
      readable: [own],
      dataBytes: 4000 * MIB,
    });
    const child = spawn(command, args, { cwd: "/", env: {} });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(err).toBe("");
    const { read, write, writeOwn, kernel, firstProcess, signal, ...others } = JSON.parse(out);
    expect([read, write, writeOwn]).toEqual(["ENOENT", "EROFS", "EROFS"]);
    expect(kernel).toMatch(/^(ENOENT|EROFS|EACCES)$/);
    expect(firstProcess).toMatch(/^(ENOENT|EACCES)$/);
    expect(signal).toBe("ESRCH");
    expect(others).toEqual({
      processes: 2,
      unixSocket: "ENOENT",
      tcp: expect.stringMatching(/^(ENETUNREACH|ECONNREFUSED)$/),
    });
  });
});

test("a path that the permission model would take for a pattern is refused", async () => {
  const options = {
    entry: new URL("./isolate-child.ts", import.meta.url),
    setup: {},
    readable: ["/tmp/star*"],
    limits: { residentBytes: 300 * MIB, dataBytes: 2500 * MIB, heapMb: 64, wasmPages: 1024 },
  };
  expect(() => launch(options)).toThrow(LaunchError);
  const end = Promise.withResolvers<string>();
  const child = new SupervisedChild(options, {
    onMessage: () => undefined,
    onEnd: end.resolve,
  });
  expect(await end.promise).toMatch(/it would have to read \/tmp\/star\*, .* for a wildcard/);
  await child.exited;
});

describe.runIf(isLinux)("a process that computes for ever goes with its agent", () => {
  const kinds = ["bubblewrap", "namespaces", "network-namespace", "limits", "none"] as const;
  test.each([...kinds, "watcher"] as const)("%s", async (kind) => {
    const isTried = kind === "limits" || kind === "none" || kind === "watcher" || worksHere(kind);
    // What a container or an administrator forbids cannot be tried there.
    if (!isTried) return;
    const script = join(import.meta.dirname, "agent-with-child.ts");
    const agent = spawn(process.execPath, [script, kind]);
    const said = await new Promise((resolve) => agent.stdout.once("data", resolve));
    expect(String(said)).toBe("looping\n");
    // By then its thread is busy.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const pids = descendantsOf(agent.pid ?? 0);
    onTestFinished(() => {
      for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGKILL");
    });
    expect(pids.length).toBeGreaterThan(0);
    agent.kill("SIGKILL");
    await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
