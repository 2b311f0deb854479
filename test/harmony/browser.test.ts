/** Harmony outside of Node: in a real browser where one is installed, and in a context without Node. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import * as harmony from "../../harmony/index.ts";
import { portableScenario } from "./portable-scenario.ts";

const root = new URL("../../", import.meta.url);
const VOCABULARY = "harmony/vocabulary/o200k.bin";
const LIMIT_MS = 120_000;

/** What Node says, through JSON as the others' answers come. */
function expected(): unknown {
  const packed = readFileSync(new URL(VOCABULARY, root));
  return JSON.parse(JSON.stringify(portableScenario(harmony, packed)));
}

/** `$CHORALE_TEST_BROWSER`, else the first Chromium in the path. */
function findBrowser(): string | undefined {
  const named = process.env["CHORALE_TEST_BROWSER"];
  if (named !== undefined && named !== "") return named;
  const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((file) => existsSync(file));
}

const PAGE = `<!doctype html><meta charset="utf-8"><script type="module">
  const say = (body) => fetch("/answer", { method: "POST", body: JSON.stringify(body) });
  try {
    const harmony = await import("/harmony/index.ts");
    const { portableScenario } = await import("/test/harmony/portable-scenario.ts");
    const response = await fetch("/${VOCABULARY}");
    const packed = new Uint8Array(await response.arrayBuffer());
    const globals = ["process", "Buffer", "require"].filter((name) => name in globalThis);
    await say({ result: portableScenario(harmony, packed), globals, agent: navigator.userAgent });
  } catch (error) {
    await say({ error: String(error?.stack ?? error) });
  }
</script>`;

/** Serves Harmony's modules as a browser reads them: JavaScript, one file each. */
function serve(onAnswer: (body: string) => void): Server {
  return createServer((request, response) => {
    const path = (request.url ?? "/").slice(1);
    if (path === "answer") {
      void bodyOf(request).then((body) => {
        response.end();
        onAnswer(body);
      });
    } else if (path === "") {
      response.setHeader("content-type", "text/html").end(PAGE);
    } else if (path === VOCABULARY) {
      response.end(readFileSync(new URL(path, root)));
    } else if (/^(harmony\/(?:[\w-]+\/)*[\w-]+|test\/harmony\/portable-scenario)\.ts$/.test(path)) {
      const code = stripTypeScriptTypes(readFileSync(new URL(path, root), "utf8"));
      response.setHeader("content-type", "text/javascript").end(code);
    } else {
      response.writeHead(404).end();
    }
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return body;
}

type Answer = { result?: unknown; globals?: string[]; agent?: string; error?: string };

async function inBrowser(browser: string): Promise<Answer> {
  const profile = mkdtempSync(join(tmpdir(), "browser-test-"));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const server = serve(resolve).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const flags = ["--headless", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`];
  // Chromium's own sandbox refuses root, which tests in containers are; the page is ours.
  if (process.getuid?.() === 0) flags.push("--no-sandbox");
  const child = spawn(browser, [...flags, `http://127.0.0.1:${port}/`], {
    stdio: "ignore",
    detached: true,
  });
  const ended = once(child, "close");
  child.on("error", reject);
  child.on("close", (code) =>
    reject(new Error(`${browser} ended with ${code} before it answered`)),
  );
  try {
    return JSON.parse(await promise) as Answer;
  } finally {
    // With its helpers, which are in its process group.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await ended.catch(() => {});
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

test("a browser gives what Node gives", { timeout: LIMIT_MS }, async ({ skip }) => {
  const browser = findBrowser();
  if (browser === undefined) {
    return skip("no Chromium in the path, and CHORALE_TEST_BROWSER is not set");
  }
  const { error, globals, agent, result } = await inBrowser(browser);
  expect(error).toBeUndefined();
  expect(globals).toEqual([]);
  expect(agent).toContain("Chrome");
  expect(result).toEqual(expected());
});

test("so does an engine with nothing but the language and two text codecs", {
  timeout: LIMIT_MS,
}, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--experimental-vm-modules",
      "--no-warnings",
      fileURLToPath(new URL("run-in-context.ts", import.meta.url)),
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  expect(JSON.parse(stdout)).toEqual(expected());
});
