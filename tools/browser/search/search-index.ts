/**
 * Full-text search over converted pages: SQLite's FTS5 with BM25, titles weighing more than text, in a
 * file that stays or in a private one that goes with the process. Every change is a transaction, so that
 * a process that is killed leaves a whole index.
 *
 * A long page is indexed in parts of some ten thousand characters; a document ranks by its best part.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SearchHit } from "../backend.ts";
import type { PageContent } from "../page.ts";
import { urlHeading } from "../page.ts";
import { LINE_WIDTH, wrapText } from "../text/wrap.ts";
import { foldWord } from "./fold-word.ts";
import { identifierWords, indexText } from "./index-text.ts";
import { bestPassage } from "./passage.ts";
import { MAX_TERMS, parseQuery, type Query, type QueryTerm } from "./query.ts";

/** How much more a word in the title, or in the path, says than one in the text. */
const WEIGHTS = { title: 6, path: 3, body: 1, identifiers: 0.7 } as const;
/** Characters of one part of a long page. */
const PART_CHARACTERS = 60_000;
/** Parts of one page, and the factor between the ids of pages. */
const MAX_PARTS = 4096;
/** Parts that are ranked for one query: a word that more of them hold says little. */
const MAX_RANKED = 8000;
/** Words of the index that hold a word of the query inside. */
const MAX_EXPANSIONS = 40;
/** Candidates for each result that is wanted. */
const CANDIDATES = 4;
/** A file whose version is another is made anew; for tables that only this process will see. */
const ANY_VERSION = 1;
/** How long a change waits for that of another process. */
const LOCK_TIMEOUT_MS = 30_000;

/** Documents whose words are collected apart; after more of them all words of the index are gone through. */
const MAX_FRESH = 500;

const TOKENIZER = "porter unicode61 remove_diacritics 2 categories ''L* N* M* Co''";

/** A file as it was when it was read. */
export type StoredDocument = {
  readonly url: string;
  /** Of the file's size and times; empty where those did not tell. */
  readonly version: string;
  /** Of the file's bytes. */
  readonly hash: string;
  /** What to know of how it was read. */
  readonly warnings: readonly string[];
  /** Why there is no page; absent where there is one. */
  readonly reason?: string;
};

/** What is to be taken in: a page, or the fact that a file has none. */
export type IndexedDocument = { readonly version: string; readonly hash: string } & (
  | { readonly page: PageContent }
  | { readonly url: string; readonly reason: string }
);

/** A change of the index, of which all is kept or nothing. */
export type IndexChange = {
  readonly documents?: readonly IndexedDocument[];
  /** Addresses. */
  readonly removed?: readonly string[];
  /** Files with the bytes that are known and other times. */
  readonly touched?: readonly { readonly url: string; readonly version: string }[];
};

export class SearchIndex {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Documents that this process took in since the vocabulary was whole, with their words in `fresh_words`. */
  #fresh = 0;
  /** Number of changes that this process has seen; another number: another process changed the index too. */
  #seenChanges = -1;

  /**
   * @param file  path of the database, or the empty string: a private one, in memory until it is large
   * @param version  of the code that makes pages and tables, a positive 31-bit number
   */
  constructor(file = "", version: number = ANY_VERSION) {
    this.#database = new DatabaseSync(file, { timeout: LOCK_TIMEOUT_MS });
    if (file !== "") {
      this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    }
    this.#database.exec("PRAGMA cache_size = -65536; PRAGMA temp_store = FILE;");
    if (this.#version() === version) return;
    this.#transaction(() => {
      // Another process may have been faster.
      if (this.#version() !== version) this.#createTables(version);
    });
  }

  #version(): number {
    const row = this.#database.prepare("PRAGMA user_version").get();
    return Number(row?.["user_version"] ?? 0);
  }

  #createTables(version: number): void {
    this.#database.exec(`
      DROP TABLE IF EXISTS documents; DROP TABLE IF EXISTS parts; DROP TABLE IF EXISTS words;
      DROP TABLE IF EXISTS changes; DROP TABLE IF EXISTS word_list; DROP TABLE IF EXISTS inside_words; DROP TABLE IF EXISTS vocabulary;
      CREATE TABLE documents (
        id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, version TEXT NOT NULL, hash TEXT NOT NULL,
        warnings TEXT, reason TEXT, page TEXT);
      CREATE TABLE changes (count INTEGER NOT NULL, in_vocabulary INTEGER NOT NULL);
      INSERT INTO changes VALUES (0, 0);
      CREATE TABLE parts (id INTEGER PRIMARY KEY, line INTEGER NOT NULL, text TEXT NOT NULL);
      CREATE VIRTUAL TABLE words USING fts5(
        title, path, body, identifiers, content = '', contentless_delete = 1, tokenize = '${TOKENIZER}');
      CREATE VIRTUAL TABLE word_list USING fts5vocab('words', 'row');
      CREATE TABLE vocabulary (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
      CREATE VIRTUAL TABLE inside_words USING fts5(word, content = '', detail = 'full', tokenize = 'trigram');
      PRAGMA user_version = ${version};`);
  }

  /** Adds a document, or puts it in the place of an older version. */
  #add(document: IndexedDocument): void {
    const { version, hash } = document;
    const url = "page" in document ? document.page.url : document.url;
    const known = this.#get("SELECT id, version, hash FROM documents WHERE url = ?", url);
    if (known !== undefined) {
      // Another process took it in meanwhile.
      if (version !== "" && known["version"] === version && known["hash"] === hash) return;
      this.#remove(url);
    }
    if ("reason" in document) {
      this.#run(
        "INSERT INTO documents (url, version, hash, reason) VALUES (?, ?, ?, ?)",
        url,
        version,
        hash,
        document.reason,
      );
      return;
    }
    const { page } = document;
    const { text, warnings, ...rest } = page;
    const { lastInsertRowid } = this.#run(
      "INSERT INTO documents (url, version, hash, warnings, page) VALUES (?, ?, ?, ?, ?)",
      url,
      version,
      hash,
      warnings === undefined ? null : JSON.stringify(warnings),
      JSON.stringify(rest),
    );
    const first = Number(lastInsertRowid) * MAX_PARTS;
    const end = page.mainEnd ?? text.length;
    let line = 0;
    for (const [number, part] of partsOf(text).entries()) {
      const id = first + number;
      this.#run("INSERT INTO parts (id, line, text) VALUES (?, ?, ?)", id, line, part.text);
      if (part.text.length < text.length) line += wrapText(part.text, LINE_WIDTH).length - 1;
      const body = part.text.slice(
        number === 0 ? urlHeading(page.url).length : 0,
        Math.max(0, end - part.start),
      );
      const words = [
        indexText(page.title),
        indexText(page.url.replace(/[/_.-]+/g, " ")),
        indexText(body),
        identifierWords(`${page.title} ${body}`),
      ];
      this.#run(
        "INSERT INTO words (rowid, title, path, body, identifiers) VALUES (?, ?, ?, ?, ?)",
        id,
        ...words,
      );
      if (this.#fresh <= MAX_FRESH) {
        this.#run("INSERT INTO fresh_words (text) VALUES (?)", words.join(" . "));
      }
    }
  }

  #remove(url: string): void {
    const id = this.#get("SELECT id FROM documents WHERE url = ?", url)?.["id"];
    if (id === undefined) return;
    const [first, last] = [Number(id) * MAX_PARTS, (Number(id) + 1) * MAX_PARTS - 1];
    for (const { id: part } of this.#all(
      "SELECT id FROM parts WHERE id BETWEEN ? AND ?",
      first,
      last,
    )) {
      this.#run("DELETE FROM words WHERE rowid = ?", Number(part));
    }
    this.#run("DELETE FROM parts WHERE id BETWEEN ? AND ?", first, last);
    this.#run("DELETE FROM documents WHERE id = ?", Number(id));
  }

  #transaction(change: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * Takes the words that are new into the list that is searched for parts of words. Nothing is done where it
   * is whole; a process that was killed before it came to that leaves it to the next.
   */
  updateVocabulary(): void {
    const { count, inVocabulary } = this.#changes();
    if (count === inVocabulary) return;
    this.#transaction(() => {
      const { count } = this.#changes();
      const isFresh = this.#fresh <= MAX_FRESH && this.#seenChanges === count;
      const before = Number(
        this.#get("SELECT coalesce(max(id), 0) AS id FROM vocabulary")?.["id"] ?? 0,
      );
      // Words of letters alone: numbers and what is longer than any word are not looked into.
      this.#run(`
        INSERT OR IGNORE INTO vocabulary (word) SELECT term FROM ${isFresh ? "fresh_list" : "word_list"}
        WHERE length(term) BETWEEN 4 AND 40 AND term NOT GLOB '*[0-9]*'`);
      this.#run(
        "INSERT INTO inside_words (rowid, word) SELECT id, word FROM vocabulary WHERE id > ?",
        before,
      );
      this.#run("UPDATE changes SET in_vocabulary = count");
    });
    this.#fresh = 0;
    this.#seenChanges = -1;
  }

  #changes(): { readonly count: number; readonly inVocabulary: number } {
    const row = this.#get("SELECT count, in_vocabulary FROM changes");
    return { count: Number(row?.["count"]), inVocabulary: Number(row?.["in_vocabulary"]) };
  }

  /** In the transaction of a change with documents. */
  #countChange(documents: number): void {
    const { count, inVocabulary } = this.#changes();
    if (this.#fresh === 0 && count === inVocabulary) {
      this.#database.exec(`
        DROP TABLE IF EXISTS temp.fresh_list; DROP TABLE IF EXISTS temp.fresh_words;
        CREATE VIRTUAL TABLE temp.fresh_words USING fts5(text, content = '', tokenize = '${TOKENIZER}');
        CREATE VIRTUAL TABLE temp.fresh_list USING fts5vocab('temp', 'fresh_words', 'row');`);
    } else if (count !== this.#seenChanges) {
      this.#fresh = MAX_FRESH;
    }
    this.#fresh += documents;
    this.#seenChanges = count + 1;
    this.#run("UPDATE changes SET count = count + 1");
  }

  update({ documents = [], removed = [], touched = [] }: IndexChange): void {
    this.#transaction(() => {
      for (const url of removed) this.#remove(url);
      for (const { url, version } of touched) {
        this.#run("UPDATE documents SET version = ? WHERE url = ?", version, url);
      }
      if (documents.length > 0) this.#countChange(documents.length);
      for (const document of documents) this.#add(document);
    });
  }

  /**
   * From now on the index is read as it is now, although other processes write into its file. Nothing can
   * be written through this object any more.
   */
  hold(): void {
    this.#database.exec("BEGIN; SELECT count(*) FROM sqlite_schema;");
  }

  documents(): readonly StoredDocument[] {
    const rows = this.#all(
      "SELECT url, version, hash, warnings, reason FROM documents ORDER BY id",
    );
    return rows.map(({ url, version, hash, warnings, reason }) => ({
      url: String(url),
      version: String(version),
      hash: String(hash),
      warnings: warnings === null ? [] : (JSON.parse(String(warnings)) as string[]),
      ...(reason !== null && { reason: String(reason) }),
    }));
  }

  get(url: string): PageContent | null {
    const row = this.#get(
      "SELECT id, warnings, page FROM documents WHERE url = ? AND page IS NOT NULL",
      url,
    );
    if (row === undefined) return null;
    const first = Number(row["id"]) * MAX_PARTS;
    const parts = this.#all(
      "SELECT text FROM parts WHERE id BETWEEN ? AND ? ORDER BY id",
      first,
      first + MAX_PARTS - 1,
    );
    // Only `add` writes these rows.
    const page = JSON.parse(String(row["page"])) as Omit<PageContent, "text">;
    const warnings = row["warnings"];
    return {
      ...page,
      text: parts.map(({ text }) => String(text)).join(""),
      ...(warnings !== null && { warnings: JSON.parse(String(warnings)) as string[] }),
    };
  }

  /** Best first: what holds all the words before what holds some. */
  search(query: string, limit: number): readonly SearchHit[] {
    const parsed = parseQuery(query);
    if (parsed.terms.length === 0 || limit < 1) return [];
    return this.#rank(parsed, limit).map((part) => this.#hit(part, parsed.words));
  }

  close(): void {
    this.#database.close();
  }

  /** Ids of the best parts, one for each document. */
  #rank({ terms }: Query, limit: number): readonly number[] {
    const wanted = limit * CANDIDATES;
    const scores = new Map<number, number>();
    const add = (expression: string, factor: number): void => {
      for (const { id, score } of this.#match(expression, wanted)) {
        scores.set(id, Math.max(scores.get(id) ?? 0, score * factor));
      }
    };
    const expanded = terms
      .map((term) => this.#expand(this.#counted(term)))
      .flatMap((term) =>
        term.count === 0 && term.parts !== undefined
          ? term.parts.map((part) => this.#counted(part))
          : [term],
      )
      .slice(0, MAX_TERMS);
    const present = expanded.filter(({ count }) => count > 0);
    const required = expanded.filter((term) => term.required);
    if (required.some(({ count }) => count === 0) || present.length === 0) return [];
    if (present.length > 1) {
      const near = present
        .filter(({ expression }) => /^"[^"]*"$/.test(expression))
        .map(({ expression }) => expression);
      if (near.length === present.length) add(`NEAR(${near.join(" ")}, 10)`, 3);
    }
    const all = joined(present, " AND ");
    // Of what holds words that stand nearly everywhere only a part is ranked: titles are looked through apart.
    if (present.every(({ count }) => count >= MAX_RANKED)) add(`{title path} : (${all})`, 2);
    add(all, 2);
    if (scores.size < wanted) {
      const must = required.map(({ expression }) => expression);
      add(must.length > 0 ? must.join(" AND ") : joined(rarest(present), " OR "), 1);
    }
    const best = new Map<number, { part: number; score: number }>();
    for (const [part, score] of scores) {
      const document = Math.floor(part / MAX_PARTS);
      if (score > (best.get(document)?.score ?? -Infinity)) best.set(document, { part, score });
    }
    const order = [...best.values()].sort((a, b) => b.score - a.score || a.part - b.part);
    return order.slice(0, limit).map(({ part }) => part);
  }

  #match(
    expression: string,
    limit: number,
  ): readonly { readonly id: number; readonly score: number }[] {
    const { title, path, body, identifiers } = WEIGHTS;
    const rows = this.#all(
      `SELECT id, score FROM (
         SELECT rowid AS id, -bm25(words, ${title}, ${path}, ${body}, ${identifiers}) AS score
         FROM words WHERE words MATCH ? LIMIT ${MAX_RANKED})
       ORDER BY score DESC, id LIMIT ?`,
      expression,
      limit,
    );
    return rows.map(({ id, score }) => ({ id: Number(id), score: Number(score) }));
  }

  #counted(term: QueryTerm): QueryTerm & { readonly count: number } {
    return { ...term, count: this.#count(term.expression) };
  }

  /** How many parts hold a term, counted up to a bound. */
  #count(expression: string): number {
    const row = this.#get(
      `SELECT count(*) AS count FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ${MAX_RANKED})`,
      expression,
    );
    return Number(row?.["count"] ?? 0);
  }

  /**
   * Words that hold the term inside: articles and prepositions are written in front of a word in some
   * languages, endings behind it in others, and compounds are one word. In Arabic and Hebrew that is the
   * rule; elsewhere it is looked for where the word itself stands nowhere. Where no word holds it, those with
   * another ending are taken.
   */
  #expand<T extends QueryTerm & { readonly count: number }>(term: T): T {
    const { text, count, required } = term;
    const isJoined = /[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(text);
    if (required || text.includes(" ") || text.length < 3 || (count > 0 && !isJoined)) return term;
    if (text.length < 4 && !isJoined) return term;
    const inside = this.#wordsWith(text);
    const words = inside.length > 0 || count > 0 ? inside : this.#wordsLike(text);
    if (words.length === 0) return term;
    const forms = words.map((word) => `"${word.replaceAll('"', "")}"`);
    const expression = `(${[...new Set([term.expression, ...forms])].join(" OR ")})`;
    return { ...term, expression, count: this.#count(expression) };
  }

  #wordsWith(text: string): readonly string[] {
    const rows = this.#all(
      `SELECT word FROM vocabulary WHERE id IN (SELECT rowid FROM inside_words WHERE word MATCH ? LIMIT 400)
       ORDER BY length(word) LIMIT ${MAX_EXPANSIONS}`,
      `"${foldWord(indexText(text)).replaceAll('"', "").trim()}"`,
    );
    return rows.map(({ word }) => String(word));
  }

  /** Words that differ in their ending: of letters alone, and all but the last two the same. */
  #wordsLike(text: string): readonly string[] {
    const word = foldWord(indexText(text)).trim();
    if (!/^\p{L}{6,40}$/u.test(word)) return [];
    const beginning = word.slice(0, -2);
    const rows = this.#all(
      `SELECT word FROM vocabulary WHERE word >= ? AND word < ? AND length(word) <= ?
       ORDER BY length(word) LIMIT ${MAX_EXPANSIONS}`,
      beginning,
      `${beginning}\u{10ffff}`,
      word.length + 3,
    );
    return rows.map((row) => String(row["word"]));
  }

  #hit(part: number, words: readonly string[]): SearchHit {
    const row = this.#get(
      `SELECT url, page, line, text FROM parts JOIN documents ON documents.id = parts.id / ${MAX_PARTS}
       WHERE parts.id = ?`,
      part,
    );
    const { title, mainEnd } = JSON.parse(String(row?.["page"])) as PageContent;
    const number = part % MAX_PARTS;
    // What is indexed of the last part ends where the content does.
    const isOnly = number === 0 && mainEnd !== undefined;
    const text = String(row?.["text"]).slice(0, isOnly ? mainEnd : undefined);
    const lines = wrapText(text, LINE_WIDTH);
    const heading = number === 0 ? 2 : 0;
    const passage = bestPassage(text, lines, words, heading);
    const line = Number(row?.["line"]) + passage.line;
    return { url: String(row?.["url"]), title, summary: passage.summary, line };
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(
    sql: string,
    ...values: (string | number | null)[]
  ): { readonly lastInsertRowid: number | bigint } {
    return this.#statement(sql).run(...values);
  }

  #get(
    sql: string,
    ...values: (string | number | null)[]
  ): { readonly [column: string]: unknown } | undefined {
    return this.#statement(sql).get(...values);
  }

  #all(
    sql: string,
    ...values: (string | number | null)[]
  ): readonly { readonly [column: string]: unknown }[] {
    return this.#statement(sql).all(...values);
  }
}

/** The terms that say most, as many of them as can be ranked together. */
function rarest<T extends { readonly count: number }>(terms: readonly T[]): readonly T[] {
  let parts = 0;
  return terms
    .toSorted((a, b) => a.count - b.count)
    .filter(({ count }, at) => {
      parts += count;
      return at === 0 || parts <= MAX_RANKED;
    });
}

function joined(terms: readonly QueryTerm[], operator: " AND " | " OR "): string {
  return terms.map(({ expression }) => expression).join(operator);
}

/** Parts that end at line ends where there are any. */
function partsOf(text: string): readonly { readonly text: string; readonly start: number }[] {
  const parts: { text: string; start: number }[] = [];
  let start = 0;
  while (text.length - start > PART_CHARACTERS && parts.length < MAX_PARTS - 1) {
    const limit = start + PART_CHARACTERS;
    const lineEnd = text.lastIndexOf("\n", limit) + 1;
    let end = lineEnd > start ? lineEnd : limit;
    const unit = text.charCodeAt(end);
    if (unit >= 0xdc00 && unit < 0xe000) end++;
    parts.push({ text: text.slice(start, end), start });
    start = end;
  }
  parts.push({ text: text.slice(start), start });
  return parts;
}
