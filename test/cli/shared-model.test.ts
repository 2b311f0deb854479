/** Commands that use the model of a running server: two real processes and a real socket. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoModelPath } from "../../inference/index.ts";
import { type ChoraleOptions, chorale, eventsOf, launcher, type Ran } from "./chorale.ts";

let root: string;
let home: string;
let env: NodeJS.ProcessEnv;
const servers: ChildProcess[] = [];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "shared-test-"));
  home = join(root, "home");
  const runtime = join(root, "run");
  for (const folder of [home, runtime]) mkdirSync(folder, { mode: 0o700 });
  env = { CHORALE_HOME: home, XDG_RUNTIME_DIR: runtime };
});

afterAll(() => {
  for (const server of servers) server.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

/** Serves until the test ends it. */
async function serve(...args: string[]): Promise<ChildProcess> {
  const server = spawn(process.execPath, [launcher, "serve", "--listen", "127.0.0.1:0", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  servers.push(server);
  let told = "";
  await new Promise<void>((ready, failed) => {
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      if (told.includes("serving")) ready();
    });
    server.on("exit", () => failed(new Error(told)));
  });
  return server;
}

async function end(server: ChildProcess): Promise<void> {
  const exited = new Promise((done) => server.on("exit", done));
  server.kill("SIGTERM");
  await exited;
}

const run = (args: readonly string[], options: Partial<ChoraleOptions> = {}): Promise<Ran> =>
  chorale(["run", ...args], { home, env, ...options });

/** What of a run is the same wherever the model is. */
function contentOf({ stdout }: Ran): unknown[] {
  const found: unknown[] = [];
  for (const event of eventsOf(stdout)) {
    if (event.type === "item.completed") found.push({ ...event.item, id: null });
    if (event.type === "run.completed") found.push(event.output, event.status);
  }
  return found;
}

describe("with the embedded model", () => {
  let server: ChildProcess;
  beforeAll(async () => {
    server = await serve();
  }, 60_000);
  afterAll(() => end(server));

  test.each([
    ["a question with a tool", ["What is 12 * 34?"]],
    [
      "constrained output",
      [
        "--schema",
        '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}',
        "Extract the city as JSON: The office in Oslo is closed.",
      ],
    ],
  ])(
    "%s has the answer that it has without a server",
    async (_name, args) => {
      const flags = ["--json", "--seed", "5", "--ephemeral", ...args];
      const shared = await run(flags);
      expect(shared.stderr).toContain("The server at http://127.0.0.1:");
      const own = await run([...flags, "--no-server"]);
      expect(own.stderr).not.toContain("The server at");
      expect(contentOf(shared)).toEqual(contentOf(own));
      expect(shared.code).toBe(0);
    },
    60_000,
  );

  test("a second command computes only what is new", async () => {
    const cached = async (): Promise<number> => {
      const { stdout } = await run(["--json", "--ephemeral", "Spell hello backwards."]);
      const first = eventsOf(stdout).find((event) => event.type === "generation.completed");
      return first?.type === "generation.completed" ? first.cached_input_tokens : -1;
    };
    await cached();
    expect(await cached()).toBeGreaterThan(400);
  }, 60_000);

  test("flags that say how the model computes are for the command's own process", async () => {
    const { stderr, code } = await run(["--threads", "1", "--ephemeral", "Hello!"]);
    expect(stderr).not.toContain("The server at");
    expect(code).toBe(0);
  }, 60_000);
});

test("a model that the server was started with by its folder", async () => {
  const folder = join(root, "own");
  cpSync(demoModelPath, folder, { recursive: true, filter: (path) => !path.endsWith("train") });
  const server = await serve("--model", folder);
  // The same folder by another path; exact, as the embedded model computes, is the command's own way.
  const ran = await run(["--model", join(folder, "..", "own"), "--ephemeral", "What is 2 + 3?"]);
  expect(ran.stderr).toContain("The server at http://127.0.0.1:");
  expect(ran.stderr).not.toContain("is not used");
  expect(ran.code).toBe(0);
  await end(server);
}, 60_000);

test("a server that is killed in the middle fails the turn, which can be gone on with", async () => {
  const server = await serve();
  const first = await run(["--json", "What is 12 * 34?"], {
    whileRunning: (child) => {
      child.stdout?.on("data", (piece) => {
        if (String(piece).includes("item.delta")) server.kill("SIGKILL");
      });
    },
  });
  expect(first.code).toBe(6);
  expect(eventsOf(first.stdout).at(-1)).toMatchObject({ type: "run.completed", status: "failed" });
  const next = await run(["--continue", "What is 7 * 8?"]);
  expect(next.stderr).not.toContain("The server at");
  expect(next.code).toBe(0);
}, 90_000);
