/**
 * `npm run --silent bench -- calibration [--seeds N]`: how far the probabilities of the embedded model's answers
 * hold, on extraction tasks of `demo:eval` turned into choices between the right document and three in which
 * values were exchanged or changed. With and without reasoning before the answer.
 *
 * `ece`: expected calibration error over ten bins of equal width (Naeini, Cooper and Hauskrecht, 2015);
 * `brier`: mean squared error of the top answer's probability. `reliability` is the plot as data.
 */

import { resolveSettings } from "../../runtime/agent/settings.ts";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import { loadModel } from "../../runtime/index.ts";
import { userMessage } from "../../runtime/model/opening.ts";
import { generateTasks } from "../eval/generate.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";

const TASKS_PER_SEED = 460;
const SEEDS = 4;
const BINS = 10;

type Judged = { readonly probability: number; readonly isRight: boolean };

export async function bench(args: readonly string[]): Promise<Record<string, unknown>> {
  const at = args.indexOf("--seeds");
  const seeds = at < 0 ? SEEDS : Number(args[at + 1]);
  if (!Number.isSafeInteger(seeds) || seeds < 1) throw new Error("--seeds takes a number");
  const model = await loadModel();
  const measure = async (reasons: boolean): Promise<readonly Judged[]> => {
    const judged: Judged[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      for (const task of generateTasks(seed, TASKS_PER_SEED)) {
        const right = (task.expect as { final_json?: unknown }).final_json;
        if (task.family !== "json" || !isRecord(right) || !isRecord(task.schema)) continue;
        const choices = choicesFor(inOrderOf(right, task.schema), judged.length + 1);
        if (choices.length < 2) continue;
        const tools = new DeclaredTools([]);
        const output = { type: "json", schema: task.schema } as const;
        const settings = resolveSettings({ effort: "low" }, tools, output, model.sampling);
        const { logprobs } = await model.score({
          threadId: `calibration-${reasons}`,
          settings: { ...settings, sampling: { temperature: 0, topP: 1, seed: 0 } },
          tools,
          transcript: [{ message: userMessage(task.prompt) }],
          signal: new AbortController().signal,
          answers: choices,
          reasons,
        });
        const top = Math.max(...logprobs);
        const sum = logprobs.reduce((total, logprob) => total + Math.exp(logprob - top), 0);
        judged.push({ probability: 1 / sum, isRight: logprobs.indexOf(top) === 0 });
      }
      console.error(
        `seed ${seed}: ${judged.length} questions ${reasons ? "with" : "without"} reasoning`,
      );
    }
    return judged;
  };
  try {
    return {
      without_reasoning: figures(await measure(false)),
      with_reasoning: figures(await measure(true)),
    };
  } finally {
    await model.close();
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The model writes properties in the order of the schema. */
function inOrderOf(
  value: Record<string, unknown>,
  schema: Record<string, unknown>,
): Record<string, unknown> {
  const names = Object.keys((schema["properties"] ?? {}) as object);
  return Object.fromEntries(
    names.filter((name) => name in value).map((name) => [name, value[name]]),
  );
}

/** The right document first, then up to three others. */
function choicesFor(right: Record<string, unknown>, seed: number): readonly string[] {
  const random = randomNumbers(seed);
  const names = Object.keys(right);
  const choices = new Set([JSON.stringify(right)]);
  for (let tries = 0; choices.size < 4 && tries < 40; tries++) {
    const wrong = { ...right };
    const one = names[Math.floor(random() * names.length)] as string;
    const other = names[Math.floor(random() * names.length)] as string;
    if (typeof wrong[one] === "number")
      wrong[one] = (wrong[one] as number) + 1 + Math.floor(random() * 9);
    else if (typeof wrong[one] === "boolean") wrong[one] = !wrong[one];
    else [wrong[one], wrong[other]] = [wrong[other], wrong[one]];
    choices.add(JSON.stringify(wrong));
  }
  return [...choices];
}

function figures(judged: readonly Judged[]): Record<string, unknown> {
  const bins = Array.from({ length: BINS }, (_, bin) =>
    judged.filter(({ probability }) => Math.min(BINS - 1, Math.floor(probability * BINS)) === bin),
  );
  const mean = (list: readonly number[]): number =>
    list.reduce((sum, value) => sum + value, 0) / list.length;
  const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;
  const reliability = bins.flatMap((held, bin) =>
    held.length === 0
      ? []
      : [
          {
            from: bin / BINS,
            questions: held.length,
            probability: rounded(mean(held.map(({ probability }) => probability))),
            right: rounded(mean(held.map(({ isRight }) => (isRight ? 1 : 0)))),
          },
        ],
  );
  const ece = reliability.reduce(
    (sum, { questions, probability, right }) =>
      sum + (questions / judged.length) * Math.abs(probability - right),
    0,
  );
  return {
    questions: judged.length,
    accuracy: rounded(mean(judged.map(({ isRight }) => (isRight ? 1 : 0)))),
    ece: rounded(ece),
    brier: rounded(
      mean(judged.map(({ probability, isRight }) => (probability - (isRight ? 1 : 0)) ** 2)),
    ),
    reliability,
  };
}
