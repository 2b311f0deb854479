/** Many generated questions through both protocols of Minions, with models that answer by rules. */
import { loadModel } from "../../runtime/index.ts";
import { chunksOf } from "../../runtime/minions/chunks.ts";
import { runMinions } from "../../runtime/minions/index.ts";
import {
  generateQuestion,
  KINDS,
  ruleSupervisor,
  ruleWorker,
} from "../runtime/minions/generated-questions.ts";

/** Characters of a token, as scripted models count. */
const TOKEN = 4;
const CHUNK = 3000;

export type MinionQuestions = {
  readonly questions: number;
  /** Answers, of both protocols, that are not as they have to be. */
  readonly wrong: number;
  /** Sums over more of a document than a talk can show, of which the answer does not count. */
  readonly beyond: number;
  /** Reports whose counts are not those of the models. */
  readonly miscounted: number;
  /** Remote tokens through those of a remote-only run, at most. */
  readonly minionRatio: number;
  readonly minionsRatio: number;
};

/** @param seed of the first question; documents have 20,000 to 200,000 tokens */
export async function askMinions(
  count: number,
  seed: number,
  onProgress: (done: number) => void,
): Promise<MinionQuestions> {
  let [wrong, beyond, miscounted, minionRatio, minionsRatio] = [0, 0, 0, 0, 0];
  for (let at = 0; at < count; at++) {
    const tokens = 20_000 + Math.round((180_000 * at) / Math.max(1, count - 1));
    const kind = KINDS[at % KINDS.length] ?? "needle";
    const generated = generateQuestion(kind, tokens * TOKEN, seed + at);
    const { question, documents: context, expected, phrases, facts } = generated;
    for (const protocol of ["minion", "minions"] as const) {
      const [remote, local] = [ruleSupervisor(generated), ruleWorker()];
      const report = await runMinions({ question, context, remote, local, protocol });
      // A sum of what stands all over a long document is more than the parts hold that a talk can show.
      const isBeyond = protocol === "minion" && kind === "sum" && tokens > 70_000;
      if (isBeyond) beyond++;
      else if (report.answer !== expected) wrong++;
      const input = remote.requests.reduce((sum, request) => sum + remote.promptTokens(request), 0);
      const chunks = chunksOf(context, CHUNK);
      const hits = new Set(
        facts.map(
          ({ phrase, at: from }) =>
            `${phrase} ${chunks.findIndex((chunk) => from >= chunk.from && from < chunk.to)}`,
        ),
      ).size;
      const total = protocol === "minion" ? report.rounds : chunks.length * phrases.length;
      const answered = protocol === "minion" ? report.rounds : hits;
      const isExact =
        report.tokens.remote.input === input &&
        report.tokens.remote.calls === remote.requests.length &&
        report.receipt.length === remote.requests.length &&
        report.tokens.local.calls === local.requests.length &&
        report.jobs.total === total &&
        report.jobs.answered === answered &&
        report.jobs.abstained === total - answered;
      if (!isExact) miscounted++;
      if (protocol === "minion") minionRatio = Math.max(minionRatio, report.ratio);
      else minionsRatio = Math.max(minionsRatio, report.ratio);
    }
    onProgress(at + 1);
  }
  return { questions: count, wrong, beyond, miscounted, minionRatio, minionsRatio };
}

export type EmbeddedQuestions = {
  readonly questions: number;
  readonly jobs: number;
  readonly abstained: number;
  /** Reports whose counts do not fit each other, the supervisor and the receipt. */
  readonly miscounted: number;
  /** Of the tokens that the worker read, those that were not computed again. */
  readonly cachedShare: number;
};

/** The protocol `minions` with the embedded model as the worker; what it answers does not count. */
export async function askEmbedded(count: number, seed: number): Promise<EmbeddedQuestions> {
  await using local = await loadModel(undefined, { maxSessions: 5 });
  let [jobs, abstained, miscounted, cached, input] = [0, 0, 0, 0, 0];
  for (let at = 0; at < count; at++) {
    const generated = generateQuestion(
      KINDS[at % KINDS.length] ?? "needle",
      20_000 * TOKEN,
      seed + at,
    );
    const { question, documents: context, phrases } = generated;
    const remote = ruleSupervisor(generated);
    const report = await runMinions({ question, context, remote, local });
    const { total, answered, abstained: none, failed } = report.jobs;
    const read = remote.requests.reduce((sum, request) => sum + remote.promptTokens(request), 0);
    const isExact =
      report.status === "answered" &&
      total % phrases.length === 0 &&
      total === answered + none + failed &&
      report.tokens.local.calls === total + report.retries.worker &&
      report.tokens.remote.input === read &&
      report.receipt.length === remote.requests.length;
    if (!isExact) miscounted++;
    jobs += total;
    abstained += none;
    cached += report.tokens.local.cached;
    input += report.tokens.local.input;
  }
  return { questions: count, jobs, abstained, miscounted, cachedShare: cached / (input || 1) };
}
