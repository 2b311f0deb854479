/**
 * What one conversation has seen: every successful call adds a page, and the index of a page is the
 * `cursor` by which later calls and citations name it. A page once shown never changes, so an old
 * cursor and its line numbers stay true.
 */
import type { BrowserBackend, SearchHit } from "./backend.ts";
import { BrowsingError } from "./errors.ts";
import { findInPage } from "./find.ts";
import {
  cleanText,
  createPage,
  LinkTable,
  type Page,
  type PageLink,
  stripLinks,
  withUrlHeading,
} from "./page.ts";
import { fitsInOneView, VIEW_TOKENS, type View, viewPage } from "./view.ts";

/** What a call needs of its context. */
export type ViewLimits = {
  readonly tokenLimit: number;
  readonly countTokens: (text: string) => number;
  readonly signal: AbortSignal;
};

export type OpenRequest = {
  /** A link of the page `cursor`, a URL, or null to show that page again. */
  readonly target: number | string | null;
  /** -1: the latest page. */
  readonly cursor: number;
  /** First line; negative: where the link leads. */
  readonly line: number;
  readonly numLines: number;
};

export type ShownPage = View & { readonly cursor: number; readonly page: Page };

/** How far above a match or passage a view begins. */
const LINES_BEFORE_TARGET = 4;

export class BrowsingSession {
  readonly #backend: BrowserBackend;
  readonly #shown: Page[] = [];
  /** The newest version of each document, for links; pages opened by URL are fetched again. */
  readonly #documents = new Map<string, Page>();

  constructor(backend: BrowserBackend) {
    this.#backend = backend;
  }

  /** The page that a citation means, if that call has been made. */
  pageAt(cursor: number): Page | undefined {
    return this.#shown[cursor];
  }

  /** @throws BrowsingError for the model to read, as every method here */
  async search(query: string, topn: number, limits: ViewLimits): Promise<ShownPage> {
    const hits = await explaining(`Error during search for \`${query}\``, limits.signal, () =>
      this.#backend.search(query, topn, limits.signal),
    );
    return this.#show(searchPage(query, hits), 0, -1, limits);
  }

  async open(request: OpenRequest, limits: ViewLimits): Promise<ShownPage> {
    const { target, numLines } = request;
    if (typeof target === "string") {
      const page = await this.#fetch(target, limits.signal);
      return this.#show(page, Math.max(0, request.line), numLines, limits);
    }
    const from = this.#resolveCursor(request.cursor);
    if (target === null) return this.#show(from, Math.max(0, request.line), numLines, limits);
    const link = from.links[target];
    if (link === undefined) throw new BrowsingError(`Invalid link id \`${target}\`.`);
    const page = this.#documents.get(link.url) ?? (await this.#fetch(link.url, limits.signal));
    const line = request.line >= 0 ? request.line : targetLine(link, page, limits);
    return this.#show(page, line, numLines, limits);
  }

  find(pattern: string, cursor: number, limits: ViewLimits): ShownPage {
    const page = this.#resolveCursor(cursor);
    if (page.kind !== "document") {
      throw new BrowsingError("Cannot run `find` on search results page or find results page");
    }
    return this.#show(createPage(findInPage(page, pattern), "find"), 0, -1, limits);
  }

  #resolveCursor(cursor: number): Page {
    const last = this.#shown.length - 1;
    if (last < 0) throw new BrowsingError("No pages to access!");
    const page = this.#shown[cursor === -1 ? last : cursor];
    if (page === undefined) {
      throw new BrowsingError(
        `Cursor \`${cursor}\` is out of range. Available cursor indices: [0 - ${last}].`,
      );
    }
    return page;
  }

  async #fetch(url: string, signal: AbortSignal): Promise<Page> {
    const content = await explaining(`Error fetching URL \`${url}\``, signal, () =>
      this.#backend.open(url, signal),
    );
    const page = createPage(content, "document");
    this.#documents.set(page.url, page);
    return page;
  }

  /** Only a page that could be shown gets a cursor. */
  #show(page: Page, firstLine: number, numLines: number, limits: ViewLimits): ShownPage {
    const cursor = this.#shown.length;
    const view = viewPage(page, { ...limits, ...viewLimits(limits), cursor, firstLine, numLines });
    this.#shown.push(page);
    return { ...view, cursor, page };
  }
}

function viewLimits(limits: ViewLimits): Pick<ViewLimits, "tokenLimit" | "countTokens"> {
  return {
    tokenLimit: Math.min(VIEW_TOKENS, limits.tokenLimit),
    countTokens: limits.countTokens,
  };
}

function targetLine(link: PageLink, page: Page, limits: ViewLimits): number {
  const { target } = link;
  if (target === undefined || target.line <= LINES_BEFORE_TARGET) return 0;
  if (target.kind === "passage" && fitsInOneView(page, viewLimits(limits))) return 0;
  return Math.min(target.line - LINES_BEFORE_TARGET, page.lines.length - 1);
}

function searchPage(query: string, hits: readonly SearchHit[]): Page {
  const table = new LinkTable();
  const targets = new Map<string, PageLink["target"]>();
  const items = hits.map((hit) => {
    if (hit.line !== undefined) targets.set(hit.url, { line: hit.line, kind: "passage" });
    const title = oneLine(hit.title) || hit.url;
    return `  * ${table.mark(hit.url, title, domainOf(hit.url))} ${oneLine(hit.summary)}`.trimEnd();
  });
  const body =
    items.length > 0 ? items.join("\n") : `No results for \`${query}\`. Try fewer or other words.`;
  const links = table.links.map((link) => {
    const target = targets.get(link.url);
    return target === undefined ? link : { ...link, target };
  });
  const text = withUrlHeading("", `# Search Results\n\n${body}`);
  return createPage({ url: "", title: query, text, links }, "search");
}

function oneLine(text: string): string {
  return cleanText(stripLinks(text)).replace(/\s+/g, " ").trim();
}

function domainOf(url: string): string | null {
  if (!/^https?:\/\//i.test(url)) return null;
  return URL.parse(url)?.host ?? null;
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
