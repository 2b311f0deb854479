/** How vLLM, SGLang and llama-server tell the tokens of an answer, from their shapes as recorded. */
import { likeliest, nextId, STOP_ID, TEXTS } from "./fake-model.ts";

export type Kind = "vllm" | "vllm-tokens" | "sglang" | "sglang-incremental" | "llama";

export type Asked = {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly stopIds: readonly number[];
  readonly isStream: boolean;
  readonly top: number | null;
  readonly allowed: readonly number[] | undefined;
  readonly hasGrammar: boolean;
  readonly fields: Record<string, unknown>;
};

/** The text of a whole stream of one answer, as each kind of server writes it. */
export function streamText(kind: Kind, prompt: readonly number[], maxTokens: number): string {
  const asked = { prompt, maxTokens, stopIds: [STOP_ID], isStream: true, top: null };
  const speaker = SPEAKERS[kind](
    { ...asked, allowed: undefined, hasGrammar: false, fields: {} },
    false,
  );
  const timeline = [...prompt];
  const events: object[] = kind === "llama" ? [llamaProgress(prompt.length)] : [];
  for (let id = -1; id !== STOP_ID && timeline.length < prompt.length + maxTokens; ) {
    id = nextId(timeline);
    timeline.push(id);
    const isLast = timeline.length === prompt.length + maxTokens;
    const finish = id === STOP_ID ? "stop" : isLast ? "length" : null;
    events.push(...speaker(id, timeline.slice(prompt.length), finish));
  }
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  return kind === "llama" ? text : `${text}data: [DONE]\n\n`;
}

export type Finish = "stop" | "length" | null;
/** The events of one token, or where the answer is no stream the answer so far. */
export type Speaker = (id: number, said: readonly number[], finish: Finish) => Iterable<object>;

export const SPEAKERS: Readonly<Record<Kind, (asked: Asked, tells: boolean) => Speaker>> = {
  vllm: vllmSpeaker,
  "vllm-tokens": vllmSpeaker,
  sglang: (asked, tells) => sglangSpeaker(asked, tells, false),
  "sglang-incremental": (asked, tells) => sglangSpeaker(asked, tells, true),
  llama: llamaSpeaker,
};

function vllmSpeaker({ prompt, top, isStream, fields }: Asked, tells: boolean): Speaker {
  const usage = { prompt_tokens: prompt.length };
  const behind = fields["prompt_logprobs"];
  return function* (id, said, finish) {
    const ids = isStream ? [id] : said;
    const from = prompt.length + said.length - ids.length;
    const timeline = [...prompt, ...said];
    yield {
      choices: [
        {
          index: 0,
          text: "…",
          token_ids: ids,
          ...(said.length === 1 && isStream && { prompt_token_ids: prompt }),
          logprobs:
            top === null || !tells
              ? null
              : {
                  tokens: ids.map((one) => `token_id:${one}`),
                  token_logprobs: ids.map(() => -0.5),
                  top_logprobs: ids.map((_, at) =>
                    Object.fromEntries(
                      likeliest(timeline.slice(0, from + at), top).map(([one, logprob]) => [
                        `token_id:${one}`,
                        logprob,
                      ]),
                    ),
                  ),
                },
          finish_reason: finish,
          stop_reason: finish === "stop" ? id : null,
          prompt_logprobs:
            typeof behind === "number" && tells ? vllmPromptLogprobs(prompt, behind) : null,
        },
      ],
      usage,
    };
    if (finish !== null && isStream) yield { choices: [], usage };
  };
}

/** By ids as text, with the rank of each. */
function vllmPromptLogprobs(prompt: readonly number[], top: number): (object | null)[] {
  return prompt.map((_, at) =>
    at === 0
      ? null
      : Object.fromEntries(
          likeliest(prompt.slice(0, at), top).map(([id, logprob], rank) => [
            id,
            { logprob, rank: rank + 1, decoded_token: "…" },
          ]),
        ),
  );
}

function sglangSpeaker(
  { prompt, top, fields }: Asked,
  tells: boolean,
  isIncremental: boolean,
): Speaker {
  return function* (id, said, finish) {
    yield {
      text: "…",
      output_ids: isIncremental ? [id] : said,
      meta_info: {
        prompt_tokens: prompt.length,
        completion_tokens: said.length,
        finish_reason:
          finish === null
            ? null
            : finish === "stop"
              ? { type: "stop", matched: id }
              : { type: "length", length: said.length },
        ...(top !== null &&
          tells && {
            ...(fields["logprob_start_len"] === 0 && {
              input_token_logprobs: prompt.map((one, at) => [at === 0 ? null : -0.5, one, null]),
              input_top_logprobs: prompt.map((_, at) =>
                at === 0
                  ? null
                  : likeliest(prompt.slice(0, at), top).map(([one, logprob]) => [
                      ...[logprob, one, null],
                    ]),
              ),
            }),
            output_token_logprobs: said.map((one) => [-0.5, one, null]),
            output_top_logprobs: said.map((_, at) =>
              likeliest([...prompt, ...said.slice(0, at)], top).map(([one, logprob]) => [
                logprob,
                one,
                null,
              ]),
            ),
          }),
      },
    };
  };
}

/** As recorded: the id 0 stands for none. */
export function llamaProgress(total: number): object {
  return {
    ...{ index: 0, content: "", tokens: [0], stop: false, id_slot: 0 },
    ...{ tokens_predicted: 0, tokens_evaluated: total },
    prompt_progress: { total, cache: 0, processed: total, time_ms: 1 },
  };
}

/** Text is held back until its characters are whole, and what is held back tells no ids. */
function llamaSpeaker({ prompt, top, isStream }: Asked, tells: boolean): Speaker {
  let held: Uint8Array = new Uint8Array();
  return function* (id, said, finish) {
    const probabilities = (at: number): object => ({
      id: said[at],
      logprob: -0.5,
      top_logprobs: likeliest([...prompt, ...said.slice(0, at)], top ?? 0).map(
        ([one, logprob]) => ({
          id: one,
          logprob,
        }),
      ),
    });
    const places = isStream ? [said.length - 1] : said.map((_, at) => at);
    const common = {
      tokens_predicted: said.length,
      tokens_evaluated: prompt.length,
      ...(top !== null && tells && { completion_probabilities: places.map(probabilities) }),
    };
    const ending = { stop: true, stop_type: finish === "stop" ? "eos" : "limit" };
    if (!isStream) {
      yield { content: "…", tokens: said, ...common, ...ending };
      return;
    }
    held = Buffer.concat([held, TEXTS[id] ?? new Uint8Array()]);
    if (!isCut(held)) {
      yield { content: Buffer.from(held).toString("utf8"), tokens: [id], stop: false, ...common };
      held = new Uint8Array();
    }
    if (finish !== null) yield { content: "", tokens: [], ...common, ...ending };
  };
}

/** Whether a text ends within a character. */
function isCut(bytes: Uint8Array): boolean {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back;
  }
  return false;
}
