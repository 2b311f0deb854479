/**
 * What a turn may write, as servers are told it, held against the masks: web-xgrammar reads what is written for vLLM
 * and SGLang. What a mask allows must be in it, and in the body of a message nothing else.
 */
import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hasId } from "../../inference/index.ts";
import { type ServerGrammar, writeGrammar } from "../../inference/remote/grammars/server-grammar.ts";
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

function writtenFor(matcher: TurnMatcher): ServerGrammar {
  const described = matcher.grammar();
  const written = described === null ? null : writeGrammar(described, "xgrammar");
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

test.each([
  ["<|return|> alone", true],
  ["all that end an answer", false],
])("a server whose stop tokens are %s allows what the masks allow", async (_, isReturnAlone) => {
  const { special } = model.tokenizer;
  const stopIds = isReturnAlone ? [special.return] : [special.return, special.call];
  const grammar = await compiled(writtenFor(matcherOf()), stopIds);
  const ids = wholeIds();
  const structural = new Set<number | null>(Object.values(special));
  let bodies = 0;
  const steps = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 9 })), { minLength: 30, maxLength: 70 });
  await fc.assert(
    fc.asyncProperty(steps, async (choices) => {
      const matcher = matcherOf();
      const said: number[] = [];
      const peer = await peers.GrammarMatcher.createGrammarMatcher(grammar);
      for (const [choice, kind] of choices) {
        const mask = matcher.mask();
        const peerMask = new Uint32Array(await peer.getNextTokenBitmask());
        const allowed = ids.filter((id) => mask === null || hasId(mask, id));
        const theirs = new Set(ids.filter((id) => hasId(peerMask, id)));
        // A content type with < in it, and what special tokens do inside of free text, are not said.
        const missing = allowed.filter(
          (id) => !theirs.has(id) && !(mask === null ? structural : angled()).has(id),
        );
        if (missing.length > 0) throw new Error([JSON.stringify(model.tokenizer.decode(said)), mask === null, missing.length, theirs.size, missing.slice(0, 10).map((id) => model.tokenizer.decode([id]))].join(" ## "));
        expect(missing.map((id) => model.tokenizer.decode([id])).slice(0, 9)).toEqual([]);
        if (matcher.body !== null) {
          bodies++;
          const more = [...theirs].filter(
            // Special tokens are text there, which ordinary tokens can begin.
            (id) => !structural.has(id) && !angled().has(id) && !allowed.includes(id),
          );
          if (more.length > 0) throw new Error([JSON.stringify(model.tokenizer.decode(said)), allowed.length, more.length, JSON.stringify(more.slice(0, 30).map((id) => model.tokenizer.decode([id])))].join(" ## "));
          expect(more.map((id) => model.tokenizer.decode([id]))).toEqual([]);
        }
        const marks = allowed.filter((id) => structural.has(id) && theirs.has(id));
        const usual = mask === null ? [special.end, ...SOME_TEXT] : marks;
        const from = kind < 7 && usual.length > 0 ? usual : allowed.filter((id) => theirs.has(id));
        const id = from[choice % from.length];
        if (id === undefined || id === special.return || id === special.call) break;
        matcher.accept(id);
        said.push(id);
        expect(peer.acceptToken(id)).toBe(true);
      }
      peer.dispose();
    }),
    { numRuns: 25, seed: 7, endOnFailure: true },
  );
  expect(bodies).toBeGreaterThan(50);
}, 60_000);

const SOME_TEXT = [65, 66];

let withAngle: Set<number> | undefined;
function angled(): ReadonlySet<number> {
  withAngle ??= new Set(wholeIds().filter((id) => model.tokenizer.decode([id]).includes("<")));
  return withAngle;
}
