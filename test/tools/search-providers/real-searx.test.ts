/**
 * A real server of the SearXNG family on loopback: Debian's searx, offline, with an engine over an SQLite file.
 * `.ci/run` installs it where it can.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { searxng } from "../../../tools/browser/backends/providers/searxng.ts";
import { createBrowserTools, type SearchProvider } from "../../../tools/index.ts";
import { inProcess } from "../../cli/in-process.ts";
import { callBrowser } from "../browser-support.ts";
import { serve } from "../web/loopback.ts";
import { openClient, serveSearch } from "./service.ts";

const program = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "searx-run"))
  .find((path) => existsSync(path));

const PAGES = [
  ["http://site.test/lamp", "The lamp of the tide", "The lamp was lit in 1868."],
  ["http://site.test/lens?a=1&b=2", "Lens & light", "A lens, ground & polished: a lamp's eye."],
  ["http://site.test/boat", "Boats", "The pilot boat Freja."],
] as const;

const settings = (port: number, database: string): string => `
general: { debug: false, instance_name: test }
search: { safe_search: 0, autocomplete: "", default_lang: "en" }
server:
  port: ${port}
  bind_address: "127.0.0.1"
  secret_key: "of this test"
  base_url: false
  image_proxy: false
  method: "GET"
ui:
  static_path: "/usr/share/python3-searx/static"
  templates_path: "/usr/share/python3-searx/templates"
  default_theme: simple
  default_locale: "en"
outgoing: { request_timeout: 2.0 }
engines:
  - name: pages
    engine: sqlite
    shortcut: p
    categories: general
    database: ${JSON.stringify(database)}
    result_template: default.html
    query_str: "SELECT url, title, content FROM pages WHERE title || ' ' || content LIKE '%' || :query || '%'"
locales: { en: English }
doi_resolvers: { oadoi.org: "https://oadoi.org/" }
default_doi_resolver: oadoi.org
`;

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

describe.skipIf(program === undefined)(
  `searx${program === undefined ? " (skipped: searx-run is not installed; Debian has it in the package searx)" : ""}`,
  { timeout: 60_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), "chorale-searx-"));
    let server: ChildProcess | undefined;
    let url = "";
    let log = "";

    beforeAll(async () => {
      const database = new DatabaseSync(join(folder, "pages.sqlite"));
      database.exec("CREATE TABLE pages (url, title, content)");
      const insert = database.prepare("INSERT INTO pages VALUES (?, ?, ?)");
      for (const page of PAGES) insert.run(...page);
      database.close();
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      const file = join(folder, "settings.yml");
      writeFileSync(file, settings(port, join(folder, "pages.sqlite")));
      server = spawn(String(program), {
        env: { ...process.env, SEARX_SETTINGS_PATH: file },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [server.stdout, server.stderr]) {
        stream?.on("data", (part: Buffer) => {
          log += String(part);
        });
      }
      const provider = searxng({ openClient, env: {}, endpoint: url });
      while (server.exitCode === null) {
        const isUp = await provider.search("boat", 1, new AbortController().signal).then(
          () => true,
          () => false,
        );
        if (isUp) break;
        await setTimeout(100);
      }
      await provider.close();
      if (server.exitCode !== null) throw new Error(`searx-run ended: ${log}`);
    }, 60_000);

    afterAll(async () => {
      const ended = new Promise((done) => server?.once("exit", done));
      if (server?.exitCode === null && server.kill()) await ended;
      rmSync(folder, { recursive: true, force: true });
    });

    const search = async (provider: SearchProvider, query: string) => {
      onTestFinished(() => provider.close());
      return provider.search(query, 10, new AbortController().signal);
    };
    const hits = PAGES.slice(0, 2).map(([page, title, summary]) => ({ url: page, title, summary }));

    test("gives JSON", async () => {
      const provider = searxng({ openClient, env: {}, endpoint: url });
      expect(await search(provider, "lamp")).toEqual(hits);
      expect(await search(provider, "xyzzy")).toEqual([]);
    });

    test.each(["simple", "oscar"])("gives the page of its theme %s", async (theme) => {
      // A server whose owner has turned JSON off.
      const front = await serveSearch(({ query }) => {
        if (query["format"] === "json") return { status: 403 };
        const location = `${url}/search?${new URLSearchParams({ ...query, theme })}`;
        return { status: 302, headers: { location } };
      });
      const ports = [front.url, url].map((each) => new URL(each).host);
      const provider = searxng({
        openClient: (restriction) => openClient({ ...restriction, allowDomains: ports }),
        env: {},
        endpoint: front.url,
      });
      expect(await search(provider, "lamp")).toEqual(hits);
      expect(await search(provider, "xyzzy")).toEqual([]);
    });

    test("is what the model searches with, and the pages that it finds are read", async () => {
      const site = await serve({
        "/robots.txt": (_, response) => response.end(""),
        "/lamp": (_, response) =>
          response
            .writeHead(200, { "content-type": "text/html" })
            .end("<title>Lamp</title><h1>The lamp</h1><p>It was lit in 1868."),
      });
      const database = new DatabaseSync(join(folder, "pages.sqlite"));
      database.prepare("INSERT INTO pages VALUES (?, ?, ?)").run(site.at("/lamp"), "Port", "ours");
      database.close();
      await using browser = await createBrowserTools({
        web: {
          searxng: url,
          client: {
            resolve: async () => ["127.0.0.1"],
            allowPrivateHosts: [`*.test:${site.port}`],
          },
        },
      });
      const found = await callBrowser(browser, "browser.search", { query: "ours" });
      expect(found.text).toContain(`【0†Port†site.test:${site.port}】 ours`);
      const opened = await callBrowser(browser, "browser.open", { id: 0 });
      expect(opened.text).toContain("It was lit in 1868.");
    });

    test("is what chorale search asks", async () => {
      const env = { CHORALE_HOME: join(folder, "home"), XDG_CONFIG_HOME: join(folder, "none") };
      const { code, stdout } = await inProcess(["search", "--searxng", url, "Freja"], env);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: "1. Boats\n   http://site.test/boat\n   The pilot boat Freja.\n",
      });
    });
  },
);
