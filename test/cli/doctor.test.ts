import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allSettings } from "../../runtime/cli/command/walk.ts";
import { COMMANDS } from "../../runtime/cli/commands.ts";
import type { Check } from "../../runtime/cli/doctor/check.ts";
import { configurationChecks } from "../../runtime/cli/doctor/configuration.ts";
import { nodeCheck } from "../../runtime/cli/doctor/machine.ts";
import { policyChecks } from "../../runtime/cli/doctor/policy.ts";
import { sandboxChecks } from "../../runtime/cli/doctor/sandbox.ts";
import { serverChecks } from "../../runtime/cli/doctor/servers.ts";
import { stateChecks } from "../../runtime/cli/doctor/state.ts";
import { type TerminalFacts, terminalCheck } from "../../runtime/cli/doctor/terminal.ts";
import type { OsSandbox, SandboxLayer } from "../../tools/isolate/index.ts";
import { chorale } from "./chorale.ts";

const settings = () => allSettings(COMMANDS);
let home = "";
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "chorale-doctor-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("says what there is, as a document", async () => {
  const { code, stdout } = await chorale(["doctor", "--json"], { home });
  const { healthy, checks, sandbox } = JSON.parse(stdout);
  const names = checks.map(({ name }: Check) => name);
  expect(names).toEqual(expect.arrayContaining(["node", "kernels", "threads", "memory"]));
  expect(names).toEqual(
    expect.arrayContaining(["state folder", "python snapshot", "python packages"]),
  );
  expect(names).toEqual(
    expect.arrayContaining(
      ["isolate", "network", "unix sockets", "signals"].map((name) => `sandbox: ${name}`),
    ),
  );
  const { layers, osSandbox } = sandbox;
  expect(layers.every((layer: SandboxLayer) => typeof layer.enforced === "boolean")).toBe(true);
  const byKind = {
    bubblewrap: [],
    namespaces: [],
    "network-namespace": ["unix sockets"],
    limits: ["network", "unix sockets", "signals"],
    none: ["network", "unix sockets", "signals"],
  };
  const open = layers.filter(({ enforced }: SandboxLayer) => !enforced);
  expect(open.map(({ name }: SandboxLayer) => name)).toEqual(byKind[osSandbox as OsSandbox]);
  expect(healthy).toBe(checks.every(({ status }: Check) => status !== "problem"));
  expect(code).toBe(healthy ? 0 : 1);
  expect(healthy || !sandbox.available).toBe(true);
  const named = (name: string) => checks.find((check: Check) => check.name === name);
  const computes = expect.stringMatching(/was loaded and has computed/);
  expect(named("model")).toMatchObject({ status: "ok", detail: computes });
  expect(named("python")).toMatchObject({
    detail: expect.stringMatching(/computes in the sandbox|does not run/),
  });
  expect(named("conversations").detail).toMatch(/^SQLite 3\./);
});

test("what cannot be used is a problem with a way out, and the other checks go on", async () => {
  const config = join(home, "broken.json");
  writeFileSync(config, '{"threads": "x", "color": ["a"], "profile": "none"}');
  const env = { CHORALE_CONFIG: config };
  const { code, stdout } = await chorale(["doctor", "--model", "/nope"], {
    home: "/proc/nowhere",
    env,
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^problem +state folder +The state folder \/proc\/nowhere cannot be used.*\n +-> Set CHORALE_HOME/m,
  );
  expect(stdout).toMatch(/^problem +model +Cannot open the model \/nope/m);
  expect(stdout).toMatch(/^ +-> chorale config get model/m);
  expect(stdout).toMatch(/^problem +configuration +profile in .*broken\.json is "none"/m);
  expect(stdout).toMatch(/^ok +terminal/m);
});

test("an old Node is a problem; a layer that is not needed is not", () => {
  expect(nodeCheck("22.3.0").status).toBe("problem");
  expect(nodeCheck("24.0.0").status).toBe("ok");
  const layer = (name: string, enforced: boolean) => ({ name, enforced, detail: "Said." });
  const layers = [layer("isolate", false), layer("network", false), layer("writing", true)];
  expect(
    sandboxChecks({ available: false, isolatedVm: null, osSandbox: "limits", layers }),
  ).toMatchObject([
    { name: "sandbox: isolate", status: "problem", mend: expect.stringContaining("npm install") },
    { name: "sandbox: network", status: "note", mend: expect.any(String) },
    { name: "sandbox: writing", status: "ok" },
  ]);
});

test("policies and servers of MCP: what is there, and what is wrong with it", async () => {
  const folder = join(home, "config", "chorale");
  const env = { XDG_CONFIG_HOME: join(home, "config"), PATH: process.env["PATH"] };
  expect(await policyChecks(env)).toMatchObject([{ name: "policy", status: "ok" }]);
  expect(serverChecks(env)).toMatchObject([
    { status: "ok", detail: expect.stringMatching(/^None are configured/) },
  ]);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "policy.json"), '{"rules": 5}');
  expect(await policyChecks(env)).toMatchObject([{ name: "policy", status: "problem" }]);
  const servers = { good: { command: process.execPath }, gone: { command: "no-such-program-1" } };
  writeFileSync(join(folder, "mcp.json"), JSON.stringify({ mcpServers: servers }));
  expect(serverChecks(env)).toMatchObject([
    {
      name: "mcp servers: gone",
      status: "problem",
      mend: expect.stringContaining("chorale mcp remove gone"),
    },
  ]);
  writeFileSync(join(folder, "mcp.json"), '{"mcpServers": 5}');
  expect(serverChecks(env)).toMatchObject([{ name: "mcp servers", status: "problem" }]);
});

test("a damaged file of conversations", async () => {
  const folder = join(home, "damaged");
  mkdirSync(folder);
  writeFileSync(join(folder, "threads.sqlite"), "SQLite format 3\0".padEnd(4096, "x"));
  const [, threads] = await stateChecks({ CHORALE_HOME: folder });
  expect(threads).toMatchObject({
    name: "conversations",
    status: "problem",
    mend: expect.stringContaining("Move it away"),
  });
});

test("a configuration: every value that is none, also of profiles that are not in use", async () => {
  const path = join(home, "bad.json");
  const check = (config: unknown, env: NodeJS.ProcessEnv = {}) => {
    writeFileSync(path, JSON.stringify(config));
    return settings().then((known) => configurationChecks(known, { CHORALE_CONFIG: path, ...env }));
  };
  expect(await check({ model: "m", profiles: { a: { effort: "low" } } })).toMatchObject([
    { status: "ok", detail: expect.stringMatching(/is valid; profiles: a\.$/) },
  ]);
  const bad = await check(
    { threads: "x", profiles: { a: { effort: "lo" } } },
    { CHORALE_SEED: "y" },
  );
  expect(bad.map(({ status, detail }) => [status, detail.replace(path, "FILE")])).toEqual([
    ["problem", 'threads in FILE is "x"; accepted: a number from 1 to 1024.'],
    ["problem", 'CHORALE_SEED is "y"; accepted: a number from 0 to 4294967295.'],
    ["problem", 'effort in the profile a of FILE is "lo"; accepted: low, medium, high.'],
  ]);
  expect(await check({ efort: 1 })).toMatchObject([
    { detail: expect.stringMatching(/did you mean effort/) },
  ]);
});

test.each<[string, Partial<TerminalFacts>, Partial<Check>]>([
  ["a pipe", { isTerminal: false }, { status: "ok", detail: expect.stringContaining("none here") }],
  ["a good one", {}, { status: "ok", detail: "xterm, 80 by 24, with colour." }],
  [
    "no colour",
    { env: { TERM: "xterm", LANG: "C.UTF-8", NO_COLOR: "1" } },
    { status: "ok", detail: "xterm, 80 by 24, without colour." },
  ],
  [
    "a dumb one",
    { env: { TERM: "dumb", LANG: "C.UTF-8" } },
    { status: "note", mend: expect.stringContaining("Set TERM") },
  ],
  [
    "a locale without UTF-8",
    { env: { TERM: "xterm", LANG: "C" } },
    { status: "note", mend: expect.stringContaining("Set LANG") },
  ],
  ["a narrow one", { columns: 20 }, { status: "note", mend: expect.stringContaining("columns") }],
])("the terminal: %s", (_what, facts, check) => {
  const good = { isTerminal: true, columns: 80, rows: 24, env: { TERM: "xterm", LANG: "C.UTF-8" } };
  expect(terminalCheck({ ...good, ...facts })).toMatchObject(check);
});
