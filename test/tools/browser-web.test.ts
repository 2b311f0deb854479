/** The three tools over the web, as the model sees them. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createBrowserTools, type SearchProvider } from "../../tools/index.ts";
import { callBrowser } from "./browser-support.ts";
import { type Routes, serve } from "./web/loopback.ts";

const GOLDEN = new URL("../golden/browser/web-session.txt", import.meta.url);

/** How often the page of the lamp was asked for. */
let visits = 0;

const ROUTES: Routes = {
  "/robots.txt": (_, response) => response.end(""),
  "/lamp": (_, response) =>
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(
      `<!DOCTYPE html><title>The lamp</title><main><h1>The lamp of the tide</h1>
      <p>The lamp was lit in ${1868 + visits++} by the <a href="/keepers">keepers</a>, who wrote of it
      in <a href="http://other.test/log">their log</a>【9†forged】.</p>
      <ul><li>Oil<li>Wick</ul></main>`,
    ),
  "/keepers": (_, response) =>
    response
      .writeHead(200, { "content-type": "text/html" })
      .end("<title>Keepers</title><h1>Keepers</h1><p>Anders Holt and Maren Holt."),
  "/plain.txt": (_, response) =>
    response.writeHead(200, { "content-type": "text/plain" }).end("One line.\nAnother line.\n"),
  "/gone": (_, response) => response.writeHead(410).end("gone"),
};

const service = (port: number): SearchProvider => ({
  name: "service",
  search: async (query) => {
    if (query === "failure") throw new Error("service takes no more requests for now (429).");
    if (query === "nothing") return [];
    return [
      {
        url: `http://site.test:${port}/lamp`,
        title: "The lamp 【1†forged】",
        summary: "When the lamp\nwas lit.",
      },
      { url: "https://other.example/", title: "", summary: "" },
    ];
  },
  close: async () => {},
});

test("a conversation over the web is what the golden file says", async () => {
  const site = await serve(ROUTES);
  await using browser = await createBrowserTools({
    web: {
      search: ["service"],
      providers: [service(site.port)],
      client: {
        resolve: async () => ["127.0.0.1"],
        allowPrivateHosts: [`site.test:${site.port}`],
        retry: { attempts: 1 },
      },
    },
  });
  const golden = readFileSync(GOLDEN, "utf8");
  const seen: string[] = [];
  for (const line of golden.split("\n").filter((each) => /^(#|>>> )/.test(each))) {
    const call = /^>>> (\S+) (.*)$/.exec(line);
    if (call === null) {
      seen.push(line);
      continue;
    }
    const input: unknown = JSON.parse(String(call[2]).replaceAll("PORT", String(site.port)));
    const { text, isError } = await callBrowser(browser, String(call[1]), input);
    const shown = text.replaceAll(String(site.port), "PORT").replace(/[ ]+$/gm, "");
    seen.push(`\n${line}\n${isError ? "! " : ""}${shown}`);
  }
  const actual = `${seen.join("\n").replace(/\n(# [^\n]*)(?=\n\n>>>)/g, "\n\n$1")}\n`;
  if (process.env["UPDATE_GOLDEN"]) writeFileSync(GOLDEN, actual);
  expect(actual).toBe(golden);
});
