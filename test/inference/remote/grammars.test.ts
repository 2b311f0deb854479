/**
 * Constraints that servers keep themselves: the ids are those of the masks alone, with fewer requests. A server that
 * refuses what it is sent, or ignores it, is noticed, and the masks keep the constraint.
 */
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { GrammarCompiler } from "../../../inference/constrain/compiler.ts";
import { jsonSchemaGrammar } from "../../../inference/constrain/json-schema/json-schema-grammar.ts";
import type { GrammarMatcher } from "../../../inference/constrain/matcher.ts";
import { ebnfGrammar } from "../../../inference/constrain/text-grammar/ebnf.ts";
import type { TokenMatcher } from "../../../inference/engine.ts";
import { openRemoteEngine } from "../../../inference/remote/remote-engine.ts";
import type { Grammar, TokenGrammar } from "../../../inference/token-grammar.ts";
import { byteLevelTokens } from "../constrain/xgrammar.ts";
import { expectedIds, SPECIAL_ID, STOP_ID, VOCAB_SIZE, vocabulary } from "./fake-model.ts";
import { type FakeServer, type FakeServerOptions, fakeServer } from "./fake-server.ts";
import type { Kind } from "./fake-speakers.ts";
import { type GrammarKeeper, grammarKeeper } from "./kept-grammar.ts";

const KINDS: readonly Kind[] = ["vllm", "vllm-tokens", "sglang", "sglang-incremental", "llama"];
const END = { id: SPECIAL_ID, text: "<|end|>" };

let keeper: GrammarKeeper;
let compiler: GrammarCompiler;

beforeAll(async () => {
  const { bytes, offsets } = vocabulary();
  const padded = new Uint32Array(VOCAB_SIZE + 1).fill(bytes.length);
  padded.set(offsets);
  const words = { size: VOCAB_SIZE, bytes, offsets: padded };
  const tokens = byteLevelTokens({ ...words, encode: () => [] });
  tokens[SPECIAL_ID] = END.text;
  tokens[STOP_ID] = "<|stop|>";
  keeper = await grammarKeeper(tokens, [STOP_ID]);
  compiler = new GrammarCompiler({ ...words, encode: (text) => [...Buffer.from(text)] });
});

/** Anything up to the special token, then a text of a grammar, then the stop id. */
class FreeThenGrammar implements TokenMatcher {
  readonly ids: number[] = [];
  readonly #body: GrammarMatcher;
  readonly #grammar: TokenGrammar;

  constructor(grammar: Grammar) {
    this.#body = compiler.compile(grammar).matcher({ stopIds: [STOP_ID] });
    this.#grammar = {
      rules: [
        { type: "free", until: [{ begin: [END], rule: 1 }], loops: false },
        { type: "alternatives", options: [[{ text: grammar }]] },
      ],
      root: 0,
    };
  }

  get #isFree(): boolean {
    return !this.ids.includes(SPECIAL_ID);
  }

  accept(id: number): void {
    if (!this.#isFree) this.#body.accept(id);
    this.ids.push(id);
  }

  rollback(): void {
    throw new Error("Servers draft nothing.");
  }

  mask(): Uint32Array | null {
    return this.#isFree ? null : this.#body.mask();
  }

  grammar(): TokenGrammar | null {
    return this.#isFree ? this.#grammar : null;
  }
}

const SCHEMA = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 12 },
    ages: { type: "array", items: { type: "integer", minimum: 0, maximum: 150 }, maxItems: 4 },
  },
  required: ["name", "ages"],
  additionalProperties: false,
};

const GRAMMARS: readonly (readonly [name: string, make: () => Grammar])[] = [
  ["JSON Schema", () => jsonSchemaGrammar(SCHEMA).grammar],
  ["EBNF", () => ebnfGrammar('root ::= ("ab" | "é" [x-z]+ "漢字"){2,5}')],
];

const servers: FakeServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.die();
});

type Played = {
  readonly ids: readonly (readonly number[])[];
  readonly requests: number;
  readonly notes: readonly string[];
  readonly server: FakeServer;
};

/** Answers of one server, behind prompts that lead to the special token. */
async function played(
  options: Partial<FakeServerOptions> & Pick<FakeServerOptions, "kind">,
  make: () => Grammar,
  rounds = 2,
): Promise<Played> {
  const server = await fakeServer(options);
  servers.push(server);
  const notes: string[] = [];
  const engine = await openRemoteEngine([server.address], {
    vocabSize: VOCAB_SIZE,
    retry: { firstMs: 1 },
    onNote: (note) => notes.push(note),
  });
  engine.useVocabulary(vocabulary());
  const ids: (readonly number[])[] = [];
  for (let first = 4; ids.length < rounds; first++) {
    // Those behind which the model comes to the special token.
    if (!expectedIds([first, 65], 400).includes(SPECIAL_ID)) continue;
    const session = await engine.createSession();
    await session.sync([first, 65]);
    const matcher = new FreeThenGrammar(make());
    const run = session.generate({
      maxTokens: 400,
      stopIds: new Set([STOP_ID]),
      sampling: { temperature: 0, topP: 1, seed: 1 },
      matcher,
    });
    while (!(await run.next()).done);
    await session.close();
    ids.push(matcher.ids);
  }
  await engine.close();
  return { ids, requests: server.requests.length, notes, server };
}

describe.each(KINDS)("%s", (kind) => {
  it.each(GRAMMARS)("keeps %s with the same ids and fewer requests", async (_, make) => {
    const masked = await played({ kind }, make);
    const kept = await played({ kind, keeper }, make);
    expect(kept.ids).toEqual(masked.ids);
    // Ids that a stream of llama-server lost are asked for once more, and behind them the masks keep the grammar.
    if (kind === "llama") expect(kept.requests).toBeLessThan(masked.requests / 2);
    else expect(kept.requests).toBe(kept.ids.length);
    expect(masked.requests).toBeGreaterThan(masked.ids.length * 4);
    expect(masked.notes.join()).toMatch(/keeps no grammars of whole answers/);
    expect(kept.notes.join()).not.toMatch(/grammar/);
  });

  it("is sent no grammar again that it refuses, which is said once", async () => {
    const [, make] = GRAMMARS[0] ?? [];
    if (make === undefined) throw new Error("There is no grammar.");
    const masked = await played({ kind }, make);
    const refused = await played({ kind, keeper, laterGrammars: "refused" }, make);
    expect(refused.ids).toEqual(masked.ids);
    const said = refused.notes.filter((note) => note.includes("failed to parse grammar"));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/answers without it\. It is kept here, token by token\.$/);
    expect(refused.requests).toBe(masked.requests + 1);
  });

  it("is sent none any more once it has refused three", async () => {
    let count = 0;
    const make = (): Grammar => ebnfGrammar(`root ::= "a" [b-z]{1,${++count}}`);
    const { notes, server } = await played({ kind, keeper, laterGrammars: "refused" }, make, 5);
    expect(server.requests.filter(({ hasGrammar }) => hasGrammar)).toHaveLength(3);
    expect(notes.filter((note) => note.includes("failed to parse grammar"))).toHaveLength(1);
  });

  it("is sent none any more once it has failed with them, or ignored them", async () => {
    const [, make] = GRAMMARS[1] ?? [];
    if (make === undefined) throw new Error("There is no grammar.");
    const masked = await played({ kind }, make, 4);
    const ignored = await played({ kind, keeper, laterGrammars: "ignored" }, make, 4);
    expect(ignored.ids).toEqual(masked.ids);
    expect(ignored.requests).toBe(masked.requests);
    expect(ignored.notes.filter((note) => note.includes("does not keep"))).toHaveLength(1);
    const broken = await played({ kind, keeper, laterGrammars: "broken" }, make, 4);
    expect(broken.ids).toEqual(masked.ids);
    expect(broken.notes.filter((note) => note.includes("answers without it"))).toHaveLength(1);
  });
});
