import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveSettings } from "../../runtime/agent/settings.ts";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import {
  type DecisionQuestion,
  decide,
  decideAll,
  HarmonyModel,
  loadModel,
  ScriptedModel,
} from "../../runtime/index.ts";
import { userMessage } from "../../runtime/model/opening.ts";

let model: HarmonyModel;

beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const tools = new DeclaredTools([]);
const signal = new AbortController().signal;

function request(text: string) {
  const settings = resolveSettings(
    { sampling: { temperature: 0, seed: 1 }, date: "2026-01-01" },
    tools,
    null,
    model.sampling,
  );
  return {
    threadId: "score",
    settings,
    tools,
    transcript: [{ message: userMessage(text) }],
    signal,
  };
}

test("the probability of an answer is that with which the engine samples it", async () => {
  const asked = request("Hello!");
  const step = await model.sample(
    {
      ...asked,
      prefill: "final",
      toolChoice: "none",
      maxTokens: null,
      maxReasoningTokens: null,
      shouldPause: () => false,
    },
    () => {},
  );
  expect(step.finish).toBe("stop");
  const ids = step.ids.slice(step.prefill);
  const text = model.tokenizer.decode(ids.slice(0, -1));
  // The same ids once more, with the engine's own log probabilities.
  const session = await model.engine.createSession();
  const prompt = await promptOf(asked);
  await session.sync(prompt);
  let sum = 0;
  const again: number[] = [];
  for await (const id of session.generate({
    maxTokens: ids.length,
    stopIds: new Set([model.tokenizer.special.return]),
    sampling: { temperature: 0, topP: 1, seed: 1 },
    logprobs: {
      top: 0,
      onLogprobs: ({ logprob }) => {
        sum += logprob;
      },
    },
  }))
    again.push(id);
  await session.close();
  expect(again).toEqual(ids);

  const others = ["Hello", `${text}!`, "12"];
  const { logprobs } = await model.score({ ...asked, answers: [...others, text], reasons: false });
  expect(logprobs[3]).toBeCloseTo(sum, 3);
  const alone = await model.score({ ...asked, answers: [text], reasons: false });
  expect(alone.logprobs[0]).toBeCloseTo(sum, 3);
  const turned = await model.score({ ...asked, answers: [text, ...others], reasons: false });
  expect(turned.logprobs[1]).toBeCloseTo(logprobs[0] as number, 3);
  expect(turned.logprobs[2]).toBeCloseTo(logprobs[1] as number, 3);
});

/** Up to where the answer begins. */
async function promptOf(asked: ReturnType<typeof request>): Promise<readonly number[]> {
  let prompt: readonly number[] = [];
  const spied = {
    ...model.engine,
    createSession: async () => {
      const session = await model.engine.createSession();
      const sync = session.sync.bind(session);
      session.sync = (tokens, options) => {
        prompt = prompt.length === 0 ? [...tokens] : prompt;
        return sync(tokens, options);
      };
      return session;
    },
  };
  const other = new HarmonyModel({
    engine: Object.assign(Object.create(model.engine), spied, { close: async () => {} }),
    tokenizer: model.tokenizer,
  });
  await other.score({ ...asked, answers: ["x"], reasons: false });
  await other.close();
  return prompt;
}

test("a decision ranks the answers, and says how much of the probability they hold", async () => {
  const decision = await decide({
    model,
    question: "Hello!",
    choices: ["Goodbye!", "Hello! How can I help?", "no"],
    showAnswers: false,
  });
  const sum = decision.probabilities.reduce((total, { probability }) => total + probability, 0);
  expect(sum).toBeCloseTo(1, 6);
  expect(decision.probabilities.map(({ probability }) => probability)).toEqual(
    decision.probabilities.map(({ probability }) => probability).sort((a, b) => b - a),
  );
  expect(decision.answer).toBe(decision.probabilities[0]?.answer);
  expect(decision.coverage).toBeGreaterThan(0);
  expect(decision.coverage).toBeLessThanOrEqual(1);
  expect(decision.reasoning).toBeNull();
});

test("questions about the same messages share what is computed; reasoning comes first where it is wanted", async () => {
  const messages = [
    { role: "user", content: "Maria Keller is 34 years old and lives in Oslo." },
  ] as const;
  const questions: DecisionQuestion[] = [
    { question: "Is she older than 30?", boolean: true },
    { question: "How sure are you?", score: { min: 1, max: 5 } },
  ];
  const [first, second] = await decideAll({
    model,
    messages,
    questions,
    reason: true,
    effort: "low",
  });
  expect(typeof first?.answer).toBe("boolean");
  expect(first?.reasoning).not.toBeNull();
  expect(first?.usage.reasoningTokens).toBeGreaterThan(0);
  expect(second?.mean).toBeGreaterThanOrEqual(1);
  expect(second?.mean).toBeLessThanOrEqual(5);
  // The opening and the message were there from the first question.
  expect(second?.usage.cachedTokens).toBeGreaterThan((second?.usage.inputTokens ?? 0) / 2);
});

test("what cannot be asked is said in a sentence", async () => {
  const ask = (question: object): Promise<unknown> =>
    decide({ model, ...(question as DecisionQuestion) });
  await expect(ask({ question: "x", choices: ["a"] })).rejects.toThrow("at least two texts");
  await expect(ask({ question: "x", choices: ["a", "a"] })).rejects.toThrow("at least two texts");
  await expect(ask({ question: "x" })).rejects.toThrow("exactly one of choices, boolean and score");
  await expect(ask({ question: " ", boolean: true })).rejects.toThrow("The option question");
  await expect(ask({ question: "x", score: { min: 0, max: 999 } })).rejects.toThrow("at most 256");
  await expect(ask({ question: "x", boolean: true, choices: ["a", "b"] })).rejects.toThrow(
    "choices and boolean",
  );
  await expect(
    decide({ model: new ScriptedModel([]), question: "x", boolean: true }),
  ).rejects.toThrow("does not tell probabilities");
});

test("an abort ends the question with its reason", async () => {
  const reason = new Error("enough");
  await expect(
    decide({
      model,
      question: "x",
      boolean: true,
      reason: true,
      signal: AbortSignal.abort(reason),
    }),
  ).rejects.toBe(reason);
});
