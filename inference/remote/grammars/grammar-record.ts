/** What is known of a server beyond one generation. */
export class GrammarRecord {
  /** Texts that it has refused. */
  readonly refused: Set<string> = new Set<string>();
  /** Sentences that were said. */
  readonly said: Set<string> = new Set<string>();
  /** Requests with a grammar that came to an id that is not allowed, and those that did not. */
  misses = 0;
  kept = 0;
  /** Requests in a row that failed with a grammar and were answered without it. */
  refusals = 0;
}
