/**
 * `npm run --silent bench -- constrain [--rounds N] [--without-peer]`: masks of JSON Schemas over the
 * vocabulary of gpt-oss, beside web-xgrammar on the same documents in the same run.
 *
 * In each round each schema is compiled anew, so that every mask is made for the first time or is met again
 * as in one use; a figure of a place in a document is the median of its rounds. Of the first round nothing
 * counts. `first` leaves out masks that were met before in the same round. The peer takes up to a minute for a
 * schema with bounded strings, so it compiles each once.
 */
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import {
  type CompiledGrammar,
  GrammarCompiler,
  hasId,
  jsonSchemaGrammar,
  type Vocabulary,
} from "../../inference/index.ts";
import { byteLevelTokens, loadXGrammar } from "../inference/constrain/xgrammar.ts";
import { CASES, type Case } from "./constrain-cases.ts";
import { median, rounded } from "./median.ts";

const ROUNDS = 7;

type Figures = Readonly<Record<string, number>>;

/** Microseconds of one round: of each mask, whether it was the first of its kind, and of each compilation. */
type Round = {
  readonly masks: number[];
  readonly isFirst: boolean[];
  readonly accepts: number[];
  readonly grammars: number[];
  readonly compiles: number[];
};

export async function bench(args: readonly string[]): Promise<Record<string, unknown>> {
  const at = args.indexOf("--rounds");
  const rounds = at < 0 ? ROUNDS : Number(args[at + 1]);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error("--rounds takes a number");
  const tokenizer = loadO200kHarmony();
  const vocabulary = { size: tokenizer.size, ...tokenizer.ordinaryTokens };
  const load = vocabularyFigures(vocabulary);
  const compiler = new GrammarCompiler(vocabulary);
  const texts = CASES.flatMap((one) => textsOf(one).map((text) => tokenizer.encode(text)));
  const own = await figures(rounds, () => ownRound(compiler, (text) => tokenizer.encode(text)));
  const peer = args.includes("--without-peer")
    ? undefined
    : await peerFigures(vocabulary, rounds, (text) => tokenizer.encode(text));
  return {
    schemas: CASES.length,
    documents: texts.length,
    tokens: texts.reduce((sum, ids) => sum + ids.length, 0),
    rounds,
    vocabulary: load,
    chorale: own,
    ...(peer === undefined ? {} : { web_xgrammar: peer }),
  };
}

/** As JSON.stringify writes them, and with blanks as models write them. */
function textsOf({ documents }: Case): string[] {
  return documents.flatMap((one) => [
    JSON.stringify(one),
    JSON.stringify(one, null, 1).replace(/\n */g, " "),
  ]);
}

/** Also in time of the processor: other work on the machine does not count there. */
function vocabularyFigures(vocabulary: Vocabulary): Figures {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 7; round++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    bytes = new GrammarCompiler(vocabulary).byteLength;
    times.push(performance.now() - start);
    cpuTimes.push(process.cpuUsage(cpu).user / 1000);
  }
  return {
    first_load_ms: rounded(times[0] as number),
    first_load_cpu_ms: rounded(cpuTimes[0] as number),
    load_ms: median(times),
    load_cpu_ms: median(cpuTimes),
    mb: rounded(bytes / 2 ** 20),
  };
}

function ownRound(compiler: GrammarCompiler, encode: (text: string) => number[]): Round {
  const round: Round = { masks: [], isFirst: [], accepts: [], grammars: [], compiles: [] };
  for (const one of CASES) {
    const start = performance.now();
    const { grammar } = jsonSchemaGrammar(one.schema);
    const middle = performance.now();
    const compiled = compiler.compile(grammar);
    round.compiles.push((performance.now() - middle) * 1000);
    round.grammars.push((middle - start) * 1000);
    for (const text of textsOf(one)) walk(compiled, encode(text), round);
  }
  return round;
}

function walk(compiled: CompiledGrammar, ids: readonly number[], round: Round): void {
  const matcher = compiled.matcher();
  const seen = new Set<Uint32Array>();
  for (const id of ids) {
    const start = performance.now();
    const mask = matcher.mask();
    const middle = performance.now();
    if (!hasId(mask, id)) throw new Error(`a valid document is refused at token ${matcher.length}`);
    const accept = performance.now();
    matcher.accept(id);
    round.accepts.push((performance.now() - accept) * 1000);
    round.masks.push((middle - start) * 1000);
    round.isFirst.push(!seen.has(mask));
    seen.add(mask);
  }
}

async function peerFigures(
  vocabulary: Vocabulary,
  rounds: number,
  encode: (text: string) => number[],
): Promise<Record<string, unknown>> {
  const { TokenizerInfo, GrammarCompiler: Compiler, GrammarMatcher } = loadXGrammar();
  const tokens = byteLevelTokens(vocabulary);
  const start = performance.now();
  const info = await TokenizerInfo.createTokenizerInfo(
    tokens,
    "byte_level",
    false,
    tokens.length,
    [200_002],
  );
  const load_ms = rounded(performance.now() - start);
  const compiler = await Compiler.createGrammarCompiler(info, false);
  const compiles: number[] = [];
  const compiled: Awaited<ReturnType<typeof compiler.compileJSONSchema>>[] = [];
  for (const { name, schema } of CASES) {
    console.error(`web-xgrammar compiles ${name}`);
    const begin = performance.now();
    compiled.push(await compiler.compileJSONSchema(JSON.stringify(schema), true));
    compiles.push((performance.now() - begin) * 1000);
  }
  let refused = 0;
  const result = await figures(rounds, async () => {
    const round: Round = { masks: [], isFirst: [], accepts: [], grammars: [], compiles };
    refused = 0;
    for (const [place, one] of CASES.entries()) {
      for (const text of textsOf(one)) {
        const matcher = await GrammarMatcher.createGrammarMatcher(compiled[place]!);
        for (const id of encode(text)) {
          const from = performance.now();
          await matcher.getNextTokenBitmask();
          const middle = performance.now();
          const isAccepted = matcher.acceptToken(id);
          round.accepts.push((performance.now() - middle) * 1000);
          round.masks.push((middle - from) * 1000);
          round.isFirst.push(true);
          if (isAccepted) continue;
          refused++;
          break;
        }
        matcher.dispose();
      }
    }
    return round;
  });
  return { load_ms, documents_refused: refused, ...result };
}

async function figures(
  rounds: number,
  run: () => Round | Promise<Round>,
): Promise<Record<string, Figures>> {
  await run();
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) all.push(await run());
  const middle = (of: (round: Round) => readonly number[]): number[] =>
    of(all[0] as Round).map((_, at) => median(all.map((round) => of(round)[at] as number)));
  const masks = middle(({ masks: times }) => times);
  const compiles = middle(({ compiles: times }) => times);
  const grammars = middle(({ grammars: times }) => times);
  const isFirst = (all[0] as Round).isFirst;
  return {
    mask_us: percentiles(masks),
    first_mask_us: percentiles(masks.filter((_, at) => isFirst[at])),
    accept_us: percentiles(middle(({ accepts }) => accepts)),
    compile_us: percentiles(compiles),
    ...(grammars.length === 0
      ? {}
      : {
          schema_to_grammar_us: percentiles(grammars),
          schema_to_matcher_us: percentiles(compiles.map((time, at) => time + (grammars[at] ?? 0))),
        }),
  };
}

function percentiles(values: readonly number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
