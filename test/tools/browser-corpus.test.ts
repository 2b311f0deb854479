/** Pages of many shapes, each with what is made of it as a file to be read: `test/golden/pages/`. */
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { extractPage } from "../../tools/browser/convert/extract.ts";
import { createPage, lineAt, type PageContent } from "../../tools/browser/page.ts";
import { letters, mainText, readPageLabels } from "./page-labels.ts";

const PAGES = join(import.meta.dirname, "../fixtures/pages");
const GOLDEN = join(import.meta.dirname, "../golden/pages");

const names = globSync("**/*.*", { cwd: PAGES }).toSorted();

async function convert(name: string): Promise<PageContent> {
  return extractPage({ url: name, bytes: readFileSync(join(PAGES, name)) });
}

/** Title, links, places and lines of a page, as a person can judge them. */
function readable(content: PageContent): string {
  const page = createPage(content, "document");
  const { title, links, anchors = {}, mainEnd, hiddenCharacters, warnings = [] } = page;
  return [
    `title: ${title}`,
    ...warnings.map((warning) => `warning: ${warning}`),
    ...(hiddenCharacters === undefined ? [] : [`hidden characters: ${hiddenCharacters}`]),
    ...(mainEnd === undefined ? [] : [`content ends before L${lineAt(page, mainEnd)}`]),
    ...links.map(({ url }, id) => `link ${id}: ${url}`),
    ...Object.entries(anchors).map(([name, at]) => `place ${name}: L${lineAt(page, at)}`),
    "",
    ...page.lines.map(({ text }, line) => `L${line}: ${text}`.trimEnd()),
    "",
  ].join("\n");
}

describe("the pages of the corpus", () => {
  it("are many", () => expect(names.length).toBeGreaterThanOrEqual(60));

  it.each(names)("%s", async (name) => {
    const actual = readable(await convert(name));
    const file = join(GOLDEN, `${name}.txt`);
    if (process.env["UPDATE_GOLDEN"]) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, actual);
    }
    expect(actual).toBe(readFileSync(file, "utf8"));
  });

  it.each(Object.entries(readPageLabels()))(
    "%s keeps its content and drops what stands around it",
    async (name, { main, other }) => {
      const text = letters(mainText(await convert(name)));
      expect(main.filter((sentence) => !text.includes(letters(sentence)))).toEqual([]);
      expect(other.filter((sentence) => text.includes(letters(sentence)))).toEqual([]);
    },
  );

  it.each(names)("%s has links and places that are there", async (name) => {
    const { text, links, anchors = {}, mainEnd = 0 } = await convert(name);
    const ids = [...text.matchAll(/【(\d+)†/g)].map(([, id]) => Number(id));
    // Dense, in the order of their first occurrence.
    expect([...new Set(ids)]).toEqual(links.map((_, id) => id));
    for (const at of [...Object.values(anchors), mainEnd])
      expect(at).toBeLessThanOrEqual(text.length);
  });
});
