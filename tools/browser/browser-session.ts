/**
 * What one conversation was shown: every successful call adds a page, and the index of a page is the `cursor`
 * by which later calls and citations name it. A page once shown never changes, so an old cursor and its line
 * numbers stay true. Each call leaves a record with the thread; the records are all of the state.
 */
import { createHash } from "node:crypto";
import { Lru } from "../core/lru.ts";
import { createPage, type Page, type PageContent, type PageKind, type PageLink } from "./page.ts";

/** What a call leaves with the thread. A JSON value. */
export type ShownRecord = {
  readonly cursor: number;
  readonly kind: PageKind;
  /** Of the page; see `pageHash`. */
  readonly sha256: string;
  /** Lines that were shown of it. */
  readonly firstLine: number;
  readonly lastLine: number;
  /** The page as it was read. Absent where an earlier record of the thread has it. */
  readonly content?: PageContent;
};

/** Lines that were shown, both ends included. */
export type LineRange = { readonly first: number; readonly last: number };

/** A page with the hash of its content. */
export type ShownPage = Page & { readonly sha256: string };

/** Pages that are kept wrapped, in the process. */
const WRAPPED_PAGES = 16;

/** Pages by their hash, so that the calls of a conversation do not wrap them again. */
export class PageCache {
  readonly #pages = new Lru<string, ShownPage>(WRAPPED_PAGES);

  get(sha256: string): ShownPage | undefined {
    return this.#pages.get(sha256);
  }

  add(content: PageContent, kind: PageKind): ShownPage {
    const page = shownPage(content, kind);
    this.#pages.set(page.sha256, page);
    return page;
  }
}

const KINDS: ReadonlySet<unknown> = new Set<PageKind>(["document", "search", "find"]);

export class BrowserSession {
  /** By cursor; a record that cannot be read leaves its cursor without a page. */
  readonly #shown: (ShownRecord | undefined)[] = [];
  readonly #contents = new Map<string, PageContent>();
  readonly #cache: PageCache;

  private constructor(cache: PageCache) {
    this.#cache = cache;
  }

  /**
   * Rebuilds the session from what its calls left with the thread. A record that is none, or a page that is
   * not the one of its hash, leaves that cursor without a page.
   *
   * @param records `ThreadState.toolStates` of the browser, oldest first
   */
  static of(records: readonly unknown[], cache: PageCache = new PageCache()): BrowserSession {
    const session = new BrowserSession(cache);
    for (const record of records) if (isRecord(record)) session.#add(record);
    return session;
  }

  /** How many cursors there are. */
  get length(): number {
    return this.#shown.length;
  }

  /** The page that a cursor means; undefined where there is none. */
  page(cursor: number): ShownPage | undefined {
    const record = this.#shown[cursor];
    return record && this.#pageOf(record);
  }

  /**
   * The lines of a cursor's page that were shown, by this call or by others of the same page, in order and
   * without overlaps.
   */
  shownLines(cursor: number): readonly LineRange[] {
    const record = this.#shown[cursor];
    if (record === undefined) return [];
    const ranges = this.#shown
      .filter((other) => other?.sha256 === record.sha256)
      .map((other) => ({ first: other?.firstLine ?? 0, last: other?.lastLine ?? 0 }))
      .sort((a, b) => a.first - b.first);
    const joined: LineRange[] = [];
    for (const range of ranges) {
      const before = joined.at(-1);
      if (before === undefined || range.first > before.last + 1) joined.push(range);
      else joined.splice(-1, 1, { ...before, last: Math.max(before.last, range.last) });
    }
    return joined;
  }

  /** The latest document of an address that was shown before `cursor`. */
  document(url: string, cursor: number = this.length): ShownPage | undefined {
    const record = this.#shown.findLast(
      (shown, at) =>
        at < cursor && shown?.kind === "document" && this.#contents.get(shown.sha256)?.url === url,
    );
    return record && this.#pageOf(record);
  }

  /** Gives a page the next cursor. @returns what is to be left with the thread */
  show(page: ShownPage, { first, last }: LineRange): ShownRecord {
    const { kind, sha256 } = page;
    const isKnown = this.#contents.has(sha256);
    const record: ShownRecord = {
      cursor: this.length,
      kind,
      sha256,
      firstLine: first,
      lastLine: last,
      ...(!isKnown && { content: contentOf(page) }),
    };
    this.#add(record);
    return record;
  }

  #add(record: ShownRecord): void {
    const { content, sha256, cursor } = record;
    if (content !== undefined && !this.#contents.has(sha256)) this.#contents.set(sha256, content);
    // Holes are filled, so that every index is there.
    while (this.#shown.length < cursor) this.#shown.push(undefined);
    this.#shown[cursor] = record;
  }

  #pageOf({ sha256, kind }: ShownRecord): ShownPage | undefined {
    const content = this.#contents.get(sha256);
    if (content === undefined) return undefined;
    const page = this.#cache.get(sha256) ?? this.#cache.add(content, kind);
    if (page.sha256 !== sha256) return undefined;
    return page.kind === kind ? page : { ...page, kind };
  }
}

/** A page as it is shown: wrapped into lines, with the hash of its content. */
export function shownPage(content: PageContent, kind: PageKind = "document"): ShownPage {
  return { ...createPage(content, kind), sha256: pageHash(content) };
}

/** SHA-256 of a page's content in the canonical form of JSON (RFC 8785), in hexadecimal digits. */
export function pageHash(content: PageContent): string {
  return createHash("sha256").update(canonicalJson(content)).digest("hex");
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  const members = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`);
  return `{${members.join(",")}}`;
}

function contentOf({ kind: _, lines: __, sha256: ___, ...content }: ShownPage): PageContent {
  return content;
}

/** More calls than these, no conversation makes; a forged cursor must not fill the memory. */
const HIGHEST_CURSOR = 1_000_000;

function isRecord(value: unknown): value is ShownRecord {
  if (typeof value !== "object" || value === null) return false;
  const { cursor, kind, sha256, firstLine, lastLine, content } = value as Partial<ShownRecord>;
  return (
    isIndex(cursor) &&
    cursor <= HIGHEST_CURSOR &&
    KINDS.has(kind) &&
    typeof sha256 === "string" &&
    isIndex(firstLine) &&
    isIndex(lastLine) &&
    (content === undefined || isContent(content))
  );
}

function isIndex(value: number | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isContent(value: PageContent): boolean {
  return (
    typeof value === "object" &&
    typeof value?.url === "string" &&
    typeof value.title === "string" &&
    typeof value.text === "string" &&
    Array.isArray(value.links) &&
    value.links.every((link: unknown) => typeof (link as PageLink | null)?.url === "string")
  );
}
