/** Hostile plugins without an isolate: what their process, and what is around it, keeps them from. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { ToolResult } from "../../tools/core/tool.ts";
import { descendantsOf, findIsolatedVm, findOsSandbox } from "../../tools/isolate/index.ts";
import { loadPlugin, type Plugin, parseGrants } from "../../tools/plugins/index.ts";
import { callAttack, toolOf, writePlugin } from "../fixtures/plugin-range.ts";

vi.setConfig({ testTimeout: 120_000 });

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chorale-process-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Code = Readonly<Record<string, string>>;
const PROCESS = { entry: "./index.js", isolation: "process" } as const;

async function load(
  name: string,
  code: Code,
  more: object = {},
  grants: readonly string[] = [],
): Promise<Plugin> {
  const tool = toolOf(Object.entries(code).map(([name, code]) => ({ name, code, ends: /./ })));
  const plugin = await loadPlugin(writePlugin(root, name, tool, { ...PROCESS, ...more }), {
    grant: parseGrants(["process", ...grants]),
    folder: root,
  });
  onTestFinished(() => plugin.close());
  return plugin;
}

function call(plugin: Plugin, attack: string, more: object = {}): Promise<ToolResult> {
  return callAttack(plugin, attack, more as never, 30_000);
}

describe("native code", () => {
  const marker = (): string => join(root, "native-code-ran");

  /** A native file that leaves the marker, where there is a compiler; else one that only loads. */
  function nativeFile(folder: string): void {
    const path = join(folder, "native.node");
    const source = join(root, "native.c");
    writeFileSync(
      source,
      `#include <stdio.h>
       __attribute__((constructor)) static void run(void) {
         FILE *file = fopen(${JSON.stringify(marker())}, "w");
         if (file) fclose(file);
       }`,
    );
    const { status } = spawnSync("gcc", ["-shared", "-fPIC", "-o", path, source]);
    if (status !== 0) copyFileSync(findIsolatedVm().path ?? "", path);
  }

  test("is refused when the plugin loads it, and why is said", async () => {
    const folder = writePlugin(
      root,
      "native-at-start",
      `import { createRequire } from "node:module"; createRequire(import.meta.url)("./native.node");`,
      PROCESS,
    );
    nativeFile(folder);
    await expect(loadPlugin(folder, { grant: parseGrants(["process"]) })).rejects.toThrow(
      /native-at-start does not load: it loads a native file, which no plugin may: .*ERR_DLOPEN|addon/,
    );
    expect(existsSync(marker())).toBe(false);
  });

  test("is refused in a call, by each way there is", async () => {
    const plugin = await load("native-later", {
      require: `return (await import("node:module")).createRequire(import.meta.url)("./native.node");`,
      dlopen: `process.dlopen({ exports: {} }, import.meta.dirname + "/native.node");`,
      engine: `(await import("node:crypto")).setEngine(import.meta.dirname + "/native.node");`,
    });
    nativeFile(plugin.manifest.folder);
    for (const way of ["require", "dlopen", "engine"]) {
      const { status, text } = await call(plugin, way);
      expect
        .soft([way, status, text])
        .toEqual([way, "failed", expect.stringMatching(/addon|engine/i)]);
    }
    expect(existsSync(marker())).toBe(false);
  });
});

test("databases of the user are out of reach, though Node's permission model has no word for them", async () => {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const path = join(root, "private.db");
  const database = new DatabaseSync(path);
  database.exec("create table secrets (text); insert into secrets values ('canary-5f2a91')");
  database.close();
  const read = `.prepare("select text from secrets").get().text;`;
  const plugin = await load("database", {
    open: `return new (await import("node:sqlite")).DatabaseSync(input.path)${read}`,
    builtin: `return new (process.getBuiltinModule("node:sqlite").DatabaseSync)(input.path)${read}`,
    make: `new (await import("node:sqlite")).DatabaseSync(input.made).exec("create table t (a)");`,
  });
  const made = join(root, "made.db");
  for (const way of ["open", "builtin", "make"]) {
    const { status, text } = await call(plugin, way, { path, made });
    expect.soft([way, status]).toEqual([way, "failed"]);
    expect.soft(text).not.toContain("canary");
  }
  expect(existsSync(made)).toBe(false);
});

test.runIf(process.platform === "linux")(
  "Unix sockets are out of reach where the system separates the file system",
  async () => {
    const path = join(root, "s");
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.end("canary");
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    const plugin = await load("unix-socket", {
      connect: `const { connect } = await import("node:net");
        return await new Promise((done) => {
          connect(input.path).on("data", (data) => done("read " + data)).on("error", (error) => done("refused " + error.code));
        });`,
    });
    const { text } = await call(plugin, "connect", { path });
    const osSandbox = findOsSandbox();
    const isSeparate = osSandbox === "bubblewrap" || osSandbox === "namespaces";
    expect([text, connections]).toEqual(isSeparate ? ["refused ENOENT", 0] : ["read canary", 1]);
  },
);

describe.runIf(process.platform !== "win32")("after its call", () => {
  test("it computes nothing, and goes on with the next call", async () => {
    const plugin = await load("busy", {
      begin: `globalThis.rounds = 0;
        setInterval(() => { for (const end = Date.now() + 40; Date.now() < end; ); globalThis.rounds++; }, 1);
        return "begun";`,
      rounds: `return globalThis.rounds;`,
    });
    expect((await call(plugin, "begin")).text).toBe("begun");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = Number((await call(plugin, "rounds")).text);
    const cpuBefore = cpuTicks();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const cpuUsed = cpuTicks() - cpuBefore;
    const after = Number((await call(plugin, "rounds")).text);
    // A round, or two, around each of the calls; in the time between there would be 37.
    expect(after - before).toBeLessThan(6);
    expect(cpuUsed).toBeLessThan(20);
  });

  /** Hundredths of a second that all processes below this one have computed; 0 where there is no /proc. */
  function cpuTicks(): number {
    const ticks = descendantsOf(process.pid).map((pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(fields[11]) + Number(fields[12]);
    });
    return ticks.reduce((sum, one) => sum + one, 0);
  }
});

const FRAME = `const frame = (message) => {
  const payload = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(5);
  head.writeUInt32LE(payload.length, 0);
  process.stdout.write(Buffer.concat([head, payload]));
};
const guest = (kind, id, text) => frame({ type: "guest", kind, id, text });`;

test("answers that it does not read do not pile up in the agent", { retry: 2 }, async () => {
  const text = join(root, "large.txt");
  writeFileSync(text, "x".repeat(500_000));
  const plugin = await load(
    `hoarder-${randomUUID()}`,
    {
      hoard: `${FRAME}
        process.stdin.pause();
        for (let id = 1e6; id < 1e6 + 2000; id++) {
          guest("request", id, JSON.stringify(["fs.readBase64", input.text]));
          // Few at a time: it is not the bound on open requests that is to end it.
          if (id % 8 === 0) await new Promise((done) => setTimeout(done, 150));
        }`,
    },
    { permissions: { fs: { read: ["*"] } }, limits: { hostCalls: 10_000 } },
    [`fs:read:${root}`],
  );
  const { text: result } = await call(plugin, "hoard", { text });
  expect(result).toMatch(/it left more than 64 MiB unread of what was sent to it/);
});

test("a log that goes past its bound ends the process", async () => {
  const logged: string[] = [];
  const code = `${FRAME}
    for (let i = 0; i < 1000; i++) guest("log", 0, "x".repeat(10_000));
    await new Promise((done) => setTimeout(done, 5000));`;
  const folder = writePlugin(root, "talker", toolOf([{ name: "talk", code, ends: /./ }]), PROCESS);
  const plugin = await loadPlugin(folder, {
    grant: parseGrants(["process"]),
    onLog: (text) => logged.push(text),
  });
  onTestFinished(() => plugin.close());
  expect((await call(plugin, "talk")).text).toMatch(/it sent more log than one call may/);
  expect(logged.join("").length).toBeLessThanOrEqual(64 * 1024);
});

test.runIf(process.platform === "linux")(
  "a folder that reads as a pattern opens no other",
  async () => {
    mkdirSync(join(root, "starred"));
    writeFileSync(join(root, "starred", "secret.txt"), "canary-5f2a91");
    const code = `return (await import("node:fs")).readFileSync(import.meta.dirname + "/../starred/secret.txt", "utf8");`;
    const tool = toolOf([{ name: "read", code, ends: /./ }]);
    const folder = join(root, "star*");
    renameSync(writePlugin(root, "star", tool, PROCESS), folder);
    await expect(loadPlugin(folder, { grant: parseGrants(["process"]) })).rejects.toThrow(
      /takes the \* in it for a wildcard/,
    );
  },
);

test.runIf(process.platform === "linux")(
  "a manifest or a module that is a pipe is refused at once",
  async () => {
    const pipe = (path: string): void => void execFileSync("mkfifo", [path]);
    mkdirSync(join(root, "piped"));
    pipe(join(root, "piped", "package.json"));
    await expect(loadPlugin(join(root, "piped"))).rejects.toThrow(/package.json is a pipe/);
    const folder = writePlugin(root, "piped-module", `import "./other.js";`, {
      entry: "./index.js",
    });
    pipe(join(folder, "other.js"));
    await expect(loadPlugin(folder)).rejects.toThrow(/other.js is no file that can be read/);
  },
);
