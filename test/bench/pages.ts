/**
 * `npm run --silent bench -- pages`: how much of a page's content the conversion keeps and how much of what
 * stands around it drops, beside other extractors on the same pages, and how fast it is.
 *
 * The pages and what is content in them (`test/fixtures/page-labels.json`) were written for this. A sentence
 * counts as kept when it stands in the text with its blanks collapsed; of this project's pages the part
 * before the navigation is taken. Rates are of processor time, so that other work on the machine does not
 * count.
 */
import { Readability } from "@mozilla/readability";
import { Defuddle } from "defuddle/node";
import { convert } from "html-to-text";
import { parseHTML } from "linkedom";
import { decodeText } from "../../tools/browser/convert/charset.ts";
import { extractPage } from "../../tools/browser/convert/extract.ts";
import {
  letters,
  mainText,
  type PageLabels,
  readCorpusPage,
  readPageLabels,
} from "../tools/page-labels.ts";

const SPEED_BYTES = 4_000_000;
const ROUNDS = 5;
const ROUND_MS = 4000;

type Extractor = (html: string) => string | Promise<string>;

const EXTRACTORS: Readonly<Record<string, Extractor>> = {
  chorale: own,
  "readability+linkedom": (html) => {
    const { document } = parseHTML(html);
    return new Readability(document).parse()?.textContent ?? "";
  },
  defuddle: async (html) => {
    const { document } = parseHTML(html);
    const { content } = await Defuddle(document, "https://page.example/");
    return convert(content ?? "", { wordwrap: false });
  },
  "html-to-text": (html) => convert(html, { wordwrap: false }),
};

export async function bench(): Promise<Record<string, unknown>> {
  const labels = readPageLabels();
  const quality: Record<string, unknown> = {};
  for (const [name, extract] of Object.entries(EXTRACTORS)) {
    quality[name] = await scoreOf(extract, labels);
    console.error(`${name}: ${JSON.stringify(quality[name])}`);
  }
  return { pages: Object.keys(labels).length, quality, speed: await speedOf(labels) };
}

/** The text of a page: what character set it is in is no part of the comparison. */
async function pageHtml(name: string): Promise<string> {
  return (await decodeText(readCorpusPage(name), undefined, true)).text;
}

async function own(html: string): Promise<string> {
  return mainText(await extractPage({ url: "page.html", bytes: Buffer.from(html) }));
}

/** Shares of sentences: content that is kept, other text that is dropped; and the harmonic mean of both. */
async function scoreOf(
  extract: Extractor,
  labels: Readonly<Record<string, PageLabels>>,
): Promise<Record<string, number>> {
  const sum = { kept: 0, content: 0, dropped: 0, other: 0 };
  for (const [name, { main, other }] of Object.entries(labels)) {
    const text = letters(await extract(await pageHtml(name)));
    sum.kept += main.filter((sentence) => text.includes(letters(sentence))).length;
    sum.content += main.length;
    sum.dropped += other.filter((sentence) => !text.includes(letters(sentence))).length;
    sum.other += other.length;
  }
  const [kept, dropped] = [sum.kept / sum.content, sum.dropped / sum.other];
  const rounded = (value: number): number => Number(value.toFixed(3));
  return {
    kept: rounded(kept),
    dropped: rounded(dropped),
    score: rounded((2 * kept * dropped) / (kept + dropped || 1)),
  };
}

/**
 * Megabytes of HTML in a second of one core: the corpus page by page, and as one large page; the others
 * on the pages of the corpus in the same run.
 */
async function speedOf(
  labels: Readonly<Record<string, PageLabels>>,
): Promise<Record<string, number>> {
  const pages = await Promise.all(Object.keys(labels).map((name) => pageHtml(name)));
  const bodies = pages.map((html) => `<div>${bodyOf(html)}</div>`).join("");
  const convertOwn: Extractor = async (html) =>
    (await extractPage({ url: "page.html", bytes: Buffer.from(html) })).text;
  const speeds: Record<string, number> = {
    "chorale, pages of 3 kB": await rateOf(convertOwn, pages),
    "chorale, a page of 1 MB": await rateOf(convertOwn, [
      `<html><body>${bodies.repeat(Math.ceil(1_000_000 / bodies.length))}</body></html>`,
    ]),
  };
  for (const [name, extract] of Object.entries(EXTRACTORS)) {
    if (extract !== own) speeds[`${name}, pages of 3 kB`] = await rateOf(extract, pages);
  }
  return speeds;
}

async function rateOf(extract: Extractor, pages: readonly string[]): Promise<number> {
  const bytes = pages.reduce((total, page) => total + Buffer.byteLength(page), 0);
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    let done = 0;
    while (done < SPEED_BYTES && performance.now() - startedAt < ROUND_MS) {
      for (const page of pages) await extract(page);
      done += bytes;
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.max(best, done / (user + system));
  }
  return Number(best.toFixed(1));
}

function bodyOf(html: string): string {
  return html.replace(/^[\s\S]*?<body[^>]*>/, "").replace(/<\/body>[\s\S]*$/, "");
}
