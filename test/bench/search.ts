/**
 * `npm run --silent bench -- search [--documents N]`: the quality of the local search on labelled queries,
 * beside minisearch and lunr on the same documents, and its speed on many documents.
 *
 * nDCG@10 with gains 2^grade - 1. Rates are of processor time, so that other work on the machine does not
 * count; latencies are of the clock.
 */
import lunr from "lunr";
import MiniSearch from "minisearch";
import type { PageContent } from "../../tools/browser/page.ts";
import { type IndexedDocument, SearchIndex } from "../../tools/browser/search/search-index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { type CorpusDocument, makeManyDocuments } from "./search-corpus.ts";
import { type LabelledSet, readLabelledSet } from "./search-set.ts";

const SEED = 20_260;
const CUTOFF = 10;
const DOCUMENTS = 20_000;
const QUERIES = 400;
const BATCH = 200;

type Engine = (query: string) => readonly string[];

export async function bench(args: readonly string[]): Promise<Record<string, unknown>> {
  const at = args.indexOf("--documents");
  const documents = at < 0 ? DOCUMENTS : Number(args[at + 1]);
  if (!Number.isSafeInteger(documents) || documents < 1)
    throw new Error("--documents takes a number");
  const set = readLabelledSet(SEED);
  const quality = {
    queries: set.queries.length,
    documents: set.documents.length,
    chorale: score(set, ownEngine(set.documents)),
    minisearch: score(set, miniSearchEngine(set.documents)),
    lunr: score(set, lunrEngine(set.documents)),
  };
  return { quality, index: speed(documents) };
}

function pageOf({ url, title, text }: CorpusDocument): PageContent {
  return { url, title, text: `\nURL: ${url}\n# ${title}\n\n${text}`, links: [] };
}

function ownEngine(documents: readonly CorpusDocument[]): Engine {
  const index = new SearchIndex();
  index.update({
    documents: documents.map((document) => ({ page: pageOf(document), version: "1", hash: "" })),
  });
  index.updateVocabulary();
  return (query) => index.search(query, CUTOFF).map(({ url }) => url);
}

/** With the options that its own documentation shows for searching documents. */
function miniSearchEngine(documents: readonly CorpusDocument[]): Engine {
  const index = new MiniSearch({
    idField: "url",
    fields: ["title", "text", "url"],
    searchOptions: { boost: { title: 2 }, fuzzy: 0.2, prefix: true },
  });
  index.addAll([...documents]);
  return (query) =>
    index
      .search(query)
      .slice(0, CUTOFF)
      .map(({ id }) => String(id));
}

function lunrEngine(documents: readonly CorpusDocument[]): Engine {
  const index = lunr(function () {
    this.ref("url");
    this.field("title", { boost: 2 });
    this.field("text");
    for (const document of documents) this.add(document);
  });
  // Signs of a query are syntax there.
  return (query) =>
    index
      .search(query.replace(/[:*^~+\-"]/g, " "))
      .slice(0, CUTOFF)
      .map(({ ref }) => ref);
}

/** Mean nDCG@10: over all queries, those of each half, and by kind. */
function score({ queries }: LabelledSet, search: Engine): Record<string, number> {
  const values = queries.map(({ kind, half, query, grades }) => ({
    kind,
    half,
    value: ndcg(search(query), grades),
  }));
  const mean = (some: typeof values): number =>
    Number((some.reduce((sum, { value }) => sum + value, 0) / some.length).toFixed(3));
  const kinds = Map.groupBy(values, ({ kind }) => kind);
  return {
    ndcg: mean(values),
    ndcg_dev: mean(values.filter(({ half }) => half === "dev")),
    ndcg_test: mean(values.filter(({ half }) => half === "test")),
    ...Object.fromEntries([...kinds].map(([kind, some]) => [kind, mean(some)])),
  };
}

function ndcg(urls: readonly string[], grades: ReadonlyMap<string, number>): number {
  const gains = urls.map((url) => 2 ** (grades.get(url) ?? 0) - 1);
  const ideal = [...grades.values()]
    .sort((a, b) => b - a)
    .slice(0, CUTOFF)
    .map((grade) => 2 ** grade - 1);
  return discounted(gains) / discounted(ideal);
}

function discounted(gains: readonly number[]): number {
  return gains.reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
}

function speed(count: number): Record<string, unknown> {
  const index = new SearchIndex();
  const words: string[] = [];
  let bytes = 0;
  let batch: IndexedDocument[] = [];
  let spent = 0;
  const write = (): void => {
    const before = process.cpuUsage();
    index.update({ documents: batch });
    spent += milliseconds(process.cpuUsage(before));
    batch = [];
  };
  for (const document of makeManyDocuments(count, SEED)) {
    bytes += document.text.length;
    batch.push({ page: pageOf(document), version: "1", hash: "" });
    if (words.length < 5000) words.push(...document.text.split(/\W+/).slice(0, 40));
    if (batch.length === BATCH) write();
  }
  write();
  const before = process.cpuUsage();
  index.updateVocabulary();
  spent += milliseconds(process.cpuUsage(before));
  console.error(`indexed ${count} documents, ${(bytes / 1e6).toFixed(1)} MB`);
  const latencies = searchLatencies(index, words);
  index.close();
  return {
    documents: count,
    megabytes: Number((bytes / 1e6).toFixed(1)),
    megabytes_per_second: Number((bytes / 1e3 / spent).toFixed(1)),
    ...latencies,
  };
}

function searchLatencies(index: SearchIndex, words: readonly string[]): Record<string, number> {
  const random = randomNumbers(SEED);
  const clock: number[] = [];
  const processor: number[] = [];
  for (let n = 0; n < QUERIES; n++) {
    const query = Array.from(
      { length: 1 + (n % 4) },
      () => words[Math.floor(random() * words.length)],
    ).join(" ");
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    index.search(query, CUTOFF);
    clock.push(performance.now() - startedAt);
    processor.push(milliseconds(process.cpuUsage(before)));
  }
  const at = (values: number[], share: number): number =>
    Number((values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0).toFixed(1));
  return {
    query_p50_ms: at(clock, 0.5),
    query_p95_ms: at(clock, 0.95),
    query_p95_cpu_ms: at(processor, 0.95),
  };
}

function milliseconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e3;
}
