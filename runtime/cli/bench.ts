/**
 * `chorale bench`: how fast a model is on this machine, next to what the machine's memory allows. Every
 * decoded token reads all active weights once, so bandwidth over their bytes is the most it can be.
 */
import {
  measureBandwidth,
  openModel,
  type Precision,
  type TokenEngine,
} from "../../inference/index.ts";
import { UsageError } from "../errors.ts";
import { resolveModelName } from "../index.ts";
import { type BenchArguments, median, rounded, spread } from "./bench-figures.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

type Figures = {
  readonly model: string;
  readonly threads: number | null;
  readonly precision: Precision | null;
  readonly prompt: number;
  readonly generate: number;
  readonly rounds: number;
  readonly load_s: number;
  readonly prefill_tps: number;
  readonly decode_tps: number;
  /** 10⁹ bytes per second. */
  readonly bandwidth_gb_per_s: number;
  readonly weights_gb_per_token: number | null;
  /** Tokens per second if decoding did nothing but read. */
  readonly decode_limit_tps: number | null;
};

/** @throws UsageError, InferenceError; the signal's reason */
export async function benchCommand(
  args: BenchArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  if (args.noLocal) throw new UsageError("--no-local leaves nothing to measure without --engine.");
  const opening = performance.now();
  const { threads, precision, experts } = args;
  const found = resolveModelName(args.model);
  const { engine } = await openModel(found?.path, {
    threads,
    precision,
    experts,
    signal,
    name: found?.name,
  });
  try {
    const load_s = (performance.now() - opening) / 1000;
    const { prompt, generate, rounds } = args;
    if (prompt + generate + 1 > engine.contextLength) {
      throw new UsageError(
        `--prompt ${prompt} and --generate ${generate} are ${prompt + generate + 1} tokens; ` +
          `accepted: at most ${engine.contextLength}, the context of ${engine.name}.`,
      );
    }
    const speeds: Speed[] = [];
    for (let round = 0; round < rounds; round++) {
      output.note(`round ${round + 1} of ${rounds}`);
      speeds.push(await measure(engine, args, speeds.length, signal));
    }
    const bandwidth = await measureBandwidth(engine.threads ?? 1, signal);
    const { bytesPerToken } = engine;
    const figures: Figures = {
      model: engine.name,
      threads: engine.threads ?? null,
      precision: engine.precision ?? null,
      prompt,
      generate,
      rounds,
      load_s: rounded(load_s),
      prefill_tps: median(speeds.map((speed) => speed.prefill)),
      decode_tps: median(speeds.map((speed) => speed.decode)),
      bandwidth_gb_per_s: rounded(bandwidth / 1e9),
      weights_gb_per_token: bytesPerToken === undefined ? null : rounded(bytesPerToken / 1e9),
      decode_limit_tps: bytesPerToken === undefined ? null : rounded(bandwidth / bytesPerToken),
    };
    if (args.json) output.jsonLine(figures);
    else for (const line of table(figures)) output.line(line);
    return EXIT.ok;
  } finally {
    await engine.close();
  }
}

/** Tokens per second. */
type Speed = { readonly prefill: number; readonly decode: number };

async function measure(
  engine: TokenEngine,
  { prompt, generate }: BenchArguments,
  round: number,
  signal: AbortSignal,
): Promise<Speed> {
  const session = await engine.createSession();
  const options = {
    stopIds: new Set<number>(),
    sampling: { temperature: 0, topP: 1, seed: 0 },
    signal,
    // What is measured is a token, not how often this one repeats itself.
    speculation: false,
  };
  const decode = async (tokens: number): Promise<void> => {
    for await (const _ of session.generate({ ...options, maxTokens: tokens }));
  };
  try {
    const prefilling = performance.now();
    await session.sync(spread(round, prompt, engine.vocabSize), { signal });
    // The last token of a prompt is computed with the first one sampled.
    await decode(1);
    const decoding = performance.now();
    await decode(generate);
    const ended = performance.now();
    return {
      prefill: (prompt * 1000) / (decoding - prefilling),
      decode: (generate * 1000) / (ended - decoding),
    };
  } finally {
    await session.close();
  }
}

function table(figures: Figures): string[] {
  const { threads, weights_gb_per_token: weights, decode_limit_tps: limit } = figures;
  const rows: [string, string][] = [
    ["model", figures.model],
    ["threads", String(threads ?? "unknown")],
    ["precision", figures.precision ?? "unknown"],
    ["load", `${figures.load_s} s`],
    ["prefill", `${figures.prefill_tps} tokens/s (a prompt of ${figures.prompt})`],
    ["decode", `${figures.decode_tps} tokens/s (${figures.generate} tokens behind it)`],
    ["memory bandwidth", `${figures.bandwidth_gb_per_s} GB/s`],
  ];
  if (weights !== null && limit !== null) {
    const share = Math.round((figures.decode_tps / limit) * 100);
    const shown = weights >= 1 ? `${weights} GB` : `${rounded(weights * 1000)} MB`;
    rows.push(["weights per token", shown]);
    rows.push(["decode limit", `${limit} tokens/s by that bandwidth; decode reaches ${share} %`]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
