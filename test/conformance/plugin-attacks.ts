/** Runs hostile plugin code against canaries, behind both walls or one of them, and says what it reached. */
import { spawn } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { executeTool } from "../../tools/execute.ts";
import { loadPlugin, type Plugin, parseGrants, readManifest } from "../../tools/plugins/index.ts";
import { startPlugin } from "../../tools/plugins/plugin.ts";
import type { ToolResult } from "../../tools/tool.ts";
import type { Attack } from "../tools/plugin-attacks.ts";
import type { Walls } from "./attacks.ts";
import { type CaseResult, ConformanceInputError } from "./case-result.ts";

const CANARY = "canary-5f2a91";
const VARIABLE = "CHORALE_CANARY";
const CALL_MS = 5000;
/** Two seconds to end a call and some to start the process again, on a machine with other work. */
const ANSWER_WITHIN_MS = 60_000;

/**
 * @param paths  modules that export lists of attacks, like `test/tools/plugin-attacks.ts`
 * @throws ConformanceInputError
 */
export async function* runPluginAttacks(
  paths: readonly string[],
  walls: Walls,
): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    const lists: unknown[] = Object.values(await import(pathToFileURL(path).href));
    const attacks = lists.flat().filter(isAttack);
    if (attacks.length === 0) throw new ConformanceInputError(`${path} exports no attacks.`);
    const range = await openRange(attacks, walls);
    try {
      for (const attack of attacks) yield await range.run(attack);
    } finally {
      await range.close();
    }
  }
}

function isAttack(value: unknown): value is Attack {
  const { name, code } = (value ?? {}) as Partial<Attack>;
  return typeof name === "string" && typeof code === "string";
}

type Range = { run(attack: Attack): Promise<CaseResult>; close(): Promise<void> };

async function openRange(attacks: readonly Attack[], walls: Walls): Promise<Range> {
  const root = mkdtempSync(join(tmpdir(), "chorale-range-"));
  const inside = join(root, "inside");
  mkdirSync(inside);
  const secret = join(root, "secret.txt");
  writeFileSync(secret, CANARY);
  writeFileSync(join(inside, "own.txt"), "own");
  symlinkSync(secret, join(inside, "link.txt"));
  symlinkSync(root, join(inside, "up"));
  linkSync(secret, join(inside, "second.txt"));
  process.env[VARIABLE] = CANARY;

  let victimRequests = 0;
  const victim = await listen((_path, answer) => {
    victimRequests++;
    answer(200, {}, CANARY);
  });
  const good: { readonly server: Server; readonly port: number } = await listen((path, answer) => {
    const location = {
      "/redirect": victimUrl,
      "/redirect-inside": `http://inner.test:${good.port}/`,
      "/loop": "/loop",
    }[path];
    if (location !== undefined) answer(302, { location }, "");
    else answer(200, { connection: "close" }, path === "/large" ? "x".repeat(3_000_000) : "good");
  });
  const victimUrl = `http://127.0.0.1:${victim.port}/`;
  const input = { secret, inside, victim: victimUrl, good: `http://good.test:${good.port}` };
  const isolation = walls === "process" ? "process" : "isolate";
  let logged = "";
  let rebinds = 0;
  const attacker: Plugin = await startPlugin(
    await readManifest(plugin(root, "attacker", [...attacks, LATER], isolation), root),
    {
      folder: root,
      grant: parseGrants([
        `net:*.test:${good.port}`,
        `fs:read:${inside}`,
        `fs:write:${inside}`,
        "env:GRANTED",
        "tools:functions.attack",
        "process",
      ]),
      env: { GRANTED: "granted", CANARY },
      net: {
        resolve: async (name) =>
          name === "rebind.test"
            ? [rebinds++ === 0 ? "127.0.0.1" : "169.254.169.254"]
            : name === "good.test"
              ? ["127.0.0.1"]
              : ["10.0.0.1"],
        allowAddress: (address) => address === "127.0.0.1",
      },
      tools: () => attacker.tools,
      onLog: (text) => {
        logged += text;
      },
      ...(walls === "isolate" && { adaptLaunch: bareProcess }),
    },
  );
  const neighbour = await loadPlugin(plugin(root, "neighbour", [PING], "isolate"));
  const listing = (): string => readdirSync(root).sort().join();
  const before = listing();

  const call = (from: Plugin, attack: string): Promise<ToolResult | null> => {
    const [tool] = from.tools;
    if (tool === undefined) return Promise.resolve(null);
    return Promise.race([
      executeTool(
        { ...tool, timeoutMs: ANSWER_WITHIN_MS },
        JSON.stringify({ ...input, attack }),
        CONTEXT,
      ),
      new Promise<null>((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS, null).unref()),
    ]);
  };

  return {
    async run({ name }) {
      logged = "";
      victimRequests = 0;
      const startedAt = performance.now();
      const result = await call(attacker, name);
      const ms = Math.round(performance.now() - startedAt);
      const later = await call(attacker, LATER.name);
      const said = `${JSON.stringify([result, later])}${logged}`;
      const reached = Object.entries({
        LEAK: said.includes(CANARY),
        WRITE: listing() !== before || readFileSync(secret, "utf8") !== CANARY,
        NET: victimRequests > 0,
        POLLUTED:
          Object.keys(Object.prototype).length > 0 ||
          ({} as { polluted?: unknown }).polluted !== undefined,
        LATER: later?.text !== undefined && /^ran/.test(later.text),
        NEIGHBOUR: (await call(neighbour, PING.name))?.text !== "pong",
        HANG: result === null,
        // Alone, the isolate would have been in the agent's own process.
        CRASH: walls === "isolate" && /ended by SIG/.test(result?.text ?? ""),
      }).flatMap(([what, is]) => (is ? [what] : []));
      const got = { reached, text: result?.text.slice(0, 200), ms };
      return { id: name, pass: reached.length === 0, got, expected: "contained" };
    },
    async close() {
      await Promise.allSettled([attacker.close(), neighbour.close()]);
      for (const { server } of [victim, good]) {
        server.closeAllConnections();
        server.close();
      }
      delete process.env[VARIABLE];
      rmSync(root, { recursive: true, force: true });
    },
  };
}

const CONTEXT = {
  signal: new AbortController().signal,
  callId: "call_1",
  countTokens: (text: string): number => text.length,
  resultTokenLimit: 10_000_000,
};

const PING: Attack = { name: "ping", code: `return "pong";`, ends: /pong/ };
const LATER: Attack = {
  name: "later",
  code: "return String(globalThis.later);",
  ends: /undefined/,
};

/** A plugin with one tool, which does what its input names. */
function plugin(
  root: string,
  name: string,
  attacks: readonly Attack[],
  isolation: "isolate" | "process",
): string {
  const folder = join(root, name);
  mkdirSync(folder);
  const chorale = {
    entry: "./index.js",
    isolation,
    permissions: { net: ["*"], fs: { read: ["*"], write: ["*"] }, tools: ["*"], env: ["*"] },
    limits: { timeoutMs: CALL_MS, cpuMs: 400, memoryMb: 32 },
  };
  const manifest = { name, version: "1.0.0", type: "module", chorale };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const bodies = attacks.map(({ name, code }) => `async ${name}(input, c) { ${code} }`);
  writeFileSync(
    join(folder, "index.js"),
    `import { defineTool } from "chorale/plugin";
     const attacks = { ${bodies.join(",\n")} };
     export default defineTool({
       name: "${name === "attacker" ? "attack" : name}", description: "", inputSchema: true,
       execute: (input, c) => attacks[input.attack](input, c),
     });`,
  );
  return folder;
}

/** No permissions, no limits, the agent's environment: as if it were the agent's process. */
const bareProcess: NonNullable<Parameters<typeof startPlugin>[1]["adaptLaunch"]> = (options) => ({
  ...options,
  start: ({ entry, setup }) =>
    spawn(
      process.execPath,
      [
        "--no-node-snapshot",
        "--no-warnings",
        fileURLToPath(entry),
        JSON.stringify({ residentBytes: 2500 * 1024 * 1024, setup }),
      ],
      { stdio: ["pipe", "pipe", "pipe"] },
    ),
});

type Answer = (status: number, headers: Record<string, string>, body: string) => void;

async function listen(
  onRequest: (path: string, answer: Answer) => void,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((request, response) => {
    onRequest(request.url ?? "", (status, headers, body) => {
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { server, port: (server.address() as AddressInfo).port };
}
