import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PageContent } from "../../tools/browser/page.ts";
import { parseQuery } from "../../tools/browser/search/query.ts";
import { SearchIndex } from "../../tools/browser/search/search-index.ts";
import { openDocumentFolder } from "../../tools/index.ts";
import { makeCorpus } from "../bench/search-corpus.ts";
import { readWrittenSet } from "../bench/search-set.ts";
import { folderWith } from "./browser-support.ts";

const page = (url: string, text: string, title = url): PageContent => ({
  url,
  title,
  text: `\nURL: ${url}\n${text}`,
  links: [],
});

function indexOf(pages: readonly PageContent[]): SearchIndex {
  const index = new SearchIndex();
  index.update({ documents: pages.map((each) => ({ page: each, version: "1", hash: each.url })) });
  index.updateVocabulary();
  return index;
}

describe("what a query finds", () => {
  const index = indexOf([
    page("fees.md", "The berth fee is paid at noon. The skipper's log stays on board."),
    page(
      "apart.md",
      "A fee. Weather, wind and waves as ever on a Tuesday in May; no berth is free.",
    ),
    page("code.md", "Call `harbour.getTideTable(day)` and then `set_lamp_colour`."),
    page("other.md", "A table of the tide; a colour for each lamp."),
    page("chemistry.md", "Sea water is H_{2}O with salt, x^{2} of it."),
    page("de.md", "Die Hafengebührenordnung und der Schleusenwärter."),
    page("ar.md", "سافرنا بالباخرة إلى الإسكندرية"),
    page("he.md", "הספינה עגנה בנמל"),
    page("th.md", "เรานั่งเรือไปภูเก็ตตอนเช้า"),
    page("tr.md", "Çaydanlığın altına su koyun."),
    page("ru.md", "Заказ лоцманами не принимается."),
    page("zh.md", "渡轮可以提前三天预订。"),
    page("ja.md", "フェリーは予約が必要です。"),
    page("letters.md", "From Łódź to Tromsø by train."),
    page("ko.md", "목포에서 배를 타고 갔습니다."),
    page("decomposed.md", "Mo\u0308ltenort liegt am Wasser"),
  ]);
  it.each([
    ["berth fee", ["fees.md", "apart.md"]],
    ['"berth fee"', ["fees.md"]],
    ['"fee berth"', []],
    ["getTideTable", ["code.md", "other.md"]],
    ["get_tide_table", ["code.md", "other.md"]],
    ["harbour.getTideTable(", ["code.md", "other.md"]],
    ["setLampColour", ["code.md", "other.md"]],
    ["H2O", ["chemistry.md"]],
    ["Gebührenordnung", ["de.md"]],
    ["schleuse", ["de.md"]],
    ["باخرة", ["ar.md"]],
    ["נמל", ["he.md"]],
    ["ภูเก็ต", ["th.md"]],
    ["배", ["ko.md"]],
    ["caydanlik", ["tr.md"]],
    ["лоцманам", ["ru.md"]],
    ["목포에서 출발하는 배", ["ko.md"]],
    ["怎样预订渡轮", ["zh.md"]],
    ["フェリーの切符の予約", ["ja.md"]],
    ["Lodz Tromso", ["letters.md"]],
    ["Łódź Tromsø", ["letters.md"]],
    ["Möltenort", ["decomposed.md"]],
    ["skippers", ["fees.md"]],
    ["astrolabe", []],
    ["?!", []],
  ])("%s", (query, expected) => {
    const found = index.search(query, 5).map(({ url }) => url);
    // Documents with some of the words may follow; none stands before those with all of them.
    expect(found.slice(0, expected.length)).toEqual(expected.slice(0, found.length));
    expect(found.length > 0).toBe(expected.length > 0);
  });

  it("has no syntax of the database in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (query) => {
        for (const { expression } of parseQuery(query).terms) {
          expect(expression).toMatch(/^(?:"[^"]+"|\((?:"[^"]+"(?: OR )?)+\))$/);
        }
        index.search(query, 3);
      }),
      { numRuns: 300, examples: [["\u0591"]] },
    );
  });
});

describe("the labelled set of the bench", () => {
  const { documents, queries } = readWrittenSet();
  const index = indexOf(documents.map(({ url, title, text }) => page(url, text, title)));
  const kinds = [...Map.groupBy(queries, ({ kind }) => kind)];

  it("is large enough", () => {
    expect(queries.length).toBeGreaterThanOrEqual(100);
    expect(new Set(queries.map(({ query }) => query)).size).toBe(queries.length);
    expect(kinds.length).toBeGreaterThanOrEqual(10);
  });

  it.each(kinds)("finds a best answer among the first three: %s", (_, some) => {
    const found = some.filter(({ query, grades }) => {
      const best = Math.max(...grades.values());
      return index.search(query, 3).some(({ url }) => grades.get(url) === best);
    });
    expect(found.length / some.length).toBeGreaterThan(0.8);
  });
});

describe("documents", () => {
  it("come back as they were taken in, also long ones", () => {
    const index = new SearchIndex();
    fc.assert(
      fc.property(fc.array(fc.lorem({ maxCount: 30 }), { maxLength: 400 }), (paragraphs) => {
        const content = page("long.md", paragraphs.join("\n\n"));
        index.update({ documents: [{ page: content, version: "", hash: "2" }] });
        expect(index.get("long.md")).toEqual(content);
        expect(index.documents()).toEqual([
          { url: "long.md", version: "", hash: "2", warnings: [] },
        ]);
      }),
      { numRuns: 20 },
    );
    index.close();
  });

  it("rank by the part that answers, with its line in the whole page", () => {
    const filler = "Nothing of interest stands in this paragraph of the book.\n\n".repeat(3000);
    const text = `${filler}The astrolabe lies in the third drawer.\n\n${filler}`;
    const index = indexOf([page("book.md", text), page("short.md", "A drawer.")]);
    const [hit] = index.search("astrolabe drawer", 3);
    expect(hit).toMatchObject({
      url: "book.md",
      summary: expect.stringMatching(/^The astrolabe lies in the third drawer\./),
    });
    const lines = page("book.md", text).text.split("\n");
    expect(lines[hit?.line ?? 0]).toBe("The astrolabe lies in the third drawer.");
    index.close();
  });

  it("are found by their content, not by what stands around it on every page", () => {
    const text = "About sails.\n\n[Navigation and other parts of the page:]\n\nContact";
    const whole = page("a.html", text);
    const index = indexOf([
      { ...whole, mainEnd: whole.text.indexOf("[Nav") },
      page("b.html", "Contact us."),
    ]);
    expect(index.search("contact", 5).map(({ url }) => url)).toEqual(["b.html"]);
    index.close();
  });

  it("of the bench are found better than a floor", () => {
    const { documents, queries } = makeCorpus(1);
    const index = indexOf(documents.map(({ url, title, text }) => page(url, text, title)));
    const hits = queries.filter(({ query, grades }) => {
      const [first] = index.search(query, 1);
      return (grades.get(first?.url ?? "") ?? 0) === 3;
    });
    expect(queries.length).toBeGreaterThanOrEqual(100);
    expect(hits.length / queries.length).toBeGreaterThan(0.8);
    index.close();
  });
});

describe("an index that is kept", () => {
  it("knows the words within words of all documents, whoever took them in and was stopped then", async () => {
    await using state = await folderWith({});
    const file = join(state.path, "index.sqlite");
    const add = (index: SearchIndex, url: string, text: string): void =>
      index.update({ documents: [{ page: page(url, text), version: "1", hash: url }] });
    const found = (index: SearchIndex): boolean[] =>
      ["gebühr", "wärter", "leine", "wache"].map((part) => index.search(part, 1).length > 0);
    const stopped = new SearchIndex(file, 5);
    add(stopped, "a", "Hafengebührenordnung");
    stopped.close();
    const one = new SearchIndex(file, 5);
    const two = new SearchIndex(file, 5);
    one.updateVocabulary();
    expect(found(one)).toEqual([true, false, false, false]);
    add(one, "b", "Schleusenwärterhaus");
    one.updateVocabulary();
    expect(found(one)).toEqual([true, true, false, false]);
    // Two take in documents by turns; the second is stopped before it has come to their words.
    add(one, "c", "Festmacherleinentrommel");
    add(two, "d", "Hafenwachenplan");
    two.close();
    one.updateVocabulary();
    expect(found(one)).toEqual([true, true, true, true]);
    one.close();
  });

  it("is made anew when its form is an older one, and refused when it is no index", async () => {
    await using state = await folderWith({ "other.sqlite": "no database at all, but long enough" });
    await using folder = await folderWith({ "a.md": "# One" });
    const indexFile = join(state.path, "index.sqlite");
    await (await openDocumentFolder(folder.path, { indexFile })).close();
    const database = new DatabaseSync(indexFile);
    database.exec("PRAGMA user_version = 0; DROP TABLE documents");
    database.close();
    const docs = await openDocumentFolder(folder.path, { indexFile });
    expect((await docs.search("one", 1))[0]?.url).toBe("a.md");
    await docs.close();
    await expect(
      openDocumentFolder(folder.path, { indexFile: join(state.path, "other.sqlite") }),
    ).rejects.toThrow(/its index .*other\.sqlite cannot be opened: file is not a database/);
  });
});
