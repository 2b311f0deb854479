/**
 * `POST /v1/completions` (text or ids in, text and, as vLLM has it, ids out) and vLLM's endpoint of ids alone. Nothing
 * is put around the prompt.
 */
import type { TokenLogprobs } from "../../../inference/index.ts";
import { answerOptions } from "../begin-turn.ts";
import { type BegunCompletion, beginCompletion, type CompletionOptions } from "../completion.ts";
import type { ServerContext } from "../context.ts";
import { invalidField } from "../errors.ts";
import { jsonAnswer, sse, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, type ServerEnv } from "../http/connection.ts";
import { errorBody, errorFacts } from "../http/dialect.ts";
import type { Context } from "../http/hono.ts";
import { cacheKeyOf } from "../http/session-key.ts";
import { newId } from "../ids.ts";
import type { TurnResult } from "../turn/items.ts";
import { turnResult } from "../turn/run-turn.ts";
import { checkBody } from "../wire/check.ts";
import { completionUsage } from "./usage.ts";
import { completionBody, generateIdsBody, modelOf, samplingOf, stopOf } from "./wire.ts";

/** OpenAI's default. */
const DEFAULT_MAX_TOKENS = 16;

type Token = { readonly id: number; readonly logprobs: TokenLogprobs | null };

/** How the answers of one endpoint look. */
type Shape = {
  /** @param isLast with the reason why it ended */
  readonly chunk: (begun: BegunCompletion, part: Part) => object;
  readonly includesUsage: boolean;
};

type Part = {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly isFirst: boolean;
  /** null: more comes. */
  readonly result: TurnResult | null;
};

export async function completions(
  context: ServerContext,
  c: Context<ServerEnv>,
): Promise<Response> {
  const body = checkBody(
    completionBody,
    await readJson(c.req.raw, context.configuration.maxBodyBytes),
  );
  const model = modelOf(body);
  if ((body.n ?? 1) !== 1) throw invalidField("n", "n is not 1; accepted: one answer.");
  if (body.suffix) throw invalidField("suffix", `"${model}" does not support insert`);
  if (body.echo) throw invalidField("echo", "The prompt is not repeated; accepted: false.");
  if (body.allowed_token_ids?.length === 0) {
    throw invalidField("allowed_token_ids", "No token is allowed; accepted: one or more.");
  }
  const prompt = onePrompt(body.prompt);
  const { logprobs } = body;
  const top = typeof logprobs === "number" ? logprobs : logprobs === true ? 0 : null;
  const showsIds = body.return_token_ids === true;
  const namesIds = body.return_tokens_as_token_ids === true;
  const head = {
    id: newId("cmpl-"),
    object: "text_completion",
    created: Math.floor(context.clock.now() / 1000),
    model,
  };
  const shape: Shape = {
    includesUsage: body.stream_options?.include_usage === true,
    chunk: (begun, { text, tokens, isFirst, result }) => ({
      ...head,
      choices: [
        {
          index: 0,
          text,
          logprobs: top === null ? null : logprobsOf(begun, tokens, namesIds),
          finish_reason: result === null ? null : finishReason(result),
          stop_reason: result === null ? null : (result.stopString ?? begun.stopId()),
          ...(showsIds && { token_ids: tokens.map(({ id }) => id) }),
          ...(showsIds && isFirst && { prompt_token_ids: begun.promptIds }),
        },
      ],
    }),
  };
  return answer(context, c, body.stream === true, model, shape, {
    prompt,
    maxTokens: body.max_tokens ?? DEFAULT_MAX_TOKENS,
    sampling: samplingOf(body),
    stop: stopOf(body.stop),
    stopIds: body.stop_token_ids ?? [],
    allowedIds: body.allowed_token_ids ?? null,
    ignoresEnd: body.ignore_eos ?? false,
    showsSpecial: body.skip_special_tokens === false,
    topLogprobs: top,
    cacheKey: cacheKeyOf(c, body.prompt_cache_key),
  });
}

export async function generateIds(
  context: ServerContext,
  c: Context<ServerEnv>,
): Promise<Response> {
  const body = checkBody(
    generateIdsBody,
    await readJson(c.req.raw, context.configuration.maxBodyBytes),
  );
  const [first] = await context.models.source.list();
  const model = body.model ?? first?.name ?? "";
  const { sampling_params: given } = body;
  const top = given?.logprobs ?? null;
  const requestId = body.request_id ?? newId("gen-");
  const shape: Shape = {
    includesUsage: false,
    chunk: (begun, { tokens, result }) => ({
      request_id: requestId,
      choices: [
        {
          index: 0,
          token_ids: tokens.map(({ id }) => id),
          logprobs: top === null ? null : logprobsOf(begun, tokens, false),
          finish_reason: result === null ? null : finishReason(result),
        },
      ],
      prompt_logprobs: null,
      kv_transfer_params: null,
    }),
  };
  return answer(context, c, body.stream === true, model, shape, {
    prompt: body.token_ids,
    maxTokens: given?.max_tokens ?? DEFAULT_MAX_TOKENS,
    sampling: samplingOf(given ?? {}),
    stopIds: given?.stop_token_ids ?? [],
    ignoresEnd: given?.ignore_eos ?? false,
    showsSpecial: true,
    topLogprobs: top,
    cacheKey: cacheKeyOf(c, body.cache_salt),
  });
}

async function answer(
  context: ServerContext,
  c: Context<ServerEnv>,
  isStream: boolean,
  model: string,
  shape: Shape,
  options: Omit<CompletionOptions, "signal" | "onToken">,
): Promise<Response> {
  const tokens: Token[] = [];
  const begun = beginCompletion(
    context,
    { model },
    {
      ...options,
      signal: connectionSignal(c),
      onToken: (id, logprobs) => tokens.push({ id, logprobs }),
    },
  );
  if (!isStream) {
    const value = begun.then(async (one) => {
      const result = await turnResult(one.turn);
      checkResult(result);
      const text = result.items.map((item) => ("text" in item ? item.text : "")).join("");
      const part = { text, tokens, isFirst: true, result };
      return { ...shape.chunk(one, part), usage: completionUsage(result.usage) };
    });
    return jsonAnswer(value, {
      ...answerOptions(context),
      failure: (error) => errorBody("openai", errorFacts(error)),
    });
  }
  return streamAnswer(
    begun.then((one) => chunks(shape, one, tokens)),
    {
      ...answerOptions(context),
      contentType: "text/event-stream",
      heartbeat: () => ": still at work\n\n",
      failure: (error) => sse(errorBody("openai", errorFacts(error))) + sse("[DONE]"),
    },
  );
}

/** @param tokens grows while the completion is read */
async function* chunks(
  shape: Shape,
  begun: BegunCompletion,
  tokens: Token[],
): AsyncGenerator<string, void, void> {
  let isFirst = true;
  const part = (text: string, result: TurnResult | null): string => {
    const told = { text, tokens: tokens.splice(0), isFirst, result };
    isFirst = false;
    return sse(shape.chunk(begun, told));
  };
  for (;;) {
    const next = await begun.turn.next();
    if (next.done) {
      checkResult(next.value);
      yield part("", next.value);
      if (shape.includesUsage) {
        const { usage } = next.value;
        const last = shape.chunk(begun, { text: "", tokens: [], isFirst, result: null });
        yield sse({ ...last, choices: [], usage: completionUsage(usage) });
      }
      yield sse("[DONE]");
      return;
    }
    if (next.value.type === "item.delta") yield part(next.value.text, null);
  }
}

/** @param namesIds tokens are named by their ids, as vLLM does it: `token_id:200005` */
function logprobsOf(
  { tokenizer }: BegunCompletion,
  tokens: readonly Token[],
  namesIds: boolean,
): object {
  const textOf = (id: number): string =>
    namesIds ? `token_id:${id}` : tokenizer.decodeLossy([id]);
  let offset = 0;
  return {
    tokens: tokens.map(({ id }) => textOf(id)),
    token_logprobs: tokens.map(({ logprobs }) => logprobs?.logprob ?? null),
    top_logprobs: tokens.map(({ logprobs }) =>
      Object.fromEntries((logprobs?.top ?? []).map(({ id, logprob }) => [textOf(id), logprob])),
    ),
    text_offset: tokens.map(({ id }) => {
      const at = offset;
      offset += textOf(id).length;
      return at;
    }),
  };
}

function onePrompt(
  prompt: string | readonly number[] | readonly string[] | readonly (readonly number[])[],
): string | readonly number[] {
  if (typeof prompt === "string") return prompt;
  const [first] = prompt;
  if (typeof first === "number" || first === undefined) return prompt as readonly number[];
  if (prompt.length === 1) return first;
  throw invalidField("prompt", "There are several prompts; accepted: one.");
}

function finishReason({ finish }: TurnResult): string {
  return finish === "length" ? "length" : "stop";
}

/** @throws what the completion failed with */
function checkResult({ finish, error }: TurnResult): void {
  if (finish === "failed" || finish === "cancelled") throw error;
}
