/**
 * `chorale bench`: how fast a model is on this machine, next to what the machine's memory and arithmetic allow:
 * a pass reads all weights that it uses once, and multiplies each with every column.
 */
import {
  measurePageCost,
  openModel,
  type PageCost,
  type Precision,
  type Roofline,
  type RooflineSide,
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
  /** Pages that the process was given meanwhile, and processor time that the system took for them and for reading. */
  readonly load_page_faults: number;
  readonly load_system_s: number;
  readonly page_fault: PageFigures | null;
  readonly prefill_tps: number;
  readonly decode_tps: number;
  readonly roofline: RooflineFigures | null;
};

type PageFigures = {
  readonly page_bytes: number;
  readonly us: number;
  readonly s_per_gib: number;
  /** The system's setting: always, madvise or never. */
  readonly huge_pages: string | null;
};

type RooflineFigures = {
  /** 10⁹ bytes per second. */
  readonly bandwidth_gb_per_s: number;
  /** 10⁹ multiply-accumulates per second of one thread, by kernel: with one column, with many. */
  readonly gmacs_per_thread: Readonly<
    Record<string, { readonly one: number; readonly many: number }>
  >;
  readonly prefill: SideFigures;
  readonly decode: SideFigures;
};

type SideFigures = {
  readonly bytes_per_token: number;
  readonly macs_per_token: number;
  /** Tokens per second if only memory took time, if only arithmetic did, and if the slower of both did. */
  readonly memory_limit_tps: number;
  readonly arithmetic_limit_tps: number;
  readonly limit_tps: number;
  /** What was reached, as a part of the limit. */
  readonly share: number;
};

/** @throws UsageError, InferenceError; the signal's reason */
export async function benchCommand(
  args: BenchArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  if (args.noLocal) throw new UsageError("--no-local leaves nothing to measure without --engine.");
  const opening = performance.now();
  const before = process.resourceUsage();
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
    const loaded = process.resourceUsage();
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
    const roofline = await engine.roofline?.({ prompt, generate, signal });
    const prefill_tps = median(speeds.map((speed) => speed.prefill));
    const decode_tps = median(speeds.map((speed) => speed.decode));
    const figures: Figures = {
      model: engine.name,
      threads: engine.threads ?? null,
      precision: engine.precision ?? null,
      prompt,
      generate,
      rounds,
      load_s: rounded(load_s),
      load_page_faults: loaded.minorPageFault - before.minorPageFault,
      load_system_s: rounded((loaded.systemCPUTime - before.systemCPUTime) / 1e6),
      page_fault: pageFigures(measurePageCost()),
      prefill_tps,
      decode_tps,
      roofline: roofline === undefined ? null : rooflineFigures(roofline, prefill_tps, decode_tps),
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

function pageFigures(cost: PageCost | undefined): PageFigures | null {
  if (cost === undefined) return null;
  return {
    page_bytes: cost.pageBytes,
    us: rounded(cost.microseconds),
    s_per_gib: rounded(cost.secondsPerGiB),
    huge_pages: cost.hugePages ?? null,
  };
}

function rooflineFigures(
  { bandwidth, rates, prefill, decode }: Roofline,
  prefillTps: number,
  decodeTps: number,
): RooflineFigures {
  const side = (limits: RooflineSide, reached: number): SideFigures => ({
    bytes_per_token: Math.round(limits.bytesPerToken),
    macs_per_token: Math.round(limits.macsPerToken),
    memory_limit_tps: rounded(limits.memoryLimit),
    arithmetic_limit_tps: rounded(limits.arithmeticLimit),
    limit_tps: rounded(limits.limit),
    share: rounded(reached / limits.limit),
  });
  return {
    bandwidth_gb_per_s: rounded(bandwidth / 1e9),
    gmacs_per_thread: Object.fromEntries(
      rates.map(({ kind, one, many }) => [
        kind,
        { one: rounded(one / 1e9), many: rounded(many / 1e9) },
      ]),
    ),
    prefill: side(prefill, prefillTps),
    decode: side(decode, decodeTps),
  };
}

function table(figures: Figures): string[] {
  const { threads, roofline } = figures;
  const rows: [string, string][] = [
    ["model", figures.model],
    ["threads", String(threads ?? "unknown")],
    ["precision", figures.precision ?? "unknown"],
    ["load", load(figures)],
    ["prefill", `${figures.prefill_tps} tokens/s (a prompt of ${figures.prompt})`],
    ["decode", `${figures.decode_tps} tokens/s (${figures.generate} tokens behind it)`],
  ];
  if (figures.page_fault !== null) rows.push(["pages", pages(figures.page_fault)]);
  if (roofline !== null) {
    rows.push(["memory bandwidth", `${roofline.bandwidth_gb_per_s} GB/s`]);
    for (const [kind, { one, many }] of Object.entries(roofline.gmacs_per_thread)) {
      const columns = kind === "attention" || kind === "screen" ? "" : `, ${many} with 64 columns`;
      rows.push([`${kind} kernel`, `${one} billion MAC/s per thread${columns}`]);
    }
    for (const name of ["prefill", "decode"] as const) {
      rows.push([`${name} takes`, takes(roofline[name])], [`${name} limit`, limit(roofline[name])]);
    }
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

function load({ load_s, load_page_faults, load_system_s }: Figures): string {
  return `${load_s} s (${load_page_faults} page faults, ${load_system_s} s of processor time in the system)`;
}

function pages({ page_bytes, us, s_per_gib, huge_pages }: PageFigures): string {
  const setting = huge_pages === null ? "" : `; huge pages: ${huge_pages}`;
  return `${page_bytes / 1024} KiB, ${us} µs for the first touch of each, ${s_per_gib} s per GiB${setting}`;
}

function takes({ bytes_per_token, macs_per_token }: SideFigures): string {
  return `${amount(bytes_per_token, "B")} and ${amount(macs_per_token, "MAC")} per token`;
}

function limit(side: SideFigures): string {
  return (
    `${side.limit_tps} tokens/s (memory alone ${side.memory_limit_tps}, arithmetic alone ` +
    `${side.arithmetic_limit_tps}); reached ${Math.round(side.share * 100)} %`
  );
}

function amount(value: number, unit: string): string {
  return value >= 1e9 ? `${rounded(value / 1e9)} G${unit}` : `${rounded(value / 1e6)} M${unit}`;
}
