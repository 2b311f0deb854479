/** Pages of the corpus as servers send them: packed, in several character sets, through the client into text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { openPage } from "../../../tools/browser/backends/open-page.ts";
import { extractPage } from "../../../tools/browser/convert/extract.ts";
import { openTestClient, serve } from "./loopback.ts";

const PAGES = join(import.meta.dirname, "../../fixtures/pages");
const signal = new AbortController().signal;

test.each([
  ["news-broadsheet.html", "text/html; charset=utf-8", "gzip", gzipSync],
  ["cjk-japanese-sjis.html", "text/html", "br", brotliCompressSync],
  ["cyrillic-1251.html", "text/html", "zstd", zstdCompressSync],
  ["cjk-news-gbk.html", "text/html; charset=gbk", "gzip", gzipSync],
  ["feed.rss", "text/html", "br", brotliCompressSync],
  ["directions.pdf", "application/pdf", "gzip", gzipSync],
  ["data.csv", "text/csv", "zstd", zstdCompressSync],
])("%s, as %s in %s", async (name, type, encoding, pack) => {
  const bytes = readFileSync(join(PAGES, name));
  const site = await serve({
    [`/${name}`]: (_, response) => {
      response.writeHead(200, { "content-type": type, "content-encoding": encoding });
      response.end(pack(bytes));
    },
  });
  const url = site.at(`/${name}`);
  const page = await openPage(openTestClient([site.port]), url, "named by the user", signal);
  expect(page).toEqual(await extractPage({ url, bytes, contentType: type }));
  expect(page.text.length).toBeGreaterThan(60);
});

test("what is no document is refused by its bytes, whatever the server calls it", async () => {
  const site = await serve({
    "/picture": (_, response) => {
      response.setHeader("content-type", "text/html").end(Buffer.from("\x89PNG\r\n\0\0", "latin1"));
    },
  });
  const opening = openPage(
    openTestClient([site.port]),
    site.at("/picture"),
    "named by the user",
    signal,
  );
  await expect(opening).rejects.toThrow("it cannot be read: a picture (PNG).");
});
