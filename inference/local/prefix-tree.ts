/**
 * Which pages of keys and values hold which beginning of a conversation, so that sessions which begin alike
 * share them (RadixAttention of SGLang, automatic prefix caching of vLLM; here a tree of whole pages, compared
 * by their ids, not by a hash). A page in the tree is never written again. Pages that no session uses any more
 * stay until others need their place; the one that was left for the longest time goes first.
 */

import { KV_PAGE } from "../wasm/kernels.ts";

type Node = {
  /** Number of the page. */
  readonly page: number;
  /** `KV_PAGE` ids. */
  readonly ids: readonly number[];
  readonly parent: Node | null;
  /** By the first id. */
  readonly children: Map<number, Node[]>;
  /** Sessions that use it. */
  uses: number;
};

export class PrefixTree {
  readonly #roots = new Map<number, Node[]>();
  readonly #nodes = new Map<number, Node>();
  /** Without a session, in the order in which they were left; the children of a node before it. */
  readonly #unused = new Set<Node>();

  /** Pages that no session uses. */
  get unused(): number {
    return this.#unused.size;
  }

  has(page: number): boolean {
    return this.#nodes.has(page);
  }

  /**
   * The pages that hold the first ids, as far as there are any.
   * @returns their numbers, in order; and the page whose first `shared` ids come next, where there is one
   */
  find(ids: readonly number[]): {
    readonly pages: readonly number[];
    readonly next: { readonly page: number; readonly shared: number } | null;
  } {
    const pages: number[] = [];
    let children = this.#roots;
    for (;;) {
      const at = pages.length * KV_PAGE;
      let best: { node: Node; shared: number } | null = null;
      for (const node of children.get(ids[at] ?? -1) ?? []) {
        const shared = sharedIds(node.ids, ids, at);
        if (shared > (best?.shared ?? 0)) best = { node, shared };
      }
      if (best === null) return { pages, next: null };
      const { node, shared } = best;
      if (shared < KV_PAGE) return { pages, next: { page: node.page, shared } };
      pages.push(node.page);
      children = node.children;
    }
  }

  /** A session uses a page; one that is not in the tree is the session's own. */
  use(page: number): void {
    const node = this.#nodes.get(page);
    if (node === undefined) return;
    node.uses++;
    this.#unused.delete(node);
  }

  /**
   * A session no longer uses a page. Of several, the last in order goes first.
   * @returns whether the tree keeps it
   */
  leave(page: number): boolean {
    const node = this.#nodes.get(page);
    if (node === undefined) return false;
    if (--node.uses === 0) this.#unused.add(node);
    return true;
  }

  /**
   * Takes up the pages of a session.
   * @param ids of the timeline
   * @param pages that hold its beginning, whole ones; the session uses all of them
   * @returns for each the page that holds the same ids: itself, or one that was here before, which the
   *   session then uses in its place
   */
  add(ids: readonly number[], pages: readonly number[]): number[] {
    const kept: number[] = [];
    let parent: Node | null = null;
    let children = this.#roots;
    for (const [index, page] of pages.entries()) {
      const at = index * KV_PAGE;
      const first = ids[at]!;
      const siblings: Node[] = children.get(first) ?? [];
      let node: Node | undefined = siblings.find(
        (sibling) => sharedIds(sibling.ids, ids, at) === KV_PAGE,
      );
      if (node === undefined) {
        const own = ids.slice(at, at + KV_PAGE);
        node = { page, ids: own, parent, children: new Map(), uses: 1 };
        children.set(first, [...siblings, node]);
        this.#nodes.set(page, node);
      } else if (node.page !== page) {
        this.use(node.page);
      }
      kept.push(node.page);
      parent = node;
      children = node.children;
    }
    return kept;
  }

  /** Gives up at most so many pages that no session uses. */
  evict(count: number): number[] {
    const pages: number[] = [];
    for (const node of this.#unused) {
      if (pages.length >= count) break;
      // Its children were left later, by another session; they go before it.
      if (node.children.size === 0) pages.push(this.#remove(node));
    }
    if (pages.length === 0 || pages.length >= count) return pages;
    return [...pages, ...this.evict(count - pages.length)];
  }

  #remove(node: Node): number {
    this.#unused.delete(node);
    this.#nodes.delete(node.page);
    const children = node.parent?.children ?? this.#roots;
    const first = node.ids[0]!;
    const siblings = (children.get(first) ?? []).filter((sibling) => sibling !== node);
    if (siblings.length > 0) children.set(first, siblings);
    else children.delete(first);
    return node.page;
  }
}

/** How many ids of a page are those from `at` on. */
function sharedIds(page: readonly number[], ids: readonly number[], at: number): number {
  let count = 0;
  while (count < page.length && at + count < ids.length && page[count] === ids[at + count]) count++;
  return count;
}
