/** A model's tokenizer.json comes from strangers: whatever it says, it is read or refused in few words. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Tokenizer, tokenizerFromHfJson, VocabularyError } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { documentMutations, FILE_FUZZ, FUZZ_TIMEOUT } from "../inference/hostile-headers.ts";
import { hfTokenizerJson, smallVocabulary } from "./small-vocabulary.ts";

const good = hfTokenizerJson(smallVocabulary(loadO200kHarmony(), 270), "pair");

/** Undefined when it is refused. */
function read(json: unknown): Tokenizer | undefined {
  try {
    return tokenizerFromHfJson(json);
  } catch (error) {
    expect(error).toBeInstanceOf(VocabularyError);
    expect((error as Error).message.length).toBeLessThan(600);
    return undefined;
  }
}

function refusal(change: object): string {
  try {
    tokenizerFromHfJson({ ...good, ...change });
    return "accepted";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("a hostile tokenizer.json", () => {
  const long = "x".repeat(1 << 20);
  const extra = (...tokens: { id: unknown; content: unknown }[]): object => ({
    added_tokens: [...good.added_tokens, ...tokens],
  });

  it("cannot ask for a table of its size", () => {
    for (const id of [2 ** 22, 2 ** 32 - 2, 2 ** 32, 2 ** 53, 1e300, -1, 0.5]) {
      expect(refusal(extra({ id, content: "<|x|>" }))).toMatch(
        /<\|x\|> has the id .*accepted: 0 …/,
      );
    }
    expect(refusal(extra({ id: 2 ** 22 - 1, content: "<|x|>" }))).toBe("accepted");
  });

  it("cannot bring special tokens that every text is compared with at length", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ id: 1000 + i, content: `<|${i}|>` }));
    expect(refusal(extra(...many))).toMatch(/20007 special tokens; accepted: at most 16384/);
    expect(refusal(extra({ id: 1000, content: long }))).toMatch(/1048576 characters; accepted: 1/);
  });

  it.each([
    ["a kind", { model: { ...good.model, type: long } }],
    ["a normalizer", { normalizer: long }],
    ["a split", { pre_tokenizer: { type: "Split", pattern: { Regex: long } } }],
    ["a token", { model: { ...good.model, vocab: { ...good.model.vocab, [long]: 270 } } }],
    ["a token's id", { model: { ...good.model, vocab: { [long]: "0" } } }],
    ["a merge", { model: { ...good.model, merges: [[long, long]] } }],
    ["a list of merges", { model: { ...good.model, merges: long } }],
    ["an added token", { added_tokens: [{ id: long, content: "a" }] }],
  ])("is not quoted at length: %s", (_name, change) => {
    expect(refusal(change)).not.toBe("accepted");
    expect(refusal(change).length).toBeLessThan(300);
  });

  it(
    "whatever happens to it, it gives a tokenizer that reads what it wrote, or is refused",
    () => {
      const sample = "Grüße, the cat <|start|> 你好 1234\n";
      let accepted = 0;
      fc.assert(
        fc.property(documentMutations(good), (bytes) => {
          let json: unknown;
          try {
            json = JSON.parse(new TextDecoder().decode(bytes));
          } catch {
            return; // said by who reads the file
          }
          const tokenizer = read(json);
          if (tokenizer === undefined) return;
          accepted++;
          expect(tokenizer.decode(tokenizer.encode(sample))).toBe(sample);
        }),
        FILE_FUZZ,
      );
      expect(accepted).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT,
  );
});
