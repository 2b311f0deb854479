/**
 * `npm run --silent bench -- jump-forward`: whether text that a grammar forces comes in the tokens that the
 * embedded model would write. The same documents in four ways of cutting them, each behind the same
 * prompt; `nats_per_byte` is what the model finds them to be worth (the logarithm of the perplexity per byte):
 *
 * - `free`: the whole text cut as the tokenizer does, which is how the model has learnt to write;
 * - `jumps`: forced text as `forcedIds()` gives it, the rest token by token;
 * - `unhealed`: forced text cut to its last byte, where a longer token could have stood;
 * - `letters`: forced text letter by letter.
 */
import { readFileSync } from "node:fs";
import { tokenizerFromHfJson } from "../../harmony/index.ts";
import {
  type CompiledGrammar,
  GrammarCompiler,
  jsonSchemaGrammar,
  openModel,
  type Session,
  type TokenMatcher,
} from "../../inference/index.ts";
import { CASES } from "./constrain-cases.ts";
import { rounded } from "./median.ts";

const PROMPT =
  "<|start|>user<|message|>Write the record as JSON.<|end|><|start|>assistant<|channel|>final<|message|>";

type Cut = (compiled: CompiledGrammar, text: string) => number[];

export async function bench(): Promise<Record<string, unknown>> {
  const { engine, tokenizerPath } = await openModel(undefined);
  if (tokenizerPath === undefined) throw new Error("the embedded model has a tokenizer.json");
  const tokenizer = tokenizerFromHfJson(JSON.parse(readFileSync(tokenizerPath, "utf8")));
  const encode = (text: string) => tokenizer.encode(text);
  const compiler = new GrammarCompiler({
    size: tokenizer.size,
    ...tokenizer.ordinaryTokens,
    encode,
  });
  const forcedText = (ids: readonly number[]) => tokenizer.decodeLossy(ids);
  const ways: Readonly<Record<string, Cut>> = {
    free: (_, text) => encode(text),
    jumps: (compiled, text) => cut(compiled, text, encode, forcedText, "healed"),
    unhealed: (compiled, text) => cut(compiled, text, encode, forcedText, "whole"),
    letters: (compiled, text) => cut(compiled, text, encode, forcedText, "letters"),
  };
  const prompt = tokenizer.encodeWithSpecials(PROMPT);
  const session = await engine.createSession();
  const sums = new Map<string, { nats: number; tokens: number; asFree: number }>();
  let bytes = 0;
  for (const { schema, documents } of CASES) {
    const { grammar } = jsonSchemaGrammar(schema, { whitespace: 0, propertyOrder: "declared" });
    const compiled = compiler.compile(grammar);
    for (const document of documents) {
      const text = JSON.stringify(document);
      if (encode(text).length + prompt.length > engine.contextLength - 16) continue;
      bytes += Buffer.byteLength(text);
      const free = encode(text).join();
      for (const [name, way] of Object.entries(ways)) {
        const ids = way(compiled, text);
        if (tokenizer.decode(ids) !== text) throw new Error(`${name} cuts another text`);
        const sum = sums.get(name) ?? { nats: 0, tokens: 0, asFree: 0 };
        sum.nats -= await worth(session, prompt, ids, tokenizer.size);
        sum.tokens += ids.length;
        sum.asFree += ids.join() === free ? 1 : 0;
        sums.set(name, sum);
      }
    }
  }
  await session.close();
  await engine.close();
  const ofWay = ({ nats, tokens, asFree }: { nats: number; tokens: number; asFree: number }) => ({
    tokens,
    nats_per_byte: rounded(nats / bytes),
    perplexity_per_byte: rounded(Math.exp(nats / bytes)),
    documents_cut_as_free: asFree,
  });
  return { bytes, ...Object.fromEntries([...sums].map(([name, sum]) => [name, ofWay(sum)])) };
}

/** The ids of a text where what is forced comes in a way of its own. */
function cut(
  compiled: CompiledGrammar,
  text: string,
  encode: (text: string) => number[],
  decode: (ids: readonly number[]) => string,
  forced: "healed" | "whole" | "letters",
): number[] {
  const matcher = compiled.matcher();
  const ids: number[] = [];
  const letterIds = (part: string) => [...part].flatMap((char) => encode(char));
  for (let rest = text; rest !== ""; ) {
    const whole = new TextDecoder().decode(matcher.forcedBytes());
    let next =
      forced === "healed"
        ? [...matcher.forcedIds()]
        : forced === "whole"
          ? encode(whole)
          : letterIds(whole);
    // A character that takes several tokens is taken with all of them.
    const free = next.length === 0 ? encode(rest) : [];
    for (let count = 1; next.length === 0; count++) {
      if (!decode(free.slice(0, count)).endsWith("\ufffd")) next = free.slice(0, count);
    }
    for (const id of next) matcher.accept(id);
    ids.push(...next);
    rest = rest.slice(decode(next).length);
  }
  return ids;
}

/** The sum of the log probabilities of the ids behind the prompt. */
async function worth(
  session: Session,
  prompt: readonly number[],
  ids: readonly number[],
  vocabSize: number,
): Promise<number> {
  await session.sync(prompt);
  let sum = 0;
  const run = session.generate({
    maxTokens: ids.length,
    stopIds: new Set(),
    sampling: { temperature: 0, topP: 1, seed: 0 },
    matcher: new Dictation(ids, vocabSize),
    logprobs: {
      top: 0,
      onLogprobs: ({ logprob }) => {
        sum += logprob;
      },
    },
  });
  while (!(await run.next()).done);
  return sum;
}

/** Allows one id after the other. */
class Dictation implements TokenMatcher {
  readonly #ids: readonly number[];
  readonly #size: number;
  #at = 0;

  constructor(ids: readonly number[], size: number) {
    this.#ids = ids;
    this.#size = size;
  }

  accept(): void {
    this.#at++;
  }

  rollback(count: number): void {
    this.#at -= count;
  }

  mask(): Uint32Array {
    const mask = new Uint32Array(Math.ceil(this.#size / 32));
    const id = this.#ids[this.#at] ?? 0;
    mask[id >>> 5] = 1 << (id & 31);
    return mask;
  }
}
