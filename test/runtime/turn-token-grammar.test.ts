/**
 * What a turn may write, as servers are told it, held against the masks: web-xgrammar reads what is written for vLLM
 * and SGLang. What a mask allows must be in it, and in the body of a message nothing else.
 */
import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hasId } from "../../inference/index.ts";
import type { GrammarNotation, ServerGrammar } from "../../inference/remote/grammars/notation.ts";
import { writeGrammar } from "../../inference/remote/grammars/server-grammar.ts";
import { resolveSettings } from "../../runtime/agent/settings.ts";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import { defineTool, type HarmonyModel, loadModel } from "../../runtime/index.ts";
import { type TurnMatcher, turnMatcher } from "../../runtime/model/turn-matcher.ts";
import { byteLevelTokens, loadXGrammar, type XGrammar } from "../inference/constrain/xgrammar.ts";

const ANSWER = {
  type: "object",
  properties: { name: { type: "string", maxLength: 9 }, mood: { enum: ["good", "bad"] } },
  required: ["name", "mood"],
  additionalProperties: false,
} as const;

const TOOLS = new DeclaredTools([
  defineTool({
    name: "get_weather",
    description: "The weather.",
    inputSchema: {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer", minimum: 1, maximum: 14 } },
      required: ["city"],
    },
    execute: () => "",
  }),
  defineTool({
    name: "sorted",
    description: "Sorts.",
    inputSchema: {
      type: "object",
      properties: { list: { type: "array", items: { enum: [1, 22, 333] }, maxItems: 3 } },
      required: ["list"],
    },
    execute: () => "",
  }),
]);

let model: HarmonyModel;
let peers: XGrammar;

beforeAll(async () => {
  model = await loadModel();
  peers = loadXGrammar();
});
afterAll(() => model.close());

function matcherOf(options: { readonly constrainHeaders?: boolean } = {}): TurnMatcher {
  const settings = resolveSettings(options, TOOLS, { type: "json", schema: ANSWER }, {});
  const matcher = turnMatcher(model.engine, model.tokenizer, TOOLS, settings, "auto");
  if (matcher === undefined) throw new Error("The engine has no matchers.");
  return matcher;
}

/** Tokens as servers have them: special ones are texts as well. */
function peerTokens(): readonly string[] {
  const { tokenizer, engine } = model;
  const { bytes, offsets } = tokenizer.ordinaryTokens;
  const tokens = byteLevelTokens({ size: engine.vocabSize, bytes, offsets });
  return tokens.map((token, id) => (tokenizer.isSpecial(id) ? tokenizer.decode([id]) : token));
}

async function compiled(grammar: ServerGrammar | null, stopIds: readonly number[]) {
  if (grammar === null) throw new Error("The grammar is not carried.");
  const tokens = [...peerTokens()];
  const info = await peers.TokenizerInfo.createTokenizerInfo(
    tokens,
    "byte_level",
    false,
    tokens.length,
    [...stopIds],
  );
  const compiler = await peers.GrammarCompiler.createGrammarCompiler(info);
  return grammar.type === "structural_tag"
    ? compiler.compileStructuralTag(grammar.text)
    : compiler.compileGrammar(grammar.text);
}

function writtenFor(matcher: TurnMatcher, notation: GrammarNotation): ServerGrammar {
  const described = matcher.grammar();
  const written = described === null ? null : writeGrammar(described, notation);
  if (written === null || written.grammar === null) throw new Error("No grammar is written.");
  return written.grammar;
}

/** Ids whose tokens are whole characters, for which masks can be compared. */
function wholeIds(): readonly number[] {
  const { bytes, offsets } = model.tokenizer.ordinaryTokens;
  return Array.from({ length: model.engine.vocabSize }, (_, id) => id).filter(
    (id) =>
      model.tokenizer.isSpecial(id) ||
      (bytes[offsets[id] ?? 0] !== 0 && isUtf8(bytes.subarray(offsets[id], offsets[id + 1]))),
  );
}

/** Walks through what the masks allow. @returns how many places of bodies were seen */
async function compareMasks(
  grammar: ServerGrammar,
  stopIds: readonly number[],
  make: () => TurnMatcher,
): Promise<number> {
  const { special } = model.tokenizer;
  const theirGrammar = await compiled(grammar, stopIds);
  const ids = wholeIds();
  const structural = new Set<number | null>(Object.values(special));
  const said = (some: readonly number[]): readonly string[] =>
    some.map((id) => model.tokenizer.decode([id])).slice(0, 20);
  let bodies = 0;
  const steps = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 9 })), { minLength: 30, maxLength: 70 });
  await fc.assert(
    fc.asyncProperty(steps, async (choices) => {
      const matcher = make();
      const text: number[] = [];
      const peer = await peers.GrammarMatcher.createGrammarMatcher(theirGrammar);
      for (const [choice, kind] of choices) {
        const mask = matcher.mask();
        const peerMask = new Uint32Array(await peer.getNextTokenBitmask());
        const allowed = ids.filter((id) => mask === null || hasId(mask, id));
        const theirs = new Set(ids.filter((id) => hasId(peerMask, id)));
        const where = model.tokenizer.decode(text);
        // A content type with < in it, and what special tokens do inside of free text, are not said.
        const unsaid = mask === null ? structural : angledIds();
        const missing = allowed.filter((id) => !theirs.has(id) && !unsaid.has(id));
        expect({ where, missing: said(missing) }).toEqual({ where, missing: [] });
        // What follows a header that cannot be read is free.
        if (matcher.body !== null && !where.includes("<|constrain|> ")) {
          bodies++;
          // Special tokens are text there, which ordinary tokens can begin.
          const more = [...theirs].filter(
            (id) => !structural.has(id) && !angledIds().has(id) && !allowed.includes(id),
          );
          expect({ where, more: said(more) }).toEqual({ where, more: [] });
        }
        const marks = allowed.filter((id) => structural.has(id) && theirs.has(id));
        const isFreeHeader = mask === null && !where.endsWith("<|message|>");
        const usual = mask !== null ? marks : isFreeHeader ? [] : [special.end, 65, 66];
        const from = kind < 7 && usual.length > 0 ? usual : allowed.filter((id) => theirs.has(id));
        const id = from[choice % from.length];
        if (id === undefined || id === special.return || id === special.call) break;
        matcher.accept(id);
        text.push(id);
        expect(peer.acceptToken(id)).toBe(true);
      }
      peer.dispose();
    }),
    { numRuns: 25, seed: 7, endOnFailure: true },
  );
  return bodies;
}

test.each([
  ["<|return|> alone", true],
  ["all that end an answer", false],
])(
  "a server whose stop tokens are %s allows what the masks allow",
  async (_, isReturnAlone) => {
    const { special } = model.tokenizer;
    const stopIds = isReturnAlone ? [special.return] : [special.return, special.call];
    const grammar = writtenFor(matcherOf(), "xgrammar");
    expect(grammar.type).toBe("ebnf");
    expect(await compareMasks(grammar, stopIds, matcherOf)).toBeGreaterThan(50);
  },
  60_000,
);

const HEADERS = [
  "<|channel|>final<|message|>",
  "<|channel|>final <|constrain|>json<|message|>",
  "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>",
  " to=functions.sorted<|channel|>commentary json<|message|>",
];

test("with free headers a body begins behind the headers that models write for it", async () => {
  const { special } = model.tokenizer;
  const free = { constrainHeaders: false };
  const grammar = writtenFor(matcherOf(free), "xgrammar");
  expect(grammar.type).toBe("structural_tag");
  const lazy = writtenFor(matcherOf(free), "gbnf");
  if (lazy.type !== "gbnf" || lazy.triggers === null) throw new Error("The grammar is not lazy.");
  const theirs = await compiled(grammar, [special.return, special.call]);
  const ids = wholeIds();
  for (const header of HEADERS) {
    const text = `<|channel|>analysis<|message|>Hm <|end|><|start|>assistant${header}`;
    const peer = await peers.GrammarMatcher.createGrammarMatcher(theirs);
    const matcher = matcherOf(free);
    for (const id of model.tokenizer.encodeWithSpecials(text)) {
      expect(peer.acceptToken(id)).toBe(true);
      matcher.accept(id);
    }
    const mask = matcher.mask();
    const peerMask = new Uint32Array(await peer.getNextTokenBitmask());
    if (mask === null) throw new Error("The body is free.");
    expect(ids.filter((id) => hasId(peerMask, id))).toEqual(ids.filter((id) => hasId(mask, id)));
    expect(lazy.triggers.filter((one) => new RegExp(one).test(text))).toHaveLength(1);
    peer.dispose();
  }
});

test("a grammar begins at the beginning of a message, of a body, and in free text", () => {
  const matcher = matcherOf();
  const after = (text: string): void => {
    for (const id of model.tokenizer.encodeWithSpecials(text)) matcher.accept(id);
  };
  const first = matcher.grammar();
  expect(first).not.toBeNull();
  expect(matcherOf().grammar()).not.toBe(first);
  expect(matcher.grammar()).toBe(first);
  after("<|channel|>");
  expect(matcher.grammar()).toBeNull();
  after("analysis<|message|>Let me");
  expect(matcher.grammar()).not.toBeNull();
  after("<|end|>");
  expect(matcher.grammar()).not.toBeNull();
  after("<|start|>assistant<|channel|>final<|message|>");
  const body = matcher.grammar();
  expect(body).not.toBeNull();
  expect(body).not.toBe(first);
  after('{"name"');
  expect(matcher.grammar()).toBeNull();
});

let angled: Set<number> | undefined;
function angledIds(): ReadonlySet<number> {
  angled ??= new Set(wholeIds().filter((id) => model.tokenizer.decode([id]).includes("<")));
  return angled;
}
