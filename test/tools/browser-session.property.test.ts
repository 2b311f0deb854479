/** Any conversation: one that is rebuilt from its log before every call sees what one sees that stays in memory. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonValue } from "../../tools/index.ts";
import { type BrowserBackend, BrowserSession, createBrowserTools } from "../../tools/index.ts";
import { callBrowser, toolContext } from "./browser-support.ts";

/** Pages that change with every fetch, and lead to one another. */
function changingWeb(): BrowserBackend {
  let version = 0;
  return {
    search: async (query, topn) =>
      ["a", "b", "c"].slice(0, topn).map((name, line) => ({
        url: `https://${name}.example/`,
        title: query,
        summary: name,
        line,
      })),
    open: async (url) => ({
      url,
      title: `Page ${url}`,
      text: `${`${url} version ${++version} `.repeat(30)}\n\n【0†next】\nlamp\n`,
      links: [{ url: url.includes("a.") ? "https://b.example/" : "https://a.example/" }],
    }),
    close: async () => {},
  };
}

const cursor = fc.integer({ min: -2, max: 8 });
const call = fc.oneof(
  fc.tuple(fc.constant("search"), fc.record({ query: fc.constantFrom("x", "y") })),
  fc.tuple(
    fc.constant("open"),
    fc.record(
      {
        id: fc.oneof(
          fc.constantFrom("https://a.example/", "https://b.example/", "1"),
          fc.integer({ min: -1, max: 3 }),
        ),
        cursor,
        loc: fc.integer({ min: -1, max: 20 }),
        num_lines: fc.integer({ min: -1, max: 5 }),
      },
      { requiredKeys: [] },
    ),
  ),
  fc.tuple(
    fc.constant("find"),
    fc.record({ pattern: fc.constantFrom("lamp", "version 2", "zzz"), cursor }),
  ),
);

test("of random calls", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 14 }), async (calls) => {
      const memory = await createBrowserTools({ backend: changingWeb() });
      const backend = changingWeb();
      const log: string[] = [];
      for (const [name, input] of calls) {
        const kept = await callBrowser(memory, `browser.${name}`, input);
        // Another process: nothing is known but the log.
        const fresh = await createBrowserTools({ backend });
        const threadState = log.map((line) => JSON.parse(line) as JsonValue);
        const context = { ...toolContext(), threadState };
        const { threadState: left, ...rebuilt } = await callBrowser(
          fresh,
          `browser.${name}`,
          input,
          context,
        );
        if (left !== undefined) log.push(JSON.stringify(left));
        expect(rebuilt.text).toBe(kept.text);
        expect(rebuilt.isError).toBe(kept.isError);
        expect(left === undefined).toBe(rebuilt.isError === true);
      }
      const session = BrowserSession.of(log.map((line) => JSON.parse(line)));
      expect(session.length).toBe(memory.session.length);
      const hashes = new Set<string>();
      for (let at = 0; at < session.length; at++) {
        expect(session.page(at)).toEqual(memory.session.page(at));
        expect(session.shownLines(at)).toEqual(memory.session.shownLines(at));
        hashes.add(String(session.page(at)?.sha256));
      }
      // A page is in the log once, however often it was shown.
      expect(log.filter((line) => line.includes('"content":'))).toHaveLength(hashes.size);
    }),
    { numRuns: 60 },
  );
});
