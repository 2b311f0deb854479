/** Results of several searches as one list. */
import type { SearchHit } from "../backend.ts";
import { canonicalUrl } from "./canonical-url.ts";

/** Of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): how little the first places count more. */
const RANK_CONSTANT = 60;

/**
 * Merges ranked lists: a page scores the sum of 1 / (60 + rank) over the lists that have it, and pages of equal
 * score stay in the order of the lists. A page that several have keeps the address and title of the list that
 * ranks it best, the line in it where one knows it, and the first summary that there is.
 */
export function mergeHits(lists: readonly (readonly SearchHit[])[]): readonly SearchHit[] {
  const pages = new Map<string, { hit: SearchHit; rank: number; score: number }>();
  for (const list of lists) {
    const seen = new Set<string>();
    for (const hit of list) {
      const key = canonicalUrl(hit.url);
      // A list that has a page twice ranks it once.
      if (seen.has(key)) continue;
      seen.add(key);
      const rank = seen.size;
      const score = 1 / (RANK_CONSTANT + rank);
      const known = pages.get(key);
      if (known === undefined) pages.set(key, { hit, rank, score });
      else {
        const [better, other] = rank < known.rank ? [hit, known.hit] : [known.hit, hit];
        pages.set(key, {
          hit: combined(better, other),
          rank: Math.min(rank, known.rank),
          score: known.score + score,
        });
      }
    }
  }
  // Sorting is stable: a Map keeps the order in which pages came.
  return [...pages.values()].sort((a, b) => b.score - a.score).map(({ hit }) => hit);
}

function combined(better: SearchHit, other: SearchHit): SearchHit {
  const line = better.line ?? other.line;
  return {
    ...better,
    summary: better.summary.trim() === "" ? other.summary : better.summary,
    ...(line !== undefined && { line }),
  };
}
