/** Many generated questions through both protocols of Minions, with models that answer by rules. */
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
  let [wrong, miscounted, minionRatio, minionsRatio] = [0, 0, 0, 0];
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
      if (report.answer !== expected && !isBeyond) wrong++;
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
  return { questions: count, wrong, miscounted, minionRatio, minionsRatio };
}
