/** The three calls of a conversation: a search, a page opened or scrolled, a phrase found on a page. */
import type { BrowserBackend, SearchHit } from "./backend.ts";
import type { BrowserSession, PageCache, ShownPage, ShownRecord } from "./browser-session.ts";
import { BrowsingError } from "./errors.ts";
import { findInPage, firstMatch } from "./find.ts";
import { lineAt, type Page, type PageContent, type PageLink, withUrlHeading } from "./page.ts";
import { isWeb, splitFragment } from "./text/address.ts";
import { oneLine } from "./text/clean-text.ts";
import { LinkTable, stripLinks } from "./text/links.ts";
import { fitsInOneView, type View, type ViewBudget, viewPage } from "./view.ts";

/** What a call needs of its context. */
export type ViewLimits = ViewBudget & { readonly signal: AbortSignal };

export type OpenRequest = {
  /** A link of the page `cursor`, a URL, or null to show that page again. */
  readonly target: number | string | null;
  /** -1: the latest page. */
  readonly cursor: number;
  /** First line; negative: where the link leads. */
  readonly line: number;
  readonly numLines: number;
};

/** What a call shows, and what it leaves with the thread. */
export type Shown = View & {
  readonly cursor: number;
  readonly page: ShownPage;
  readonly record: ShownRecord;
};

/** How far above a match or passage a view begins. */
const LINES_BEFORE_TARGET = 4;

export class Browsing {
  readonly #backend: BrowserBackend;
  readonly #session: BrowserSession;
  readonly #cache: PageCache;

  /** @param cache that of the session */
  constructor(backend: BrowserBackend, session: BrowserSession, cache: PageCache) {
    this.#backend = backend;
    this.#session = session;
    this.#cache = cache;
  }

  /** @throws BrowsingError for the model to read, as every method here */
  async search(query: string, topn: number, limits: ViewLimits): Promise<Shown> {
    const hits = await explaining(`Error during search for \`${query}\``, limits.signal, () =>
      // One more than is shown tells whether there are more.
      this.#backend.search(query, topn + 1, limits.signal),
    );
    const content = searchPage(query, hits.slice(0, topn), hits.length > topn);
    return this.#show(this.#cache.add(content, "search"), 0, -1, limits);
  }

  async open(request: OpenRequest, limits: ViewLimits): Promise<Shown> {
    const { target, numLines } = request;
    if (typeof target === "string") {
      const page = await this.#fetch(target, limits.signal);
      const line = request.line >= 0 ? request.line : fragmentLine(target, page);
      return this.#show(page, line, numLines, limits);
    }
    const { page: from, cursor } = this.#resolveCursor(request.cursor);
    if (target === null) return this.#show(from, Math.max(0, request.line), numLines, limits);
    const link = from.links[target];
    if (link === undefined) throw new BrowsingError(`Invalid link id \`${target}\`.`);
    const page = this.#linked(cursor, link) ?? (await this.#fetch(link.url, limits.signal));
    const line = request.line >= 0 ? request.line : targetLine(link, page, limits);
    return this.#show(page, line, numLines, limits);
  }

  find(pattern: string, cursor: number, limits: ViewLimits): Shown {
    const { page } = this.#resolveCursor(cursor);
    if (page.kind !== "document") {
      throw new BrowsingError("Cannot run `find` on search results page or find results page");
    }
    return this.#show(this.#cache.add(findInPage(page, pattern), "find"), 0, -1, limits);
  }

  /** -1: the latest. */
  #resolveCursor(cursor: number): { readonly page: ShownPage; readonly cursor: number } {
    const last = this.#session.length - 1;
    if (last < 0) throw new BrowsingError("No pages to access!");
    const named = cursor === -1 ? last : cursor;
    if (named < 0 || named > last) {
      throw new BrowsingError(
        `Cursor \`${cursor}\` is out of range. Available cursor indices: [0 - ${last}].`,
      );
    }
    const page = this.#session.page(named);
    if (page !== undefined) return { page, cursor: named };
    throw new BrowsingError(
      `The page of cursor \`${named}\` was not kept with this conversation; open it by its URL.`,
    );
  }

  /**
   * The page behind a link that was shown before. A match of `find` leads into the page that was searched,
   * also where a newer version has been fetched since.
   */
  #linked(cursor: number, { url, target }: PageLink): ShownPage | undefined {
    return target?.kind === "match"
      ? this.#session.document(url, cursor)
      : this.#session.document(splitFragment(url).url);
  }

  async #fetch(url: string, signal: AbortSignal): Promise<ShownPage> {
    const content = await explaining(`Error fetching URL \`${url}\``, signal, () =>
      this.#backend.open(url, signal),
    );
    return this.#cache.add(content, "document");
  }

  /** Only a page that could be shown gets a cursor. */
  #show(page: ShownPage, firstLine: number, numLines: number, limits: ViewLimits): Shown {
    const cursor = this.#session.length;
    const view = viewPage(page, { ...limits, cursor, firstLine, numLines });
    const record = this.#session.show(page, { first: view.firstLine, last: view.lastLine });
    return { ...view, cursor, page, record };
  }
}

function targetLine(link: PageLink, page: Page, limits: ViewBudget): number {
  const { target } = link;
  if (target === undefined) return fragmentLine(link.url, page);
  if (target.line <= LINES_BEFORE_TARGET) return 0;
  if (target.kind === "passage" && fitsInOneView(page, limits)) return 0;
  return Math.min(target.line - LINES_BEFORE_TARGET, page.lines.length - 1);
}

/** The line that the fragment of an address names; 0 where it names none. */
function fragmentLine(address: string, page: Page): number {
  const { fragment } = splitFragment(address);
  const [name = "", directive] = fragment.split(":~:");
  const anchors = page.anchors ?? {};
  const wanted = plainName(name);
  const found =
    [name, name.toLowerCase()].find((each) => Object.hasOwn(anchors, each)) ??
    (wanted === "" ? undefined : Object.keys(anchors).find((each) => plainName(each) === wanted));
  if (found !== undefined) return lineAt(page, anchors[found] ?? 0);
  return directive === undefined ? 0 : textDirectiveLine(directive, page);
}

/** Programs that name headings differ in hyphens and signs. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/** `text=prefix-,start,end,-suffix`, as browsers make links to a passage. */
function textDirectiveLine(directive: string, page: Page): number {
  const parts = /^text=([^&]*)/.exec(directive)?.[1]?.split(",") ?? [];
  const start = parts.find((part) => !part.endsWith("-") && !part.startsWith("-"));
  return start === undefined ? 0 : (firstMatch(page, start) ?? 0);
}

function searchPage(query: string, hits: readonly SearchHit[], hasMore: boolean): PageContent {
  const table = new LinkTable();
  const targets = new Map<string, PageLink["target"]>();
  const items = hits.map((hit) => {
    if (hit.line !== undefined) targets.set(hit.url, { line: hit.line, kind: "passage" });
    const title = oneLine(stripLinks(hit.title)) || hit.url;
    const summary = oneLine(stripLinks(hit.summary));
    return `  * ${table.mark(hit.url, title, domainOf(hit.url))} ${summary}`.trimEnd();
  });
  if (hasMore) items.push(`\n[These are the best ${hits.length}; there are more results.]`);
  const asked = oneLine(query);
  const body =
    items.length > 0 ? items.join("\n") : `No results for \`${asked}\`. Try fewer or other words.`;
  const links = table.links.map((link) => {
    const target = targets.get(link.url);
    return target === undefined ? link : { ...link, target };
  });
  const text = withUrlHeading("", `# Search Results\n\n${body}`);
  return { url: "", title: asked, text, links };
}

function domainOf(url: string): string | null {
  return isWeb(url) ? (URL.parse(url)?.host ?? null) : null;
}

/** Says what was attempted when the backend fails; an abort stays an abort. */
async function explaining<T>(
  attempt: string,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new BrowsingError(`${attempt}: ${reason}`, { cause: error });
  }
}
