/** What is kept of pages, and what of it is used. Time is faked where it matters; the file is a real one. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { RecordedFetch, WebClientOptions } from "../../../tools/net/index.ts";
import { codeOf, openTestClient, type Routes, type Site, serve, text } from "./loopback.ts";

const named = { purpose: "named by the user" } as const;

function cachePath(): string {
  const folder = mkdtempSync(join(tmpdir(), "chorale-cache-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "state/web-cache.sqlite");
}

/** Lets time pass for what is kept, not for connections. */
function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** Says how often it was asked, with the headers given. */
function counted(headers: Record<string, string>): RequestListener {
  let asked = 0;
  return (_, response) => response.writeHead(200, headers).end(`answer ${++asked}`);
}

async function opened(
  routes: Routes,
  options: Partial<WebClientOptions> = {},
): Promise<{ readonly site: Site; readonly path: string; get(path: string): Promise<string> }> {
  const site = await serve(routes);
  const path = cachePath();
  const client = openTestClient([site.port], { cache: { path }, ...options });
  const get = async (page: string): Promise<string> => {
    const { bytes, fromCache } = await client.get(site.at(page), named);
    return `${text(bytes)}${fromCache ? " (cache)" : ""}`;
  };
  return { site, path, get };
}

describe("a page that was fetched", () => {
  test.each([
    [{ "cache-control": "max-age=60" }, "answer 1 (cache)"],
    [{ "cache-control": "MAX-AGE=60" }, "answer 1 (cache)"],
    [{ "cache-control": "private, max-age=60" }, "answer 1 (cache)"],
    [{ expires: "Fri, 01 Jan 2100 00:00:00 GMT" }, "answer 1 (cache)"],
    [{ "cache-control": "max-age=60, No-Store" }, "answer 2"],
    [{ "cache-control": "no-cache" }, "answer 2"],
    [{ "cache-control": "max-age=0" }, "answer 2"],
    [{ "cache-control": "max-age=60", vary: "*" }, "answer 2"],
    [{ "cache-control": "max-age=60", age: "100" }, "answer 2"],
    [{ pragma: "no-cache" }, "answer 2"],
    [{ expires: "0" }, "answer 2"],
    [{}, "answer 2"],
  ])("with %j is, the second time, %s", async (headers, second) => {
    const { get } = await opened({ "/": counted(headers as Record<string, string>) });
    expect([await get("/"), await get("/")]).toEqual(["answer 1", second]);
  });

  test("is asked for again when its time is over", async () => {
    const { get } = await opened({ "/": counted({ "cache-control": "max-age=60" }) });
    await get("/");
    passTime(59_000);
    expect(await get("/")).toBe("answer 1 (cache)");
    passTime(2_000);
    expect(await get("/")).toBe("answer 2");
  });

  test.each([
    ["an ETag", { etag: '"v1"' }, "if-none-match", '"v1"'],
    ["a weak ETag", { etag: 'W/"v1"' }, "if-none-match", 'W/"v1"'],
    [
      "a date",
      { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", "cache-control": "max-age=0" },
      "if-modified-since",
      "Thu, 01 Jan 2026 00:00:00 GMT",
    ],
  ])("is confirmed by %s", async (_, headers, name, value) => {
    const given: unknown[] = [];
    const { get } = await opened({
      "/": (request, response) => {
        given.push(request.headers[name]);
        response.writeHead(request.headers[name] === value ? 304 : 200, headers);
        response.end("page");
      },
    });
    expect([await get("/"), await get("/")]).toEqual(["page", "page (cache)"]);
    expect(given).toEqual([undefined, value]);
  });

  test("and confirmed for some time is not asked for in that time", async () => {
    const { get, site } = await opened({
      "/": (request, response) => {
        const isKnown = request.headers["if-none-match"] === '"v1"';
        const time = isKnown ? "max-age=100" : "max-age=0";
        response
          .writeHead(isKnown ? 304 : 200, { etag: '"v1"', "cache-control": time })
          .end("page");
      },
    });
    for (let time = 0; time < 4; time++) expect(await get("/")).toMatch(/^page/);
    expect(site.asked.length).toBe(2);
  });

  test("is fetched anew where a 304 is about another one", async () => {
    const { get } = await opened({
      "/": (request, response) => {
        const isAsked = request.headers["if-none-match"] !== undefined;
        response.writeHead(isAsked ? 304 : 200, { etag: isAsked ? '"v2"' : '"v1"' }).end("page");
      },
    });
    expect([await get("/"), await get("/")]).toEqual(["page", "page"]);
  });

  test("replaces what was kept, and a new rule not to keep it removes it", async () => {
    let cacheControl = "max-age=1";
    const { get, path } = await opened({
      "/": (_, response) => response.writeHead(200, { "cache-control": cacheControl }).end("page"),
    });
    await get("/");
    passTime(5_000);
    cacheControl = "no-store";
    await get("/");
    const database = new DatabaseSync(path);
    expect(database.prepare("SELECT count(*) AS n FROM responses_v1").get()).toEqual({ n: 0 });
    database.close();
  });

  test("is kept for one way to ask for it, where its server tells them apart", async () => {
    const site = await serve({
      "/": ({ headers }, response) => {
        const kept = { vary: "accept", "cache-control": "max-age=60" };
        response.writeHead(200, kept).end(headers.accept);
      },
    });
    const client = openTestClient([site.port], { cache: { path: cachePath() } });
    const get = async (accept: string): Promise<string> =>
      text((await client.get(site.at("/"), { ...named, accept })).bytes);
    expect([await get("text/html"), await get("text/html")]).toEqual(["text/html", "text/html"]);
    expect([site.asked.length, await get("image/png")]).toEqual([1, "image/png"]);
  });

  test("with its redirects, each by its own rules", async () => {
    const { get, site } = await opened({
      "/old": (_, response) => response.writeHead(301, { location: "/new" }).end(),
      "/for-now": (_, response) => response.writeHead(302, { location: "/new" }).end(),
      "/new": counted({ "cache-control": "max-age=60" }),
    });
    expect(await get("/old")).toBe("answer 1");
    expect([await get("/old"), await get("/for-now")]).toEqual([
      "answer 1 (cache)",
      "answer 1 (cache)",
    ]);
    expect(site.asked.filter((path) => path === "/new").length).toBe(1);
  });

  test("with a key, with a body, or not found is not kept", async () => {
    const site = await serve({ "/": counted({ "cache-control": "max-age=60" }) });
    const client = openTestClient([site.port], { cache: { path: cachePath() } });
    const url = site.at("/");
    await client.get(url, { ...named, headers: { "x-key": "k" } });
    await client.post(url, "q", named);
    await client.get(site.at("/none"), named);
    await client.get(site.at("/none"), named);
    expect(text((await client.get(url, named)).bytes)).toBe("answer 3");
    expect(site.asked).toEqual(["/", "/", "/none", "/none", "/"]);
  });

  test("from the own network is shown only where that is allowed again", async () => {
    const site = await serve({ "/": counted({ "cache-control": "max-age=60" }) });
    const cache = { path: cachePath() };
    await openTestClient([site.port], { cache }).get(site.at("/"), named);
    const outside = openTestClient([], { cache });
    expect(await codeOf(outside.get(site.at("/"), named))).toBe("CHORALE_NET_ADDRESS");
    const offline = openTestClient([], { cache, isOffline: true });
    expect(await codeOf(offline.get(site.at("/"), named))).toBe("CHORALE_NET_OFFLINE");
  });
});

describe("the file", () => {
  const fresh = { "cache-control": "max-age=600" };

  test("never holds more than it may; what was used least lately goes", async () => {
    const page: RequestListener = (_, response) =>
      response.writeHead(200, fresh).end(Buffer.alloc(100_000));
    const paths = Array.from({ length: 30 }, (_, index) => `/${index}`);
    const site = await serve(Object.fromEntries(paths.map((path) => [path, page])));
    const path = cachePath();
    const client = openTestClient([site.port], { cache: { path, maxBytes: 1_000_000 } });
    for (const [index, page] of paths.entries()) {
      passTime(10);
      await client.get(site.at(page), named);
      if (index >= 5) expect((await client.get(site.at("/5"), named)).fromCache).toBe(true);
    }
    expect((await client.get(site.at("/29"), named)).fromCache).toBe(true);
    expect((await client.get(site.at("/0"), named)).fromCache).toBe(false);
    await client.close();
    expect(statSync(path).size).toBeLessThan(1_300_000);
  });

  test("keeps no page that would take much of it", async () => {
    const page: RequestListener = (_, response) =>
      response.writeHead(200, fresh).end(Buffer.alloc(200_000));
    const site = await serve({ "/": page });
    const cache = { path: cachePath(), maxBytes: 1_000_000 };
    const client = openTestClient([site.port], { cache });
    await client.get(site.at("/"), named);
    expect((await client.get(site.at("/"), named)).fromCache).toBe(false);
  });

  test("is for its user alone, and begun anew where it is broken", async () => {
    const site = await serve({ "/": counted(fresh) });
    const path = cachePath();
    const first = openTestClient([site.port], { cache: { path } });
    await first.get(site.at("/"), named);
    await first.close();
    if (process.platform !== "win32") expect(statSync(join(path, "..")).mode & 0o077).toBe(0);
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.alloc(whole.length, "no database "));
    const again = openTestClient([site.port], { cache: { path } });
    expect((await again.get(site.at("/"), named)).fromCache).toBe(false);
    expect((await again.get(site.at("/"), named)).fromCache).toBe(true);
  });

  test("that is held by another process, or cannot be made, costs the page nothing", async () => {
    const site = await serve({ "/": counted(fresh) });
    const path = cachePath();
    const client = openTestClient([site.port], { cache: { path } });
    await client.get(site.at("/"), named);
    const other = new DatabaseSync(path);
    other.exec("BEGIN EXCLUSIVE; DELETE FROM responses_v1");
    const page = await client.get(site.at("/"), named);
    other.exec("COMMIT");
    other.close();
    expect(text(page.bytes)).toMatch(/^answer \d$/);
    const warnings: string[] = [];
    const nowhere = openTestClient([site.port], {
      cache: { path: join(path, "inside-a-file/cache") },
      warn: (message) => warnings.push(message),
    });
    await nowhere.get(site.at("/"), named);
    await nowhere.get(site.at("/"), named);
    expect(warnings).toEqual([expect.stringMatching(/^Pages are not kept: .* cannot be opened/)]);
  });

  test("is shared by several clients", async () => {
    const pages = Array.from({ length: 20 }, (_, index) => `/${index}`);
    const site = await serve(Object.fromEntries(pages.map((page) => [page, counted(fresh)])));
    const cache = { path: cachePath() };
    const clients = [1, 2, 3].map(() => openTestClient([site.port], { cache }));
    await Promise.all(
      clients.flatMap((client) => pages.map((page) => client.get(site.at(page), named))),
    );
    const late = openTestClient([], {
      cache,
      isOffline: true,
      allowPrivateHosts: [`*.test:${site.port}`],
    });
    for (const page of pages) expect((await late.get(site.at(page), named)).status).toBe(200);
  });
});

test("two processes fill one file at once, and neither breaks it nor its bound", async () => {
  const path = cachePath();
  const module = JSON.stringify(new URL("../../../tools/net/web/cache-file.ts", import.meta.url));
  const program = (name: string): string => `
    const { CacheFile } = await import(${module});
    const file = new CacheFile(${JSON.stringify(path)}, 1_000_000);
    for (let page = 0; page < 100; page++) {
      file.put("http://${name}.test/" + page, { policy: "{}", status: 200, contentType: null, location: null,
        body: Buffer.alloc(20_000, "${name}"), fetchedAt: page, isPrivate: false });
    }
    file.close();`;
  const run = promisify(execFile);
  await Promise.all(
    ["a", "b"].map((name) =>
      run(process.execPath, ["--input-type=module", "--eval", program(name)]),
    ),
  );
  const database = new DatabaseSync(path);
  const { bytes, pages } = database
    .prepare("SELECT sum(bytes) AS bytes, count(*) AS pages FROM responses_v1")
    .get() as { readonly bytes: number; readonly pages: number };
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  expect(pages).toBeGreaterThan(40);
  expect(bytes).toBeLessThanOrEqual(1_000_000);
  const rows = database.prepare("SELECT url, body FROM responses_v1").all();
  for (const { url, body } of rows) {
    expect(Buffer.from(body as Uint8Array)).toEqual(Buffer.alloc(20_000, String(url).slice(7, 8)));
  }
  database.close();
});

describe("offline", () => {
  test("pages are those that were kept, however old", async () => {
    const site = await serve({ "/": counted({ "cache-control": "max-age=1" }) });
    const cache = { path: cachePath() };
    await openTestClient([site.port], { cache }).get(site.at("/"), named);
    passTime(1_000_000_000);
    const client = openTestClient([site.port], { cache, isOffline: true });
    const page = await client.get(site.at("/"), named);
    expect([text(page.bytes), page.fromCache]).toEqual(["answer 1", true]);
    expect((await client.get(site.at("/"), { purpose: "crawl" })).fromCache).toBe(true);
    await expect(client.get(site.at("/other"), named)).rejects.toThrow(
      `${site.at("/other")} was not requested: this run is offline, and neither the cache nor the thread holds the page.`,
    );
    expect(site.asked).toEqual(["/"]);
  });

  test("no name is resolved", async () => {
    let resolved = 0;
    const resolve = async (): Promise<string[]> => {
      resolved++;
      return [];
    };
    const client = openTestClient([], { isOffline: true, resolve });
    expect(await codeOf(client.get("http://site.test/", named))).toBe("CHORALE_NET_OFFLINE");
    expect(resolved).toBe(0);
  });
});

describe("a recording", () => {
  test("answers what was recorded, without a network", async () => {
    const site = await serve({
      "/": (_, response) => response.writeHead(302, { location: "/page" }).end(),
      "/page": (_, response) => response.setHeader("content-type", "text/plain").end("page"),
    });
    const kept = new Map<string, RecordedFetch>();
    const write = (key: string, fetched: RecordedFetch): void => void kept.set(key, fetched);
    const first = openTestClient([site.port], { recording: { read: () => undefined, write } });
    const live = await first.get(site.at("/#part"), { ...named, accept: "text/html" });
    await first.post(site.at("/page"), "body", named);
    expect([...kept.keys()]).toEqual([
      `GET ${site.at("/")} text/html`,
      expect.stringMatching(/^POST http:\/\/site\.test:\d+\/page \S+ [0-9a-f]{64}$/),
    ]);
    const replay = openTestClient([site.port], {
      isOffline: true,
      recording: { read: (key) => kept.get(key), write },
    });
    const again = await replay.get(site.at("/"), { ...named, accept: "text/html" });
    expect(again).toEqual({ ...live, fromCache: true });
    expect(await codeOf(replay.get(site.at("/page"), named))).toBe("CHORALE_NET_OFFLINE");
    expect(site.asked.length).toBe(3);
  });

  test("that was changed is not used", async () => {
    const found: RecordedFetch = {
      url: "http://site.test/",
      status: 200,
      contentType: null,
      bytes: Buffer.from("changed"),
      fetchedAt: "2026-01-01T00:00:00.000Z",
      sha256: "0".repeat(64),
    };
    const client = openTestClient([], { recording: { read: () => found, write: () => {} } });
    expect(await codeOf(client.get("http://site.test/", named))).toBe("CHORALE_NET_RECORDING");
  });

  test("does not make a refused URL an allowed one", async () => {
    const recording = { read: () => expect.unreachable(), write: () => {} };
    const client = openTestClient([], { recording, blockDomains: ["site.test"] });
    expect(await codeOf(client.get("http://site.test/", named))).toBe("CHORALE_NET_DOMAIN");
  });
});
