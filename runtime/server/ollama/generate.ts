/** `POST /api/generate`: one prompt in, one text out; `raw` leaves the format to the client. */
import type { Tokenizer } from "../../../harmony/index.ts";
import { answerOptions, type BegunTurn, beginTurn } from "../begin-turn.ts";
import { beginCompletion } from "../completion.ts";
import type { ServerContext } from "../context.ts";
import { invalidField, ServerError } from "../errors.ts";
import { jsonAnswer, line, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, type ServerEnv } from "../http/connection.ts";
import { errorBody, errorFacts } from "../http/dialect.ts";
import type { Context } from "../http/hono.ts";
import { cacheKeyOf } from "../http/session-key.ts";
import type { ConversationItem } from "../turn/items.ts";
import { turnResult } from "../turn/run-turn.ts";
import { truncated } from "../turn/truncate.ts";
import { checkBody } from "../wire/check.ts";
import { lines, loadOrUnload, pieceOf, type Shape, timestamp, whole } from "./chat.ts";
import { mayUnload } from "./manage.ts";
import {
  checkLogprobs,
  effortOfThink,
  generateBody,
  keepAliveMs,
  maxTokensOf,
  nameOf,
  outputOf,
  samplingOf,
} from "./wire.ts";

export async function generate(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const { configuration, clock } = context;
  const signal = connectionSignal(c);
  const body = checkBody(generateBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  const model = nameOf(body);
  const { prompt, system, template, raw = false, options, stream } = body;
  const given = options ?? {};
  checkLogprobs(body.top_logprobs);
  if (raw && (template || system || body.context?.length)) {
    throw new ServerError(
      "CHORALE_REQUEST",
      "raw mode does not support template, system, or context",
    );
  }
  if (body.suffix) throw invalidField("suffix", `"${model}" does not support insert`);
  if (body.images && body.images.length > 0) {
    throw invalidField("images", `"${model}" does not support images`);
  }
  if (template) throw invalidField("template", "A template cannot be given with a request.");
  const wish = {
    model,
    contextLength: given.num_ctx ?? null,
    keepAliveMs: mayUnload(context, c) ? keepAliveMs(body.keep_alive) : null,
  };
  if (!prompt) {
    const done_reason = await loadOrUnload(context, wish, signal);
    return c.json({ model, created_at: timestamp(context), response: "", done: true, done_reason });
  }
  const shape: Shape = {
    model,
    timestamp: () => timestamp(context),
    piece: ({ content = "", thinking }) => ({
      response: content,
      ...(thinking !== undefined && { thinking }),
    }),
    startedAt: clock.now(),
    now: () => clock.now(),
  };
  const stop = typeof given.stop === "string" ? [given.stop] : (given.stop ?? []);
  const sampling = samplingOf(given);
  const maxTokens = maxTokensOf(given);
  let tokenizer: Tokenizer | null = null;
  let said: readonly ConversationItem[] = [];
  const asked: ConversationItem = { type: "user", text: prompt };
  const spoken: Shape = raw
    ? shape
    : {
        ...shape,
        ending: ({ items }) => {
          const answer = items.map((item) => (item.type === "message" ? item.text : "")).join("");
          return tokenizer === null
            ? {}
            : { context: contextOf([...said, asked], answer, tokenizer) };
        },
      };
  const output = outputOf(body.format);
  const effort = effortOfThink(body.think);
  const converse = async (): Promise<BegunTurn> => {
    const loaded = await modelOf(context, wish, signal);
    tokenizer = loaded.tokenizer;
    said = conversationOf(body.context ?? [], tokenizer);
    const instructions: readonly ConversationItem[] = system
      ? [{ type: "system", text: system }]
      : [];
    const request = {
      items: [...instructions, ...said, asked],
      output,
      effort,
      sampling,
      stop,
      maxTokens,
      cacheKey: cacheKeyOf(c, null),
      signal,
    };
    return body.truncate === false
      ? beginTurn(context, wish, request)
      : truncated(request, (shorter) => beginTurn(context, wish, shorter));
  };
  const begun = raw
    ? beginCompletion(context, wish, { prompt, stop, sampling, maxTokens, signal })
    : converse();
  const failure = (error: unknown): object => errorBody("ollama", errorFacts(error));
  if (stream === false) {
    return jsonAnswer(
      begun.then(async (one) => whole(spoken, one, await turnResult(one.turn))),
      { ...answerOptions(context), failure },
    );
  }
  return streamAnswer(
    begun.then((one) => lines(spoken, one)),
    {
      ...answerOptions(context),
      contentType: "application/x-ndjson",
      heartbeat: () => line(pieceOf(spoken, {})),
      failure: (error) => line(failure(error)),
    },
  );
}

async function modelOf(
  { models }: ServerContext,
  wish: Parameters<typeof beginTurn>[1],
  signal: AbortSignal,
): Promise<{ readonly tokenizer: Tokenizer }> {
  const { contextLength = null, keepAliveMs: kept = null } = wish;
  const lease = await models.use(wish.model, { contextLength, keepAliveMs: kept, signal });
  lease.release();
  return lease.model;
}

/**
 * `context` is for the client a list of numbers that it sends back. Here it is the text of the conversation in the
 * model's vocabulary, so that nothing of it has to be kept.
 */
function contextOf(
  said: readonly ConversationItem[],
  answer: string,
  tokenizer: Tokenizer,
): readonly number[] {
  const turns = said.flatMap((item) =>
    item.type === "user" || item.type === "assistant" ? [[item.type, item.text]] : [],
  );
  return tokenizer.encode(JSON.stringify([...turns, ["assistant", answer]]));
}

function conversationOf(ids: readonly number[], tokenizer: Tokenizer): readonly ConversationItem[] {
  if (ids.length === 0) return [];
  try {
    const turns: unknown = JSON.parse(tokenizer.decode(ids));
    if (!Array.isArray(turns)) throw new TypeError("no list");
    return turns.map((turn: unknown): ConversationItem => {
      const [type, text] = Array.isArray(turn) ? turn : [];
      if (typeof text !== "string") throw new TypeError("no text");
      if (type === "user") return { type, text };
      if (type === "assistant") return { type, text, phase: "final_answer" };
      throw new TypeError("no role");
    });
  } catch (cause) {
    throw new ServerError(
      "CHORALE_REQUEST",
      "The field context is not what an answer of this server had.",
      { param: "context", cause },
    );
  }
}
