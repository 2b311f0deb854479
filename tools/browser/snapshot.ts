/** The state of a browsing session as JSON, to be kept with a conversation and put back later. */
import { createHash } from "node:crypto";
import { BrowserSnapshotError } from "./errors.ts";
import { createPage, type Page, type PageContent, type PageKind } from "./page.ts";

/** A JSON value. */
export type BrowserSnapshot = {
  readonly version: 1;
  /** By cursor: which page was shown. */
  readonly shown: readonly { readonly page: string; readonly kind: PageKind }[];
  /** By the SHA-256 of what was read, so that a citation can be checked against its source. */
  readonly pages: { readonly [sha256: string]: PageContent };
};

const KINDS: ReadonlySet<string> = new Set<PageKind>(["document", "search", "find"]);

export function takeSnapshot(shown: readonly Page[]): BrowserSnapshot {
  const pages: { [sha256: string]: PageContent } = {};
  const hashes = new Map<Page, string>();
  const entries = shown.map((page) => {
    const { kind, lines: _, ...content } = page;
    let hash = hashes.get(page);
    if (hash === undefined) {
      hash = createHash("sha256").update(JSON.stringify(content)).digest("hex");
      hashes.set(page, hash);
      pages[hash] = content;
    }
    return { page: hash, kind };
  });
  return { version: 1, shown: entries, pages };
}

/** @throws BrowserSnapshotError when the value is no snapshot, or was changed */
export function readSnapshot(value: unknown): readonly Page[] {
  const { version, shown, pages } = (value ?? {}) as Partial<BrowserSnapshot>;
  if (version !== 1 || !Array.isArray(shown) || typeof pages !== "object" || pages === null) {
    throw new BrowserSnapshotError("it has no version 1, list of shown pages, and pages");
  }
  const restored = new Map<string, Page>();
  return shown.map(({ page: hash, kind }: BrowserSnapshot["shown"][number], cursor) => {
    const content = Object.hasOwn(pages, hash) ? pages[hash] : undefined;
    if (!isContent(content) || !KINDS.has(kind)) {
      throw new BrowserSnapshotError(`the page of cursor ${cursor} is not in it`);
    }
    if (createHash("sha256").update(JSON.stringify(content)).digest("hex") !== hash) {
      throw new BrowserSnapshotError(`the page of cursor ${cursor} is not the one that was shown`);
    }
    let page = restored.get(hash);
    if (page === undefined) {
      page = createPage(content, kind);
      restored.set(hash, page);
    }
    return page;
  });
}

function isContent(value: PageContent | undefined): value is PageContent {
  return (
    typeof value?.url === "string" &&
    typeof value.title === "string" &&
    typeof value.text === "string" &&
    Array.isArray(value.links)
  );
}
