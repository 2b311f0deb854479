import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createTokenizer,
  HarmonyParser,
  HeaderMatcher,
  type Tokenizer,
} from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import type { TokenMatcher } from "../../inference/index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { CHANNEL, CONSTRAIN, headerStatus } from "./header-oracle.ts";
import { smallVocabulary } from "./small-vocabulary.ts";

const tokenizer = loadO200kHarmony();
const knownTools = ["functions.f", "functions.assistant_notes", "python"];

function allows(mask: Uint32Array | null, id: number): boolean {
  return mask === null || ((mask[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
}

/** The first id that is not accepted, as text; null when all are. */
function firstWrong(text: string): string | null {
  const matcher = new HeaderMatcher(tokenizer, knownTools);
  for (const id of tokenizer.encodeWithSpecials(text)) {
    if (!allows(matcher.mask(), id)) return tokenizer.decodeLossy([id]);
    matcher.accept(id);
  }
  return null;
}

describe("what the format has is accepted", () => {
  test.each([
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
    "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>",
    "<|channel|>commentary to=functions.f<|constrain|>json<|message|>{}<|call|>",
    " to=functions.f<|channel|>commentary <|constrain|> json<|message|>{}<|call|>",
    "<|channel|>commentary to=functions.assistant_notes json<|message|>{}<|call|>",
    "<|channel|>analysis to=python code<|message|>1+1<|call|>",
    "<|channel|>commentary to=browser.search code<|message|>{}<|call|>",
    "<|channel|>final <|constrain|>ReplyAction<|message|>{}<|return|>",
    "<|channel|>commentary<|message|>I will look <|constrain|> ü <|message|>.<|end|><|start|>assistant",
    "<|channel|>analysis<|message|>cut",
  ])("%s", (text) => expect(firstWrong(text)).toBeNull());

  test("in pieces of any size: one id per character", () => {
    const matcher = new HeaderMatcher(tokenizer, knownTools);
    const { channel, message } = tokenizer.special;
    const letters = [..."commentary to=functions.f json"].flatMap((c) => tokenizer.encode(c));
    for (const id of [channel, ...letters, message]) {
      expect(allows(matcher.mask(), id), tokenizer.decodeLossy([id])).toBe(true);
      matcher.accept(id);
    }
    expect(matcher.mask()).toBeNull();
  });
});

describe("the first wrong id is found", () => {
  test.each([
    ["<|channel|>??<|end|>", "??"],
    ["<|channel|>comment<|message|>", "<|message|>"],
    ["<|channel|>final__HANDOFF__<|return|>", "__"],
    ["<|channel|>final Yes<|return|>", " Yes"],
    ["<|channel|>analysis<|channel|>analysis<|message|>", "<|channel|>"],
    ["<|channel|><|message|>", "<|message|>"],
    ["<|start|>assistant", "<|start|>"],
    ["I must refuse<|end|>", "I"],
    ["<|message|>Yes", "<|message|>"],
    ["<|channel|>commentary to=user<|channel|>analysis<|message|>", "=user"],
    ["<|channel|>commentary to=functions.f json json<|message|>", " json"],
    ["<|channel|>final json<|message|>", " json"],
    ["<|channel|>commentary to=f to=f<|message|>", " to"],
    ["<|channel|>commentary to=<|message|>", "<|message|>"],
    ["<|channel|>commentary to=f <|constrain|><|message|>", "<|message|>"],
    ["<|channel|>commentary to=f<|call|>", "<|call|>"],
    ["<|channel|>commentary <|constrain|> to=f<|message|>", "=f"],
    ["<|channel|>commentary <|constrain|>  json<|message|>", " json"],
    ["<|channel|>commentary <|constrain|>python <|message|>", " "],
    ["<|channel|>final<|message|>Yes.<|end|><|return|>", "<|return|>"],
    ["<|channel|>analysis<|message|>Hm.<|end|>commentary<|channel|>", "comment"],
    ["<|channel|>analysis<|message|>Hm.<|end|><|channel|>final", "<|channel|>"],
    ["<|channel|>analysis<|message|>Hm.<|end|><|start|>user<|message|>", "user"],
    ["<|channel|>analysis<|message|>Hm.<|start|>assistantassistant<|channel|>", "assistant"],
  ])("%s: %j", (text, wrong) => expect(firstWrong(text)).toBe(wrong));
});

test("behind a header that went wrong the next one is watched again", () => {
  const matcher = new HeaderMatcher(tokenizer);
  const text = "<|channel|>??<|message|>x<|end|><|start|>assistant<|channel|>";
  for (const id of tokenizer.encodeWithSpecials(text)) matcher.accept(id);
  const mask = matcher.mask();
  const [wrong = 0] = tokenizer.encode("??");
  const [right = 0] = tokenizer.encode("final");
  expect([allows(mask, wrong), allows(mask, right)]).toEqual([false, true]);
});

test("headers that are accepted to their end give the parser nothing to recover", () => {
  const pieces = [
    "<|channel|>",
    "<|constrain|>",
    "<|message|>",
    "analysis",
    "final",
    "commentary",
    " to=functions.f",
    " to=",
    "f",
    " json",
    "json",
    " ",
    " code",
    "assistant",
    "x",
    "?",
  ];
  let complete = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (header) => {
      const text = `<|channel|>${header.join("")}<|message|>{}<|end|>`;
      if (firstWrong(text) !== null) return;
      complete++;
      const [message, ...others] = HarmonyParser.parse(tokenizer.encodeWithSpecials(text), {
        tokenizer,
        role: "assistant",
        knownTools,
      });
      // The type of an answer is said to be none of a call's recipient: that is how answers are written.
      // What stands in content, a second `<|message|>` too, is none of the header.
      const issues = message?.issues.filter(
        ({ code }) => code !== "constrain_as_recipient" && code !== "special_in_content",
      );
      expect({ text, issues, others }).toEqual({ text, issues: [], others: [] });
    }),
    { numRuns: 3000, seed: 7 },
  );
  expect(complete).toBeGreaterThan(50);
});

/** Where a model's output stands, as the oracle tells it: the text of a header, or none. */
class Oracle {
  readonly #tokenizer: Tokenizer;
  readonly #tools: readonly string[];
  where: "between" | "header" | "content" | "lost" = "header";
  header = "assistant";

  constructor(of: Tokenizer, tools: readonly string[]) {
    this.#tokenizer = of;
    this.#tools = tools;
  }

  accepts(id: number): boolean {
    const { special } = this.#tokenizer;
    if (this.where === "content" || this.where === "lost") return true;
    if (this.where === "between") return id === special.start;
    if (id === special.message) return headerStatus(this.header, this.#tools) === "complete";
    const text = this.#textOf(id);
    return text !== "" && headerStatus(this.header + text, this.#tools) !== "wrong";
  }

  accept(id: number): void {
    const { special } = this.#tokenizer;
    const isRight = this.accepts(id);
    if (id === special.start) {
      this.where = "header";
      this.header = "";
    } else if (id === special.message) this.where = "content";
    else if ([special.end, special.call, special.return, special.endOfText].includes(id)) {
      this.where = "between";
    } else if (this.where === "content" && id === special.channel) {
      this.where = "header";
      this.header = `assistant${CHANNEL}`;
    } else if (this.where === "header" && isRight) this.header += this.#textOf(id);
    else if (this.where !== "content") this.where = "lost";
  }

  #textOf(id: number): string {
    const { special } = this.#tokenizer;
    if (id === special.channel) return CHANNEL;
    if (id === special.constrain) return CONSTRAIN;
    if (Object.values(special).includes(id)) return "";
    const text = this.#tokenizer.decodeLossy([id]);
    return text.includes("\uFFFD") ? "" : text;
  }
}

const PIECES = [
  ...[
    "<|channel|>",
    "<|constrain|>",
    "<|message|>",
    "<|end|>",
    "<|start|>",
    "<|call|>",
    "<|return|>",
  ],
  ...[
    "assistant",
    "analysis",
    "commentary",
    "final",
    " to",
    "=",
    " to=",
    "functions.",
    "f",
    "user",
  ],
  ...["all", "json", " json", " code", "text", " ", "  ", "x", "é", "\n", ".", "水位", "?", "😀"],
];
const TOOL_LISTS = [
  [],
  ["functions.f", "functions.assistant_notes", "python"],
  ["functions.user_x", "all", "json", "final", "functions.to", "browser.search", "水位", "é"],
];

describe("the mask is what the format has, at every place that a model's output can reach", () => {
  /** @param idsAt the ids that are looked at in a state */
  function walk(
    of: Tokenizer,
    seed: number,
    steps: number,
    idsAt: (random: () => number) => readonly number[],
  ): void {
    const random = randomNumbers(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const pieces = PIECES.flatMap((piece) => of.encodeWithSpecials(piece).slice(0, 1));
    const tools = TOOL_LISTS[seed % TOOL_LISTS.length] ?? [];
    const matcher = new HeaderMatcher(of, tools);
    const oracle = new Oracle(of, tools);
    for (let step = 0; step < steps; step++) {
      const mask = matcher.mask();
      const ids = [...idsAt(random), ...pieces, ...Object.values(of.special)].filter(
        (id) => id !== null,
      );
      const wrong = ids.filter((id) => allows(mask, id) !== oracle.accepts(id));
      expect(wrong.map((id) => `${oracle.header}[${of.decodeLossy([id])}]`)).toEqual([]);
      // Mostly what may come, so that the walk gets on.
      const right = pieces.filter((id) => oracle.accepts(id));
      const next = random() < 0.85 && right.length > 0 ? pick(right) : pick(ids);
      if (random() < 0.2) {
        const undone = Array.from({ length: 3 }, () => pick(ids));
        for (const id of undone) matcher.accept(id);
        matcher.rollback(undone.length);
      }
      matcher.accept(next);
      oracle.accept(next);
    }
  }

  test("over a small vocabulary, every id", () => {
    const small = createTokenizer(smallVocabulary(tokenizer, 1500));
    const all = Array.from({ length: small.size }, (_, id) => id);
    for (let seed = 0; seed < 45; seed++) walk(small, seed, 12, () => all);
  });

  test("over o200k, ids at random", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        walk(tokenizer, seed, 14, (random) =>
          Array.from({ length: 100 }, () => Math.floor(random() * tokenizer.size)),
        );
      }),
      { numRuns: 50 },
    );
  });

  test("never empty, and only of ids that the model has rows for", () => {
    const vocabSize = 190_000;
    const matcher = new HeaderMatcher(tokenizer, knownTools, vocabSize);
    expect(matcher.mask()).toHaveLength(Math.ceil(vocabSize / 32));
    for (const id of tokenizer.encodeWithSpecials(" to=functions.f <|constrain|> json ")) {
      expect(matcher.mask()?.some((word) => word !== 0)).toBe(true);
      matcher.accept(id);
    }
  });
});

test("ids are forgotten back to the beginning, not further", () => {
  const matcher: TokenMatcher = new HeaderMatcher(tokenizer, knownTools);
  const first = matcher.mask();
  const ids = tokenizer.encodeWithSpecials("<|channel|>final<|message|>Yes.<|end|>");
  for (const id of ids) matcher.accept(id);
  matcher.rollback(0);
  matcher.rollback(ids.length - 1);
  expect(allows(matcher.mask(), tokenizer.encode("final")[0] ?? 0)).toBe(true);
  matcher.rollback(1);
  expect(matcher.mask()).toEqual(first);
  expect(() => matcher.rollback(1)).toThrow("Cannot forget 1 ids; accepted: 0 … 0");
});

test("masks are made once for all messages and runs with the same tools", () => {
  const masks = [0, 1].map(() => new HeaderMatcher(tokenizer, new Set(knownTools)).mask());
  expect(masks[0]).toBe(masks[1]);
});
