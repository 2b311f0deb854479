/**
 * `chorale bench --engine A --engine B`: servers beside the model of this machine, with the same prompts. What is told
 * is what a client sees, network and queues included.
 */
import { messageOf, RunError, UsageError } from "../errors.ts";
import {
  type HarmonyModel,
  loadModel,
  loadRemoteModel,
  type RemoteModel,
  resolveModelName,
} from "../index.ts";
import { type BenchArguments, median, spread } from "./bench-figures.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { visibleText } from "./terminal-text.ts";

/** What all are asked, greedily. */
const QUESTIONS: readonly string[] = [
  "What is 12 * 34?",
  "Write one sentence about the sea.",
  "Count from one to twenty in words.",
  "Which day comes after Monday? Answer in German: Dienstag, Donnerstag or Sonntag?",
];

type Candidate = { readonly address: string | null; readonly name: string } & (
  | { readonly model: HarmonyModel; readonly kind: string; readonly limitations: readonly string[] }
  | { readonly model: null; readonly problem: string }
);
type Opened = Extract<Candidate, { readonly model: HarmonyModel }>;

/** Tokens per second; `decode` is null where all tokens came at once. */
type Speed = { readonly prefill: number; readonly decode: number | null };

type Measured = {
  readonly speeds: Speed[];
  readonly firstTokenMs: number[];
  readonly answers: (readonly number[])[];
};

type Agreement = {
  /** Whose ids they are compared with. */
  readonly with: string;
  readonly questions: number;
  readonly sameAnswers: number;
  /** Ids of the other's answers, and those of them before a first difference. */
  readonly ids: number;
  readonly sameIds: number;
  readonly firstDifference: {
    readonly question: string;
    /** Ids of the answer before it. */
    readonly place: number;
    /** Texts of the ids; null where an answer has ended. */
    readonly here: string | null;
    readonly there: string | null;
  } | null;
};

/** Status 1 when an engine cannot be used. @throws UsageError, InferenceError; the signal's reason */
export async function benchEnginesCommand(
  args: BenchArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  await using opened = new AsyncDisposableStack();
  const candidates: Candidate[] = [];
  if (!args.noLocal) candidates.push(opened.use(await openLocal(args)));
  for (const address of args.engine) candidates.push(opened.use(await openRemote(address)));
  const usable = candidates.filter((one): one is Opened & AsyncDisposable => one.model !== null);
  checkContext(args, usable);
  const measured = new Map<Opened, Measured>();
  for (const one of usable) measured.set(one, { speeds: [], firstTokenMs: [], answers: [] });
  const problems = new Map<Candidate, string>();
  for (const one of candidates) if (one.model === null) problems.set(one, one.problem);
  for (let round = 0; round < args.rounds; round++) {
    output.note(`round ${round + 1} of ${args.rounds}`);
    // One after the other within a round, so that a machine that gets slower is slower for all.
    for (const [one, found] of measured) {
      if (problems.has(one)) continue;
      await measure(one, found, args, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        problems.set(one, messageOf(error));
      });
    }
  }
  const [first] = usable.filter((one) => !problems.has(one));
  const rows = candidates.map((one) => {
    const problem = problems.get(one) ?? null;
    const found = one.model === null ? undefined : measured.get(one);
    if (problem !== null || found === undefined || one.model === null) {
      return { name: one.name, address: one.address, ok: false as const, problem };
    }
    const decodes = found.speeds.flatMap(({ decode }) => decode ?? []);
    const reference = first === undefined || first === one ? undefined : measured.get(first);
    return {
      ...{ name: one.name, address: one.address, ok: true as const, kind: one.kind },
      prefill_tps: median(found.speeds.map(({ prefill }) => prefill)),
      decode_tps: decodes.length > 0 ? median(decodes) : null,
      first_token_ms: median(found.firstTokenMs),
      limitations: one.limitations,
      agreement:
        reference === undefined || first === undefined
          ? null
          : agreementOf(first, reference.answers, one, found.answers),
    };
  });
  const { prompt, generate, rounds } = args;
  if (args.json) output.jsonLine({ prompt, generate, rounds, engines: rows });
  else for (const line of table(rows, args)) output.line(visibleText(line));
  return problems.size > 0 ? EXIT.failed : EXIT.ok;

  async function openLocal({ threads, precision, experts }: BenchArguments): Promise<Closing> {
    const path = resolveModelName(args.model, env)?.path;
    const model = await loadModel(path, { threads, precision, experts });
    const { engine } = model;
    const kind = `this process, ${engine.threads ?? "some"} threads, ${engine.precision ?? ""}`;
    return closing({ address: null, name: engine.name, model, kind, limitations: [] });
  }

  async function openRemote(address: string): Promise<Closing> {
    let model: RemoteModel;
    try {
      model = await loadRemoteModel([address], {
        ...{ keyFile: args.engineKeyFile, env, signal, maxSessions: 1 },
        vocabularyOf: args.model,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (RunError.isInstance(error) && error.code === "CHORALE_USAGE") throw error;
      return closing({ address, name: address, model: null, problem: messageOf(error) });
    }
    const { servers, limitations } = model.engine;
    const kind = servers[0]?.kind ?? "a server";
    return closing({ address, name: address, model, kind, limitations });
  }
}

type Closing = Candidate & AsyncDisposable;

function closing(candidate: Candidate): Closing {
  return Object.assign(candidate, {
    [Symbol.asyncDispose]: async () => candidate.model?.close(),
  });
}

function checkContext({ prompt, generate }: BenchArguments, usable: readonly Opened[]): void {
  for (const { name, model } of usable) {
    if (prompt + generate + 1 <= model.contextLength) continue;
    throw new UsageError(
      `--prompt ${prompt} and --generate ${generate} are ${prompt + generate + 1} tokens; ` +
        `accepted: at most ${model.contextLength}, the context of ${name}.`,
    );
  }
}

async function measure(
  { model }: Opened,
  found: Measured,
  { prompt, generate }: BenchArguments,
  signal: AbortSignal,
): Promise<void> {
  const ask = (ids: readonly number[], maxTokens: number, stopIds: ReadonlySet<number>) =>
    timed(model, ids, maxTokens, stopIds, signal);
  // Other ids each time, also for a server that keeps what earlier commands asked.
  const ordinary = model.tokenizer.ordinaryTokens.offsets.length - 1;
  const ids = spread(Math.random() * 1e6, prompt, ordinary);
  const { times, startedAt } = await ask(ids, generate + 1, new Set());
  const [firstAt = performance.now()] = times;
  const lastAt = times.at(-1) ?? firstAt;
  found.speeds.push({
    prefill: (prompt * 1000) / (firstAt - startedAt),
    decode: lastAt > firstAt ? ((times.length - 1) * 1000) / (lastAt - firstAt) : null,
  });
  const isFirst = found.answers.length === 0;
  const { special } = model.tokenizer;
  for (const question of QUESTIONS) {
    const text = `<|start|>user<|message|>${question}<|end|><|start|>assistant`;
    const asked = await ask(
      model.tokenizer.encodeWithSpecials(text),
      generate,
      new Set([special.return, special.call]),
    );
    found.firstTokenMs.push((asked.times[0] ?? performance.now()) - asked.startedAt);
    if (isFirst) found.answers.push(asked.ids);
  }
}

async function timed(
  model: HarmonyModel,
  prompt: readonly number[],
  maxTokens: number,
  stopIds: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<{ ids: readonly number[]; times: readonly number[]; startedAt: number }> {
  const startedAt = performance.now();
  const times: number[] = [];
  const { ids } = await model.complete(
    {
      ...{ threadId: "bench", prompt, maxTokens, stopIds, allowedIds: null, topLogprobs: null },
      sampling: { temperature: 0, topP: 1, seed: 0 },
      signal,
    },
    async () => void times.push(performance.now()),
  );
  return { ids, times, startedAt };
}

/** @returns null where the vocabularies are not the same, so that ids say nothing */
function agreementOf(
  reference: Opened,
  expected: readonly (readonly number[])[],
  { model }: Opened,
  answers: readonly (readonly number[])[],
): Agreement | null {
  if (model.vocabulary !== reference.model.vocabulary) return null;
  let sameAnswers = 0;
  let sameIds = 0;
  let firstDifference: Agreement["firstDifference"] = null;
  for (const [index, ids] of expected.entries()) {
    const other = answers[index] ?? [];
    let place = 0;
    while (place < ids.length && ids[place] === other[place]) place++;
    sameIds += place;
    if (place === ids.length && place === other.length) {
      sameAnswers++;
      continue;
    }
    const textAt = (list: readonly number[]): string | null =>
      list[place] === undefined ? null : model.tokenizer.decode(list.slice(place, place + 1));
    firstDifference ??= {
      ...{ question: QUESTIONS[index] ?? "", place },
      ...{ here: textAt(other), there: textAt(ids) },
    };
  }
  return {
    with: reference.name,
    questions: expected.length,
    sameAnswers,
    ids: expected.reduce((sum, { length }) => sum + length, 0),
    sameIds,
    firstDifference,
  };
}

type Row = { readonly name: string } & (
  | { readonly ok: false; readonly problem: string | null }
  | {
      readonly ok: true;
      readonly kind: string;
      readonly prefill_tps: number;
      readonly decode_tps: number | null;
      readonly first_token_ms: number;
      readonly limitations: readonly string[];
      readonly agreement: Agreement | null;
    }
);

function table(rows: readonly Row[], { prompt, generate }: BenchArguments): string[] {
  const good = rows.filter((row) => row.ok);
  const cells = [
    ["", "kind", "prefill", "decode", "first token", "same ids"],
    ...good.map((row) => [
      row.name,
      row.kind,
      `${row.prefill_tps} tokens/s`,
      row.decode_tps === null ? "–" : `${row.decode_tps} tokens/s`,
      `${row.first_token_ms} ms`,
      row.agreement === null
        ? "–"
        : `${row.agreement.sameIds} of ${row.agreement.ids}, ${row.agreement.sameAnswers} of ${row.agreement.questions} answers`,
    ]),
  ];
  const widths = cells[0]?.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const lines = cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths?.[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  lines.push(`prefill: a prompt of ${prompt}; decode: ${generate} tokens behind it`);
  for (const row of rows) {
    if (!row.ok) {
      lines.push(`${row.name}: cannot be used: ${row.problem}`);
      continue;
    }
    for (const sentence of row.limitations) lines.push(`${row.name}: ${sentence}`);
    const { firstDifference: other = null, with: name = "" } = row.agreement ?? {};
    if (other === null) continue;
    const shown = (text: string | null): string =>
      text === null ? "the end" : JSON.stringify(text);
    lines.push(
      `${row.name}: ${JSON.stringify(other.question)} is answered otherwise behind ${other.place} ids: ` +
        `${shown(other.here)}, and ${shown(other.there)} by ${name}`,
    );
  }
  const unlike = good.filter((row, at) => at > 0 && row.agreement === null);
  for (const { name } of unlike) {
    lines.push(`${name}: has another vocabulary than ${good[0]?.name}, so ids are not compared`);
  }
  return lines;
}
