/**
 * Generation in which text that a grammar forces is not sampled: it is computed like a prompt, several
 * tokens in one pass, and comes out as the same ids.
 */
import type { FinishReason, GenerateOptions, Session, TokenMatcher } from "../engine.ts";

/** A matcher that knows what must come. */
export interface ForcingMatcher extends TokenMatcher {
  /** Ids that must come next, none where there is a choice; each is one that the mask allows. */
  forcedIds(): readonly number[];
}

export type JumpForwardOptions = Omit<GenerateOptions, "matcher" | "logprobs"> & {
  readonly matcher: ForcingMatcher;
  /** Fewer forced ids than this are sampled like others. Default 3: going over costs about one pass. */
  readonly minForced?: number | undefined;
};

/**
 * `session.generate`, with jumps over what `matcher` forces. The matcher stands at the end of the timeline
 * before and after, as with `generate`, also when the loop is left early.
 * @throws what `generate` and `sync` throw
 */
export async function* generateWithJumps(
  session: Session,
  { minForced = 3, ...options }: JumpForwardOptions,
): AsyncGenerator<number, FinishReason, void> {
  const { matcher, maxTokens, stopIds, signal } = options;
  let count = 0;
  while (count < maxTokens) {
    const forced = matcher.forcedIds().slice(0, maxTokens - count);
    if (forced.length >= minForced) {
      yield* jump(session, matcher, forced, signal);
      count += forced.length;
      continue;
    }
    let reason: FinishReason | "jump" = "jump";
    const run = session.generate({ ...options, maxTokens: maxTokens - count });
    try {
      for (;;) {
        const next = await run.next();
        if (next.done) {
          reason = next.value;
          break;
        }
        count++;
        yield next.value;
        if (!stopIds.has(next.value) && matcher.forcedIds().length >= minForced) break;
      }
    } finally {
      await run.return("stop");
    }
    if (reason !== "jump") return reason;
  }
  return "length";
}

async function* jump(
  session: Session,
  matcher: TokenMatcher,
  ids: readonly number[],
  signal: AbortSignal | undefined,
): AsyncGenerator<number, void, void> {
  const from = session.tokens.length;
  await session.sync([...session.tokens, ...ids], { signal });
  let yielded = 0;
  try {
    for (const id of ids) {
      matcher.accept(id);
      yielded++;
      yield id;
    }
  } finally {
    // The loop was left: what was not yielded has not come.
    if (yielded < ids.length) session.rewind(from + yielded);
  }
}
