/** Grammars with a model of random weights: what it writes is up to it, that it belongs to the grammar is not. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../../inference/checkpoint/open.ts";
import {
  type CompiledGrammar,
  ebnfGrammar,
  type GenerateOptions,
  GrammarCompiler,
  type GrammarMatcher,
  generateWithJumps,
  type Session,
} from "../../../inference/index.ts";
import { type LocalEngine, openLocalEngine } from "../../../inference/local/local-engine.ts";
import { makeRandomModel, TINY } from "../../fixtures/make-tiny-model.ts";
import { acceptsText } from "./accepting.ts";
import { letterVocabulary } from "./arbitraries.ts";

const STOP = letterVocabulary.size - 1;
const PROMPT = Array.from({ length: 40 }, (_, at) => ((at % 10) * 13 + 7) % STOP);
/** Enough repetition for drafts, enough that is forced for jumps. */
const RECORDS = ebnfGrammar(
  'root ::= "[" record ("," record){3,5} "]"\nrecord ::= "abcabcab" [abc]{2,4} "caaab" ("é" | "ba")',
);

const { bytes, offsets } = letterVocabulary;
const compiler = new GrammarCompiler(letterVocabulary);

let folder: string;
let engine: LocalEngine;
let records: CompiledGrammar;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorale-constrain-"));
  makeRandomModel(folder, { ...TINY, vocab: 288 }, 3);
  const checkpoint = openCheckpoint(folder);
  engine = await openLocalEngine(checkpoint, { contextLength: 512, prefillChunk: 16, threads: 1 });
  checkpoint.close();
  records = compiler.compile(RECORDS);
});

afterAll(async () => {
  await engine?.close();
  rmSync(folder, { recursive: true });
});

function options(
  matcher: GrammarMatcher,
  seed: number,
): GenerateOptions & { matcher: GrammarMatcher } {
  return {
    maxTokens: 300,
    stopIds: new Set([STOP]),
    sampling: { temperature: 1.5, topP: 1, seed },
    matcher,
  };
}

async function allOf(run: AsyncIterable<number>): Promise<number[]> {
  return Array.fromAsync(run);
}

function textOf(ids: readonly number[]): string {
  return Buffer.concat(ids.map((id) => bytes.subarray(offsets[id], offsets[id + 1]))).toString();
}

async function opened(): Promise<Session> {
  const session = await engine.createSession();
  await session.sync(PROMPT);
  return session;
}

describe("constrained generation", () => {
  test("of several sessions at a time writes texts of the grammar, and ends where they end", async () => {
    const texts = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const session = await opened();
        const matcher = records.matcher({ stopIds: [STOP] });
        const ids = await allOf(session.generate(options(matcher, seed)));
        expect(ids.at(-1)).toBe(STOP);
        expect(matcher.isStopped).toBe(true);
        expect(matcher.length).toBe(ids.length);
        await session.close();
        return textOf(ids.slice(0, -1));
      }),
    );
    for (const text of texts) expect(acceptsText(records, text)).toBe(true);
    expect(new Set(texts).size).toBe(3);
  });

  test("gives the same ids with drafts", async () => {
    const session = await opened();
    const plain = await allOf(session.generate(options(records.matcher({ stopIds: [STOP] }), 5)));
    await session.sync(PROMPT);
    const matcher = records.matcher({ stopIds: [STOP] });
    const drafted = await allOf(
      session.generate({ ...options(matcher, 5), speculation: "always" }),
    );
    expect(drafted).toEqual(plain);
    expect(matcher.length).toBe(plain.length);
    await session.close();
  });
});

describe("jumps over forced text", () => {
  test("give texts of the grammar, in tokens that are not sampled", async () => {
    const session = await opened();
    const matcher = records.matcher({ stopIds: [STOP] });
    const ids = await allOf(generateWithJumps(session, { ...options(matcher, 1), minForced: 2 }));
    expect(acceptsText(records, textOf(ids.slice(0, -1)))).toBe(true);
    expect(session.tokens).toEqual([...PROMPT, ...ids]);
    expect(matcher.length).toBe(ids.length);
    // A sampled token takes a pass; those of a jump take none of their own.
    expect(session.statistics?.forwards).toBeLessThan(ids.length);
    await session.close();
  });

  test("end where the number of tokens ends, also inside of a jump", async () => {
    const session = await opened();
    for (const maxTokens of [1, 2, 3, 7, 12]) {
      await session.sync(PROMPT);
      const matcher = records.matcher();
      const run = generateWithJumps(session, { ...options(matcher, 2), maxTokens, minForced: 2 });
      expect(await allOf(run)).toHaveLength(maxTokens);
      expect(session.tokens).toHaveLength(PROMPT.length + maxTokens);
      expect(matcher.length).toBe(maxTokens);
    }
    await session.close();
  });

  test("leave session and matcher where the loop is left", async () => {
    const session = await opened();
    for (const count of [1, 2, 3, 4, 9, 14]) {
      await session.sync(PROMPT);
      const matcher = records.matcher();
      const ids: number[] = [];
      for await (const id of generateWithJumps(session, { ...options(matcher, 2), minForced: 2 })) {
        ids.push(id);
        if (ids.length === count) break;
      }
      expect(session.tokens).toEqual([...PROMPT, ...ids]);
      expect(matcher.length).toBe(count);
    }
    await session.close();
  });
});

describe("forced text", () => {
  const encoder = (text: string) => [...new TextEncoder().encode(text)];

  test.each([
    // "abc" could stand where "a" begins, "aa" where the second one does.
    ['root ::= "xyab" [c-d]', "xy"],
    ['root ::= "xya" ("é" | "c")', "xy"],
    ['root ::= "xyz" [0-9]', "xyz"],
    ['root ::= "x" | "y"', ""],
    ['root ::= "" | "xyz"', ""],
    ['root ::= "日" ("x" | "y")', "日"],
    ['root ::= ("日" | "旦") "x"', ""],
  ])("of %s is %j", (text, forced) => {
    const vocabulary = { ...letterVocabulary, encode: encoder };
    const matcher = new GrammarCompiler(vocabulary).compile(ebnfGrammar(text)).matcher();
    expect(textOf(matcher.forcedIds())).toBe(forced);
    for (const id of matcher.forcedIds()) matcher.accept(id);
  });

  test("is cut into the longest tokens where the vocabulary does not say how", () => {
    const matcher = compiler.compile(ebnfGrammar('root ::= "xabcaaabéx" [0-9]')).matcher();
    expect(matcher.forcedIds().map((id) => textOf([id]))).toEqual(["x", "abc", "aaa", "bé", "x"]);
  });
});
