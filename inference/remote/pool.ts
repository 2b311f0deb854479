/**
 * Which server computes: the one that has the beginning of the timeline in its cache, unless it has failed lately, is
 * to take no more, or has much more to do than another.
 */
import type { Replica } from "./replica.ts";

/** Requests that a server may have beyond the one with the fewest, before another is taken. */
const SLACK = 4;
/** Tokens by which timelines that begin alike are known. */
const LEADING_TOKENS = 256;
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;

export class ReplicaPool {
  readonly replicas: readonly Replica[];

  constructor(replicas: readonly Replica[]) {
    this.replicas = replicas;
  }

  /**
   * @param tokens    the timeline
   * @param last      the server that computed it until now
   * @param failed    those that have failed since the last token came
   * @returns null where all are drained
   */
  choose(
    tokens: readonly number[],
    last: Replica | null,
    failed: ReadonlySet<Replica>,
  ): Replica | null {
    const open = this.replicas.filter(({ isDrained }) => !isDrained);
    const now = performance.now();
    const well = open.filter((one) => !failed.has(one) && one.restsUntil <= now);
    // Where none is well, one that has not failed for this request; then the one whose rest ends first.
    const fresh = open.filter((one) => !failed.has(one));
    const candidates = well.length > 0 ? well : fresh.length > 0 ? fresh : open;
    if (well.length === 0) return least(candidates, ({ restsUntil }) => restsUntil);
    const fewest = Math.min(...candidates.map(({ active }) => active));
    const free = candidates.filter(({ active }) => active <= fewest + SLACK);
    if (last !== null && free.includes(last)) return last;
    const prefix = hashOf(tokens.slice(0, LEADING_TOKENS));
    const favourite = least(candidates, (one) => -score(prefix, one));
    if (favourite !== null && free.includes(favourite)) return favourite;
    return least(free, ({ active }) => active);
  }

  begin(replica: Replica): void {
    replica.active++;
  }

  end(replica: Replica): void {
    replica.active--;
    if (replica.active === 0) replica.onIdle?.();
  }

  succeeded(replica: Replica): void {
    replica.failures = 0;
    replica.restsUntil = 0;
  }

  failed(replica: Replica, retryAfterMs: number): void {
    replica.failures++;
    const rest = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (replica.failures - 1));
    replica.restsUntil =
      performance.now() + Math.max(rest * (0.5 + Math.random() / 2), retryAfterMs);
  }
}

function least(replicas: readonly Replica[], by: (one: Replica) => number): Replica | null {
  return replicas.reduce<Replica | null>(
    (found, one) => (found === null || by(one) < by(found) ? one : found),
    null,
  );
}

/** Rendezvous hashing: when a server comes or goes, only its own timelines move. */
function score(prefix: number, { name }: Replica): number {
  let hash = prefix;
  for (let at = 0; at < name.length; at++) hash = mixed(hash ^ name.charCodeAt(at));
  return hash;
}

function hashOf(tokens: readonly number[]): number {
  return tokens.reduce((hash, id) => mixed(hash ^ id), 0x811c9dc5);
}

/** 32 bits to 32 bits, each of which depends on each (the finaliser of MurmurHash3). */
export function mixed(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
