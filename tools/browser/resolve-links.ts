/** The links of a page, as they can be opened from where it is read. */
import type { PageContent, PageLink } from "./page.ts";
import { LINK } from "./text/links.ts";

/**
 * The page with its links as they can be opened from here: `resolve` gives the address to open, or null
 * for a link that becomes plain text. Ids stay dense, places in the text are carried along.
 */
export function resolveLinks(
  content: PageContent,
  resolve: (url: string) => string | null,
): PageContent {
  const targets = content.links.map((link) => resolve(link.url));
  if (targets.every((target, id) => target === content.links[id]?.url)) return content;
  const ids = new Map<string, number>();
  const links: PageLink[] = [];
  const parts: string[] = [];
  /** Where the text changed, and by how much everything behind is shifted. */
  const changes: { readonly at: number; readonly shift: number }[] = [];
  let copied = 0;
  let shift = 0;
  for (const match of content.text.matchAll(LINK)) {
    const old = Number(match[1]);
    const target = targets[old];
    if (target === undefined) continue;
    let markup = match[2] ?? "";
    if (target !== null) {
      let id = ids.get(target);
      if (id === undefined) {
        id = links.length;
        ids.set(target, id);
        links.push({ ...content.links[old], url: target });
      }
      markup = match[0].replace(/^【\d+/, `【${id}`);
    }
    parts.push(content.text.slice(copied, match.index), markup);
    copied = match.index + match[0].length;
    shift += markup.length - match[0].length;
    changes.push({ at: copied, shift });
  }
  const text = parts.join("") + content.text.slice(copied);
  const moved = (offset: number): number => offset + shiftAt(changes, offset);
  const anchors = Object.entries(content.anchors ?? {}).map(([id, at]) => [id, moved(at)] as const);
  return {
    ...content,
    text,
    links,
    ...(content.anchors && { anchors: Object.fromEntries(anchors) }),
    ...(content.mainEnd !== undefined && { mainEnd: moved(content.mainEnd) }),
  };
}

/** By bisection: the shift of the last change at or before `offset`. */
function shiftAt(
  changes: readonly { readonly at: number; readonly shift: number }[],
  offset: number,
): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.at ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return changes[low - 1]?.shift ?? 0;
}
