/** A turn for a request of any API: the model it names, loaded; the turn, accepted; both given back at its end. */
import type { ServerContext } from "./context.ts";
import type { AnswerOptions } from "./http/answer.ts";
import { noteFailure } from "./http/dialect.ts";
import type { ModelFacts } from "./models/model-source.ts";
import type { TurnEvent, TurnResult } from "./turn/items.ts";
import { runTurn, type TurnRequest } from "./turn/run-turn.ts";

export type BegunTurn = {
  readonly facts: ModelFacts;
  /** Milliseconds that the request has waited for the model to be loaded. */
  readonly loadMs: number;
  readonly inputTokens: number;
  /** Has to be read to its end, or left by `return`. */
  readonly turn: AsyncGenerator<TurnEvent, TurnResult, void>;
};

export type ModelWish = {
  /** As it was sent. */
  readonly model: string;
  readonly contextLength?: number | null;
  readonly keepAliveMs?: number | null;
};

/**
 * Resolves when the request was accepted: its model is loaded, its prompt fits, and it has a place in the queue.
 * @throws ServerError, UsageError, what loading throws, the signal's reason
 */
export async function beginTurn(
  context: ServerContext,
  wish: ModelWish,
  request: TurnRequest,
): Promise<BegunTurn> {
  const { models, metrics, admission, memory } = context;
  const signal = AbortSignal.any([request.signal, context.closing]);
  const { contextLength = null, keepAliveMs = null } = wish;
  const lease = await models.use(wish.model, { contextLength, keepAliveMs, signal });
  const onEnd = (result: TurnResult | null): void => {
    lease.release();
    if (result !== null) metrics.turnEnded(result);
  };
  const turn = runTurn({ model: lease.model, admission, memory, onEnd }, { ...request, signal });
  const first = await turn.next();
  const inputTokens = !first.done && first.value.type === "accepted" ? first.value.inputTokens : 0;
  return { facts: lease.facts, loadMs: lease.loadMs, inputTokens, turn };
}

/** How answers of this server behave while the model is silent. */
export function answerOptions({ clock, configuration, note }: ServerContext): AnswerOptions {
  const { heartbeatMs } = configuration;
  const onFailure = (error: unknown): void => noteFailure(error, "an answer", note);
  return { clock, heartbeatMs, commitMs: heartbeatMs, onFailure };
}
