/**
 * The labelled set of the search bench: documents and queries written by hand (`test/golden/search`), among
 * the documents of the generator with its queries. Half of the queries is for development; the other half
 * is only measured.
 */
import { readdirSync, readFileSync } from "node:fs";
import {
  type Corpus,
  type CorpusDocument,
  type LabelledQuery,
  makeCorpus,
} from "./search-corpus.ts";

const FOLDER = new URL("../golden/search/", import.meta.url);

export type SetQuery = LabelledQuery & { readonly half: "dev" | "test" };

export type LabelledSet = {
  readonly documents: readonly CorpusDocument[];
  readonly queries: readonly SetQuery[];
};

export function readLabelledSet(seed: number): LabelledSet {
  const written = readWrittenSet();
  const { documents, queries }: Corpus = makeCorpus(seed);
  const distinct = queries.filter(
    ({ query }, n) => queries.findIndex((other) => other.query === query) === n,
  );
  return {
    documents: [...written.documents, ...documents],
    queries: [
      ...written.queries,
      ...distinct.map((query, n) => ({
        ...query,
        kind: `generated ${query.kind}`,
        half: Math.floor(n / 2) % 2 === 0 ? ("dev" as const) : ("test" as const),
      })),
    ],
  };
}

/** @throws Error for a line that is none, and a grade of a document that does not exist */
export function readWrittenSet(): LabelledSet {
  const folder = new URL("documents/", FOLDER);
  const documents = readdirSync(folder)
    .sort()
    .flatMap((name) => documentsIn(readFileSync(new URL(name, folder), "utf8")));
  const urls = new Set(documents.map(({ url }) => url));
  const queries = (["dev", "test"] as const).flatMap((half) =>
    readFileSync(new URL(`queries-${half}.txt`, FOLDER), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => ({ ...queryIn(line, urls), half })),
  );
  return { documents, queries };
}

/** `=== ADDRESS`, then Markdown or code whose first line is the title. */
function documentsIn(file: string): CorpusDocument[] {
  return file
    .split(/^=== /m)
    .slice(1)
    .map((part) => {
      const [url = "", title = "", ...lines] = part.split("\n");
      return { url, title: title.replace(/^# /, ""), text: lines.join("\n").trim() };
    });
}

/** `kind | query | address:grade …` */
function queryIn(line: string, urls: ReadonlySet<string>): LabelledQuery {
  const [kind = "", query = "", labels = "", ...more] = line.split(" | ");
  const grades = new Map<string, number>();
  for (const label of labels.split(" ")) {
    const [, url = "", grade = ""] = /^(.+):([123])$/.exec(label) ?? [];
    if (!urls.has(url)) throw new Error(`${JSON.stringify(label)} in ${JSON.stringify(line)}`);
    grades.set(url, Number(grade));
  }
  if (query === "" || grades.size === 0 || more.length > 0) throw new Error(line);
  return { kind, query, grades };
}
