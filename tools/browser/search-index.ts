/**
 * Full-text search over extracted pages: SQLite's FTS5 with BM25, titles weighing more than text. The
 * database is SQLite's private temporary one, which lives in memory until it is large and is gone with
 * the process.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type PageContent, stripLinks } from "./page.ts";

/** How much more a word in the title, or in the path, says than one in the text. */
const WEIGHTS = { title: 6, path: 3, body: 1 } as const;
/** Words of a query that are looked for. */
const MAX_TERMS = 32;

export class SearchIndex {
  readonly #database = new DatabaseSync("");
  readonly #insertPage: StatementSync;
  readonly #insertText: StatementSync;
  readonly #match: StatementSync;
  readonly #select: StatementSync;

  constructor() {
    this.#database.exec(`
      CREATE TABLE pages (id INTEGER PRIMARY KEY, url TEXT UNIQUE, content TEXT NOT NULL);
      CREATE VIRTUAL TABLE words USING fts5(
        title, path, body, content = '', tokenize = 'porter unicode61 remove_diacritics 2');`);
    this.#insertPage = this.#database.prepare("INSERT INTO pages (url, content) VALUES (?, ?)");
    this.#insertText = this.#database.prepare(
      "INSERT INTO words (rowid, title, path, body) VALUES (?, ?, ?, ?)",
    );
    this.#match = this.#database.prepare(`
      SELECT pages.url AS url FROM words JOIN pages ON pages.id = words.rowid WHERE words MATCH ?
      ORDER BY bm25(words, ${WEIGHTS.title}, ${WEIGHTS.path}, ${WEIGHTS.body}), pages.url LIMIT ?`);
    this.#select = this.#database.prepare("SELECT content FROM pages WHERE url = ?");
  }

  add(page: PageContent): void {
    const { lastInsertRowid } = this.#insertPage.run(page.url, JSON.stringify(page));
    this.#insertText.run(
      lastInsertRowid,
      separateIdeographs(page.title),
      separateIdeographs(page.url.replace(/[/_.-]+/g, " ")),
      separateIdeographs(stripLinks(page.text)),
    );
  }

  get(url: string): PageContent | null {
    const row = this.#select.get(url);
    // Only `add` writes these rows.
    return row === undefined ? null : (JSON.parse(String(row["content"])) as PageContent);
  }

  /** URLs, best first: documents with all the words, then those with some of them. */
  search(query: string, limit: number): readonly string[] {
    const terms = queryTerms(query).map((term) => `"${separateIdeographs(term).trim()}"`);
    if (terms.length === 0) return [];
    const urls = new Set<string>();
    for (const operator of [" AND ", " OR "]) {
      if (urls.size >= limit) break;
      for (const row of this.#match.all(terms.join(operator), limit)) urls.add(String(row["url"]));
    }
    return [...urls].slice(0, limit);
  }

  close(): void {
    this.#database.close();
  }
}

/**
 * English words of questions that say nothing about their subject. Models search with whole questions,
 * and in a small folder such words are too rare to weigh as little as they should.
 */
const FUNCTION_WORDS = new Set(
  (
    "a an and are as at be but by can did do does for from had has have how i in is it its me my of on " +
    "or our s so than that the their them there these they this those to was we were what when where " +
    "which who whom whose why will with would you your"
  ).split(" "),
);

/**
 * The words of a query: letters and digits only, so nothing in it is query syntax; function words only
 * when there is nothing else.
 */
export function queryTerms(query: string): readonly string[] {
  const words = query.normalize("NFC").match(/[\p{L}\p{M}\p{N}]{1,64}/gu) ?? [];
  const all = [...new Set(words.map((word) => word.toLowerCase()))];
  const telling = all.filter((word) => !FUNCTION_WORDS.has(word));
  return (telling.length > 0 ? telling : all).slice(0, MAX_TERMS);
}

/** Scripts without spaces between words are indexed character by character, and searched as phrases. */
function separateIdeographs(text: string): string {
  return text.replace(
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu,
    " $& ",
  );
}
