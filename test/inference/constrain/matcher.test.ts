import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Automaton, REFUSED } from "../../../inference/constrain/automaton.ts";
import {
  choiceGrammar,
  type Grammar,
  GrammarBuilder,
  GrammarCompiler,
  GrammarError,
  GrammarLimitError,
  hasId,
  InvalidRequestError,
  type Regex,
} from "../../../inference/index.ts";
import { grammars, letterVocabulary, regexes, wordVocabulary } from "./arbitraries.ts";
import { accepts } from "./reference.ts";

const compiler = new GrammarCompiler(letterVocabulary);
const LIMITS = { regexNodes: 1e5, lexerStates: 1e5, parserItems: 1e5, states: 1e5, work: 1e8 };

function terminalOnly(regex: Regex): Grammar {
  const builder = new GrammarBuilder();
  return builder.build(builder.rule([[builder.terminal(regex)]]));
}

function compiledOrNull(grammar: Grammar, by = compiler) {
  try {
    return by.compile(grammar);
  } catch (error) {
    if (GrammarError.isInstance(error)) return null;
    throw error;
  }
}

/** Bytes that lead from a state to an accepting one; undefined where they are not found soon. */
function completion(automaton: Automaton, start: number): number[] | undefined {
  const cameFrom = new Map<number, readonly [state: number, byte: number]>();
  const open = [start];
  for (let at = 0; at < Math.min(open.length, 200); at++) {
    const state = open[at] as number;
    if (automaton.isAccepting(state)) {
      const bytes: number[] = [];
      for (let one = state; one !== start; ) {
        const [from, byte] = cameFrom.get(one) as readonly [number, number];
        bytes.unshift(byte);
        one = from;
      }
      return bytes;
    }
    for (let byte = 0; byte < 256; byte++) {
      const next = automaton.next(state, byte);
      if (next === REFUSED || next === start || cameFrom.has(next)) continue;
      cameFrom.set(next, [state, byte]);
      open.push(next);
    }
  }
  // A loop over all that can be reached would have found one.
  if (open.length < 200) throw new Error("there is no way to the end");
  return undefined;
}

function stateBehind(automaton: Automaton, start: number, bytes: Uint8Array): number {
  let state = start;
  for (const byte of bytes) if (state !== REFUSED) state = automaton.next(state, byte);
  return state;
}

const letters = fc.array(fc.constantFrom("a", "b", "c", "é", "ê", "日"), { maxLength: 5 });
const anyGrammar = fc.oneof(grammars, regexes().map(terminalOnly));

describe("a grammar's automaton", () => {
  test("accepts what the plain recogniser accepts", () => {
    fc.assert(
      fc.property(
        anyGrammar,
        fc.array(letters, { minLength: 8, maxLength: 8 }),
        (grammar, texts) => {
          const compiled = compiledOrNull(grammar);
          for (const text of texts) {
            const bytes = new TextEncoder().encode(text.join(""));
            const matcher = compiled?.matcher();
            let accepted = matcher !== undefined;
            for (const byte of bytes) {
              accepted &&= matcher?.allows(byte) ?? false;
              if (accepted) matcher?.accept(byte);
            }
            expect(accepted && matcher?.isAccepting).toBe(accepts(grammar, bytes));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    ["few tokens", letterVocabulary, 150],
    ["many tokens", wordVocabulary, 60],
  ])(
    "allows exactly the tokens behind which the text can be completed, of %s",
    (_, vocabulary, numRuns) => {
      const { bytes, offsets, size } = vocabulary;
      const ofVocabulary = new GrammarCompiler(vocabulary);
      fc.assert(
        fc.property(anyGrammar, fc.array(fc.nat(), { maxLength: 6 }), (grammar, choices) => {
          const compiled = compiledOrNull(grammar, ofVocabulary);
          if (compiled === null) return;
          const automaton = new Automaton(grammar, LIMITS);
          const matcher = compiled.matcher();
          let state = automaton.initial;
          const written: number[] = [];
          for (const choice of choices) {
            const mask = matcher.mask();
            const allowed: number[] = [];
            const wrong: number[] = [];
            for (let id = 0; id < size; id++) {
              const token = bytes.subarray(offsets[id], offsets[id + 1]);
              const isAllowed =
                token.length > 0 && stateBehind(automaton, state, token) !== REFUSED;
              if (hasId(mask, id) !== isAllowed) wrong.push(id);
              if (isAllowed) allowed.push(id);
            }
            expect(wrong).toEqual([]);
            if (allowed.length === 0) {
              expect(matcher.isAccepting).toBe(true);
              return;
            }
            const id = allowed[choice % allowed.length] as number;
            matcher.accept(id);
            const token = bytes.subarray(offsets[id], offsets[id + 1]);
            state = stateBehind(automaton, state, token);
            written.push(...token);
            const rest = completion(automaton, state);
            if (rest === undefined) continue;
            expect(accepts(grammar, Uint8Array.from([...written, ...rest]))).toBe(true);
          }
        }),
        { numRuns },
      );
    },
  );
});

describe("a matcher", () => {
  test("gives the same masks again after a rollback", () => {
    fc.assert(
      fc.property(
        grammars,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.nat(),
        (grammar, choices, back) => {
          const matcher = compiledOrNull(grammar)?.matcher();
          if (matcher === undefined) return;
          const masks = [matcher.mask()];
          for (const choice of choices) {
            const mask = masks.at(-1) as Uint32Array;
            const ids = Array.from({ length: letterVocabulary.size }, (_, id) => id).filter((id) =>
              hasId(mask, id),
            );
            if (ids.length === 0) break;
            matcher.accept(ids[choice % ids.length] as number);
            masks.push(matcher.mask());
          }
          const count = back % masks.length;
          matcher.rollback(count);
          expect(matcher.mask()).toEqual(masks[masks.length - 1 - count]);
          expect(matcher.length).toBe(masks.length - 1 - count);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("allows a stop id where the text may end, and nothing behind it", () => {
    const stop = letterVocabulary.size - 1;
    const compiled = compiler.compile(
      terminalOnly({ type: "bytes", bytes: new TextEncoder().encode("ab") }),
    );
    const matcher = compiled.matcher({ stopIds: [stop] });
    expect(hasId(matcher.mask(), stop)).toBe(false);
    expect(() => matcher.accept(stop)).toThrow(InvalidRequestError);
    expect(new TextDecoder().decode(matcher.forcedBytes())).toBe("ab");
    matcher.accept(97);
    matcher.accept(98);
    expect(matcher.isAccepting).toBe(true);
    expect(hasId(matcher.mask(), stop)).toBe(true);
    matcher.accept(stop);
    expect(matcher.mask().every((word) => word === 0)).toBe(true);
    expect(() => matcher.accept(97)).toThrow(/does not allow it there/);
    matcher.rollback(1);
    expect(matcher.isAccepting).toBe(true);
    expect(() => matcher.rollback(3)).toThrow(InvalidRequestError);
  });
});

describe("a grammar", () => {
  test("without any text is refused", () => {
    const builder = new GrammarBuilder();
    const endless = builder.declare();
    builder.define(endless, [[builder.text("a"), endless]]);
    expect(() => compiler.compile(builder.build(endless))).toThrow(GrammarError);
  });

  test("that needs more states than are allowed ends with an error, not with everything allowed", () => {
    const a: Regex = { type: "bytes", bytes: Uint8Array.of(97) };
    const b: Regex = { type: "bytes", bytes: Uint8Array.of(98) };
    const any: Regex = { type: "alternatives", options: [a, b] };
    const grammar = terminalOnly({
      type: "concat",
      parts: [
        { type: "repeat", item: any, min: 0, max: null },
        a,
        { type: "repeat", item: any, min: 20, max: 20 },
      ],
    });
    const matcher = compiler.compile(grammar, { limits: { states: 1000 } }).matcher();
    expect(() => {
      for (let at = 0, seed = 1; at < 4000; at++) {
        seed = (seed * 48_271) % 0x7fffffff;
        const id = seed % 2 === 0 ? 97 : 98;
        matcher.mask();
        matcher.accept(id);
      }
    }).toThrow(GrammarLimitError);
  });

  test("that takes too long for one token ends with an error", () => {
    const many = choiceGrammar(Array.from({ length: 3000 }, (_, at) => `a${at}`));
    const matcher = compiler.compile(many, { limits: { work: 2000 } }).matcher();
    expect(() => matcher.mask()).toThrow(/more than 2000 steps for one token/);
    expect(() => matcher.accept(97)).toThrow(GrammarLimitError);
    expect(matcher.length).toBe(0);
    expect(hasId(compiler.compile(many).matcher().mask(), 97)).toBe(true);
  });

  test("built with repeat() takes exactly that many items", () => {
    const bounds = fc.tuple(fc.nat(70), fc.option(fc.nat(70)), fc.nat(160));
    fc.assert(
      fc.property(bounds, ([min, more, count]) => {
        const builder = new GrammarBuilder();
        const max = more === null ? null : min + more;
        const root = builder.repeat([builder.text("a")], min, max);
        const grammar = builder.build(builder.rule([[root, builder.text("b")]]));
        const matcher = compiler.compile(grammar).matcher();
        let allowed = true;
        for (let at = 0; at < count && allowed; at++) {
          allowed = matcher.allows(97);
          if (allowed) matcher.accept(97);
        }
        expect(allowed && matcher.allows(98)).toBe(count >= min && count <= (max ?? count));
      }),
      { numRuns: 60 },
    );
  });

  test("is checked when it is built", () => {
    const builder = new GrammarBuilder();
    const rule = builder.declare();
    expect(() => builder.build(rule)).toThrow(/declared, but not defined/);
    builder.define(rule, [[{ terminal: 5 }]]);
    expect(() => builder.define(rule, [])).toThrow(/has a definition/);
    expect(() => builder.build(rule)).toThrow(/names {"terminal":5}/);
    expect(() => builder.repeat([], 3, 2)).toThrow(/0 ≤ min ≤ max/);
  });
});
