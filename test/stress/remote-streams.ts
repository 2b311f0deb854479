/**
 * Streams as servers write them, cut anywhere, within characters as well: for all pieces the ids are the model's,
 * and what llama-server leaves out is counted.
 */
import { PROTOCOLS } from "../../inference/remote/address.ts";
import { EngineClient } from "../../inference/remote/http.ts";
import { eventData } from "../../inference/remote/lines.ts";
import type { Fields, Protocol } from "../../inference/remote/protocol.ts";
import { vllmTokens } from "../../inference/remote/vllm.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { expectedIds } from "../inference/remote/fake-model.ts";
import { type Kind, streamText } from "../inference/remote/fake-speakers.ts";

export type StreamsOptions = {
  readonly count: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
};

export type StreamsReport = {
  readonly streams: number;
  readonly pieces: number;
  readonly tokens: number;
  /** Ids that llama-server's streams leave out. */
  readonly left_out: number;
  readonly problems: readonly string[];
};

const SPOKEN: readonly (readonly [Kind, Protocol])[] = [
  ["vllm", PROTOCOLS.vllm],
  ["vllm-tokens", vllmTokens],
  ["sglang", PROTOCOLS.sglang],
  ["sglang-incremental", PROTOCOLS.sglang],
  ["llama", PROTOCOLS.llama],
];
const MAX_TOKENS = 40;

export async function fuzzStreams({
  count,
  seed,
  onProgress = () => {},
}: StreamsOptions): Promise<StreamsReport> {
  const random = randomNumbers(seed);
  const client = new EngineClient({ base: new URL("http://127.0.0.1:1") });
  const problems: string[] = [];
  let [pieces, tokens, leftOut] = [0, 0, 0];
  /** Of a stream, with lengths of another size each time. */
  function* cut(bytes: Uint8Array): Generator<Uint8Array, void, void> {
    const most = 1 + Math.floor(random() ** 3 * 2000);
    for (let from = 0; from < bytes.length; pieces++) {
      const to = from + 1 + Math.floor(random() * most);
      yield bytes.subarray(from, to);
      from = to;
    }
  }
  for (let done = 0; done < count; done++) {
    const [kind, protocol] = SPOKEN[done % SPOKEN.length] as (typeof SPOKEN)[number];
    const prompt = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
      Math.floor(random() * 256),
    );
    const maxTokens = 1 + Math.floor(random() * MAX_TOKENS);
    const expected = expectedIds(prompt, maxTokens);
    const reader = protocol.reader(client, true);
    let at = 0;
    let hasEnded = false;
    try {
      for await (const data of eventData(
        chunksOf(cut(Buffer.from(streamText(kind, prompt, maxTokens)))),
      )) {
        if (data === "[DONE]") break;
        const part = reader.read(JSON.parse(data) as Fields);
        at += part.lost;
        leftOut += part.lost;
        for (const { id } of part.tokens) {
          if (expected[at++] !== id) throw new Error(`the id ${id} at ${at - 1}`);
        }
        hasEnded ||= part.end !== null;
      }
      if (at !== expected.length) throw new Error(`${at} ids of ${expected.length}`);
      if (!hasEnded) throw new Error("no end");
    } catch (error) {
      problems.push(`${kind} ${prompt.join()} ${maxTokens}: ${String(error)}`);
    }
    tokens += expected.length;
    onProgress(done + 1);
  }
  client.close();
  return { streams: count, pieces, tokens, left_out: leftOut, problems: problems.slice(0, 20) };
}

async function* chunksOf(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  yield* pieces;
}
