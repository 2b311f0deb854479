/** Grammars as text for servers: read again they are the same, or allow more where that is said. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  type CompiledGrammar,
  ebnfGrammar,
  type Grammar,
  GrammarCompiler,
  hasId,
  jsonSchemaGrammar,
  regexGrammar,
} from "../../../inference/index.ts";
import type { GrammarNotation } from "../../../inference/remote/grammars/notation.ts";
import { writeGrammar } from "../../../inference/remote/grammars/server-grammar.ts";
import { letterVocabulary } from "../constrain/arbitraries.ts";

const bodies = fc.letrec<{ body: string }>((tie) => {
  const body = tie("body");
  return {
    body: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      {
        arbitrary: fc.constantFrom(
          '"a"',
          '"ab"',
          '"é"',
          "[ab]",
          "[^ab]",
          "[b-c]",
          '"日b"',
          "[à-ÿ]",
        ),
        weight: 4,
      },
      { arbitrary: fc.tuple(body, body).map(([a, b]) => `${a} ${b}`), weight: 3 },
      { arbitrary: fc.tuple(body, body).map(([a, b]) => `(${a} | ${b})`), weight: 2 },
      {
        arbitrary: fc
          .tuple(body, fc.constantFrom("?", "+", "{2}", "{1,3}", "{2,}"))
          .map(([a, sign]) => `(${a})${sign}`),
        weight: 2,
      },
      { arbitrary: fc.constant("one"), weight: 2 },
    ),
  };
}).body;

const grammarTexts = fc
  .tuple(bodies, bodies)
  .map(([root, one]) => `root ::= ${root}\none ::= "(" (${one})? ")"\n`);

const compiler = new GrammarCompiler(letterVocabulary);

/** What a server reads of a grammar alone. */
function written(grammar: Grammar, notation: GrammarNotation) {
  const rules = [{ type: "alternatives", options: [[{ text: grammar }]] }] as const;
  return writeGrammar({ rules, root: 0 }, notation);
}

function compiledOrNull(make: () => Grammar): CompiledGrammar | null {
  try {
    return compiler.compile(make());
  } catch {
    return null;
  }
}

test.each(["gbnf", "xgrammar"] as const)(
  "%s of random grammars is the same grammar",
  (notation) => {
    let compared = 0;
    fc.assert(
      fc.property(grammarTexts, fc.array(fc.nat(), { maxLength: 8 }), (text, choices) => {
        const first = compiledOrNull(() => ebnfGrammar(text));
        if (first === null) return;
        const again = written(first.grammar, notation);
        // Repetitions without end of what may be nothing are not written.
        if (again.grammar === null) {
          expect(again.reason).toMatch(/may be nothing|begins with itself/);
          return;
        }
        expect(again.leftOut).toEqual([]);
        const second = compiler.compile(ebnfGrammar(again.grammar.text));
        const [one, other] = [first.matcher(), second.matcher()];
        for (const choice of choices) {
          const mask = one.mask();
          expect(other.mask()).toEqual(mask);
          expect(other.isAccepting).toBe(one.isAccepting);
          const ids = Array.from({ length: letterVocabulary.size }, (_, id) => id);
          const allowed = ids.filter((id) => hasId(mask, id));
          const id = allowed[choice % allowed.length];
          if (id === undefined) break;
          one.accept(id);
          other.accept(id);
          compared++;
        }
      }),
      { numRuns: 150 },
    );
    expect(compared).toBeGreaterThan(100);
  },
);

describe("what no rules say", () => {
  const leftOut = (grammar: Grammar): readonly string[] => {
    const found = written(grammar, "gbnf");
    return found.grammar === null ? [`nothing: ${found.reason}`] : found.leftOut;
  };
  const ofSchema = (schema: object): readonly string[] =>
    leftOut(jsonSchemaGrammar(schema, { uncarried: "validate" }).grammar);

  it("is said of keys, conditions and counts", () => {
    expect(ofSchema({ type: "object" })).toEqual(["that an object has each key once"]);
    expect(ofSchema({ type: "string", pattern: "^[a-z]+$", maxLength: 9 })).toEqual([
      "all but one of several conditions on a text",
    ]);
    expect(ofSchema({ type: "string", not: { const: "x" } })).toEqual(["what a text must not be"]);
    expect(ofSchema({ type: "string", minLength: 400, maxLength: 5000 })).toEqual([
      "least counts above 100",
      "counts above 1000",
    ]);
    expect(ofSchema({ type: "string", maxLength: 40 })).toEqual([]);
  });

  it("is the reason why a grammar is not sent", () => {
    expect(leftOut(regexGrammar("(a*)*"))).toEqual([
      "nothing: it repeats without end what may be nothing",
    ]);
    const many = Array.from({ length: 40_000 }, (_, at) => `p${at}`);
    expect(ofSchema({ enum: many })[0]).toMatch(/^nothing: it would have more than 262144/);
  });
});
