/** What is known of a server beyond one generation. */
export class GrammarRecord {
  /** Texts that it has refused. */
  readonly refused: Set<string> = new Set<string>();
  /** Sentences that were said. */
  readonly said: Set<string> = new Set<string>();
  misses = 0;
  refusals = 0;
}
