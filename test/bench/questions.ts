/**
 * `npm run bench -- questions [--model PATH]`: the twenty questions about `test/fixtures/docs`, answered by a run with
 * the browser and by `research`, and by `research` with a model that says nothing of use. An answer counts where it has
 * what is asked and every citation in it holds, supports its sentence, and one of them is of the right document.
 */
import { parseArgs } from "node:util";
import {
  type Annotation,
  createBrowserTools,
  type LanguageModel,
  loadModel,
  type RunResult,
  research,
  runAgent,
  ScriptedModel,
  type Tool,
} from "../../runtime/index.ts";
import { type FolderQuestion, QUESTION_DOCS, QUESTIONS } from "../fixtures/questions/questions.ts";
import type { Bench } from "./bench.ts";

type Way = (question: string, tools: readonly Tool[]) => Promise<RunResult>;

type Tally = {
  questions: number;
  /** Have what is asked, from the right document, with citations that all hold and support their sentence. */
  answered: number;
  /** Have at least one citation, and all of them hold. */
  citations_hold: number;
  /** Citations in all answers, those that hold, and those whose lines support their sentence. */
  citations: number;
  holding: number;
  supporting: number;
  seconds: number;
};

export const bench: Bench = async (args) => {
  const { values } = parseArgs({ args: [...args], options: { model: { type: "string" } } });
  await using model = await loadModel(values.model);
  const limits = { sampling: { seed: 1 }, maxSeconds: 120 };
  const ways: readonly (readonly [string, Way])[] = [
    ["research, no usable model", (question, tools) => guided(silentModel(), question, tools)],
    ["research", (question, tools) => guided(model, question, tools)],
    [
      "run",
      (prompt, tools) =>
        runAgent({ ...limits, model, tools, prompt, verifyCitations: true, maxSteps: 8 }),
    ],
  ];
  const figures: Record<string, Tally> = {};
  for (const [name, way] of ways) {
    figures[name.replace(/\W+/g, "_")] = await tallyOf(name, way);
  }
  return { model: model.name, ...figures };
};

function guided(
  model: LanguageModel,
  question: string,
  tools: readonly Tool[],
): Promise<RunResult> {
  return research({ model, question, tools, sampling: { seed: 1 }, maxSeconds: 120 }).run.result;
}

function silentModel(): LanguageModel {
  return new ScriptedModel(Array.from({ length: 100 }, () => "nothing of use"));
}

async function tallyOf(name: string, way: Way): Promise<Tally> {
  const tally: Tally = {
    questions: 0,
    answered: 0,
    citations_hold: 0,
    citations: 0,
    holding: 0,
    supporting: 0,
    seconds: 0,
  };
  const startedAt = performance.now();
  for (const question of QUESTIONS) {
    await using browser = await createBrowserTools({ docs: QUESTION_DOCS });
    const result = await way(question.question, browser.tools);
    count(tally, question, result);
    const { answered, questions } = tally;
    console.error(
      `${name}: ${answered} of ${questions}; ${question.question} ${result.output ?? "–"}`,
    );
  }
  tally.seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  return tally;
}

function count(
  tally: Tally,
  { expects, url }: FolderQuestion,
  { output, annotations }: RunResult,
): void {
  const holds = (each: Annotation): boolean => each.type === "url_citation";
  const supports = (each: Annotation): boolean =>
    each.type === "url_citation" && each.support !== "unsupported";
  const isCited = annotations.length > 0;
  tally.questions++;
  tally.citations += annotations.length;
  tally.holding += annotations.filter(holds).length;
  tally.supporting += annotations.filter(supports).length;
  if (isCited && annotations.every(holds)) tally.citations_hold++;
  const isRight = annotations.some((each) => each.type === "url_citation" && each.url === url);
  if (isCited && annotations.every(supports) && isRight && expects.test(output ?? "")) {
    tally.answered++;
  }
}
