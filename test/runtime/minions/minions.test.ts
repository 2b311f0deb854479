/** Both protocols with models that answer by rules: what comes out, what is counted, what leaves. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RunEvent, runAgent, ScriptedModel } from "../../../runtime/index.ts";
import { chunksOf } from "../../../runtime/minions/chunks.ts";
import { EgressGate } from "../../../runtime/minions/egress.ts";
import { createMinionsTool, type Departure, runMinions } from "../../../runtime/minions/index.ts";
import { Redactor } from "../../../runtime/minions/redaction.ts";
import {
  byRule,
  generateQuestion,
  KINDS,
  promptOf,
  ruleSupervisor,
  ruleWorker,
} from "./generated-questions.ts";

const CHARACTERS = 20_000;

describe("the protocol minions", () => {
  test.each(KINDS)(
    "answers a %s, and counts jobs, abstentions and tokens exactly",
    async (kind) => {
      const generated = generateQuestion(kind, CHARACTERS, 7);
      const { question, documents: context, expected, phrases, facts } = generated;
      const [remote, local] = [ruleSupervisor(generated), ruleWorker()];
      const report = await runMinions({ question, context, remote, local });
      expect(report).toMatchObject({ status: "answered", answer: expected, rounds: 1 });
      const chunks = chunksOf(context, 3000);
      const total = chunks.length * phrases.length;
      const hits = new Set(
        facts.map(
          ({ phrase, at }) =>
            `${phrase} ${chunks.findIndex(({ from, to }) => at >= from && at < to)}`,
        ),
      );
      expect(report.jobs).toEqual({
        total,
        answered: hits.size,
        abstained: total - hits.size,
        failed: 0,
      });
      expect(report.retries).toEqual({ supervisor: 0, worker: 0 });
      expect(local.requests).toHaveLength(total);
      const input = remote.requests.reduce((sum, request) => sum + remote.promptTokens(request), 0);
      expect(report.tokens.remote).toMatchObject({ calls: 2, input });
      expect(report.tokens.local).toMatchObject({ calls: total });
      const alone = report.tokens.remoteOnly;
      expect(alone.input).toBe(
        remote.countTokens(context[0]?.text ?? "") + remote.countTokens(question),
      );
      expect(report.ratio).toBe(
        (input + report.tokens.remote.output) / (alone.input + alone.output),
      );
      expect(report.ratio).toBeLessThan(1 / 5);
    },
  );

  test("jobs of one chunk come one behind the other, with the task last", async () => {
    const generated = generateQuestion("comparison", CHARACTERS, 3);
    const { question, documents: context } = generated;
    const local = ruleWorker();
    await runMinions({ question, context, remote: ruleSupervisor(generated), local, parallel: 1 });
    const prompts = local.requests.map(promptOf);
    for (let at = 0; at < prompts.length; at += 2) {
      const [first = "", second = ""] = prompts
        .slice(at, at + 2)
        .map((prompt) => prompt.split("\n\nTask: ")[0]);
      expect(first).toBe(second);
    }
  });

  test("what is missing leads to another round, which knows the notes and nothing of the replies before", async () => {
    const remote = new ScriptedModel([
      "no JSON",
      '{"tasks":[{"task":"Find: one","advice":"It is a number."}]}',
      '{"decision":"request_additional_info","message":"The second.","scratchpad":"The first is 1."}',
      '{"tasks":[{"task":"Find: two","search":"beta"}]}',
      '{"decision":"request_additional_info","message":"More."}',
      '{"decision":"provide_final_answer","answer":"Both."}',
    ]);
    const local = byRule(
      () => '{"explanation":"","citation":"not in the text","answer":"1"}',
      "worker",
    );
    const context = [{ name: "a", text: "alpha beta" }];
    const report = await runMinions({ question: "Which?", context, remote, local, rounds: 2 });
    expect(report).toMatchObject({
      ...{ status: "answered", answer: "Both.", rounds: 2 },
      jobs: { total: 2, answered: 2 },
      retries: { supervisor: 2, worker: 0 },
      tokens: { remote: { calls: 6 } },
    });
    const third = promptOf(remote.requests[3] as never);
    expect(third).toContain("Known from earlier rounds:\nThe first is 1.\nMissing:\nThe second.");
    expect(remote.requests[3]?.transcript).toHaveLength(1);
    // A citation that does not stand in the excerpt does not leave.
    expect(promptOf(remote.requests[2] as never)).not.toContain("not in the text");
  });

  test("an answer of a worker that is not of the form is asked for again, and counted", async () => {
    const remote = new ScriptedModel([
      '{"tasks":[{"task":"Find: one"}]}',
      '{"decision":"provide_final_answer","answer":"1"}',
    ]);
    const local = new ScriptedModel(["one", '{"explanation":"","citation":null,"answer":"1"}']);
    const context = [{ name: "a", text: "alpha" }];
    const report = await runMinions({ question: "Which?", context, remote, local });
    expect(report).toMatchObject({ jobs: { total: 1, answered: 1 }, retries: { worker: 1 } });
  });

  test("replies that stay unusable end the run, with the receipt of what had left", async () => {
    const remote = byRule(() => "no JSON", "supervisor");
    const context = [{ name: "a", text: "alpha" }];
    const report = await runMinions({ question: "Which?", context, remote, local: ruleWorker() });
    expect(report).toMatchObject({
      status: "failed",
      error: { code: "CHORALE_MINIONS_SUPERVISOR" },
    });
    expect(report.receipt).toHaveLength(5);
    expect(report.retries.supervisor).toBe(4);
  });

  test("a cancelled run ends with the reason", async () => {
    const stop = new AbortController();
    const generated = generateQuestion("needle", CHARACTERS, 1);
    const { question, documents: context } = generated;
    const report = await runMinions({
      ...{ question, context, remote: ruleSupervisor(generated), local: ruleWorker() },
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("stopped")),
    });
    expect(report).toMatchObject({ status: "failed", error: { message: "stopped" } });
  });
});

describe("the protocol minion", () => {
  test.each(KINDS)("answers a %s in a talk", async (kind) => {
    const generated = generateQuestion(kind, CHARACTERS, 11);
    const { question, documents: context, expected, phrases } = generated;
    const [remote, local] = [ruleSupervisor(generated), ruleWorker()];
    const report = await runMinions({ question, context, remote, local, protocol: "minion" });
    expect(report).toMatchObject({ status: "answered", answer: expected, rounds: phrases.length });
    expect(report.tokens.remote.calls).toBe(1 + phrases.length);
    expect(report.tokens.local.calls).toBe(phrases.length);
  });

  test("a worker with a small context reads the parts that fit the question", async () => {
    const generated = generateQuestion("needle", 60_000, 5);
    const { question, documents: context, expected } = generated;
    const worker = new ScriptedModel(
      [
        (request) =>
          /The invoice of project alder is \d+ units\./.exec(
            request.settings.instructions ?? "",
          )?.[0] ?? "none",
      ],
      { contextLength: 4096 },
    );
    const remote = ruleSupervisor(generated);
    const report = await runMinions({
      question,
      context,
      remote,
      local: worker,
      protocol: "minion",
    });
    expect(report.answer).toBe(expected);
    expect(worker.requests[0]?.settings.instructions?.length).toBeLessThan(4096 * 4);
  });

  test("ends at the last round with an answer", async () => {
    const more = '{"decision":"request_additional_info","message":"And?"}';
    const remote = new ScriptedModel([
      '{"message":"First?"}',
      ...[more, more, '{"decision":"provide_final_answer","answer":"Enough."}'],
    ]);
    const context = [{ name: "a", text: "alpha" }];
    const local = byRule(() => "It is so.", "worker");
    const options = {
      question: "Which?",
      context,
      remote,
      local,
      protocol: "minion",
      rounds: 2,
    } as const;
    expect(await runMinions(options)).toMatchObject({
      answer: "Enough.",
      rounds: 2,
      retries: { supervisor: 1 },
    });
  });
});

describe("what leaves", () => {
  const CANARY = "Zephyr-Quill 4471";
  const spellings = [
    CANARY,
    "ZEPHYR QUILL 4471",
    "zephyrquill4471",
    "z.e.p.h.y.r q u i l l 4/4/7/1",
  ];

  test.each(["minion", "minions"] as const)("nothing private, with %s", async (protocol) => {
    const remote = byRule((request) => {
      const prompt = promptOf(request);
      if (prompt.includes('"tasks"')) return '{"tasks":[{"task":"Repeat the excerpt."}]}';
      if (prompt.startsWith("A worker")) return '{"message":"Repeat the documents."}';
      return '{"decision":"provide_final_answer","answer":"[PRIVATE_1]"}';
    }, "supervisor");
    const echo = spellings.join(" and ");
    const local = byRule(
      () =>
        protocol === "minion"
          ? echo
          : JSON.stringify({ explanation: echo, citation: `The key is ${CANARY}.`, answer: echo }),
      "worker",
    );
    const context = [{ name: "a", text: `The key is ${CANARY}.` }];
    const question = `Who has ${CANARY}?`;
    const report = await runMinions({
      question,
      context,
      remote,
      local,
      protocol,
      private: [CANARY],
    });
    expect(report).toMatchObject({ status: "answered", answer: CANARY });
    const sent = JSON.stringify(
      remote.requests.map(({ settings, transcript }) => ({ settings, transcript })),
    );
    expect(sent.toLowerCase().replace(/[^a-z0-9]/g, "")).not.toContain("zephyrquill4471");
    expect(sent).toContain("[PRIVATE_1]");
  });

  test("a private value that only comes about where two texts meet is not sent", async () => {
    const remote = new ScriptedModel(['{"message":"First?"}', "never"]);
    const local = new ScriptedModel(["secret: black"]);
    const context = [{ name: "a", text: "alpha" }];
    const report = await runMinions({
      ...{ question: "Which?", context, remote, local, protocol: "minion" },
      private: ["black\n\nIs that enough"],
    });
    expect(report).toMatchObject({ status: "failed", error: { code: "CHORALE_MINIONS_EGRESS" } });
    expect(remote.requests).toHaveLength(1);
    expect(report.receipt).toHaveLength(1);
  });

  test("values by rules, which are put back in the answer and for the worker", async () => {
    const remote = new ScriptedModel([
      '{"message":"What does [NAME_1] owe?"}',
      '{"decision":"provide_final_answer","answer":"[NAME_1] of [ADDRESS_1] owes [NUMBER_1], says [EMAIL_1]."}',
    ]);
    const local = new ScriptedModel([
      "Maria Keller, 12 Harbour Street, owes 4,310.50, writes m.keller@example.org.",
    ]);
    const context = [{ name: "a", text: "alpha" }];
    const report = await runMinions({
      ...{ question: "What does Maria Keller owe?", context, remote, local, protocol: "minion" },
      redact: ["numbers", "names", "addresses"],
    });
    expect(report.answer).toBe(
      "Maria Keller of 12 Harbour Street owes 4,310.50, says m.keller@example.org.",
    );
    expect(promptOf(local.requests[0] as never)).toBe("What does Maria Keller owe?");
    expect(promptOf(remote.requests[1] as never)).toContain(
      "[NAME_1], [ADDRESS_1], owes [NUMBER_1], writes [EMAIL_1].",
    );
  });

  test("is shown before it is sent, and in the receipt byte by byte", async () => {
    const generated = generateQuestion("sum", CHARACTERS, 2);
    const { question, documents: context } = generated;
    const remote = ruleSupervisor(generated);
    const shown: Departure[] = [];
    const report = await runMinions({
      ...{ question, context, remote, local: ruleWorker() },
      onEgress: (departure) => {
        expect(remote.requests).toHaveLength(shown.length);
        return shown.push(departure) > 0;
      },
    });
    expect(report.receipt).toEqual(shown.map(({ text: _, ...record }) => record));
    for (const { text, bytes, sha256, ranges } of shown) {
      const sent = Buffer.from(text);
      expect(sent).toHaveLength(bytes);
      expect(createHash("sha256").update(sent).digest("hex")).toBe(sha256);
      // Without a gap, from the first byte to the last.
      expect(ranges.map(({ from }) => from)).toEqual([
        0,
        ...ranges.slice(0, -1).map(({ to }) => to),
      ]);
      expect(ranges.at(-1)?.to).toBe(bytes);
      for (const { label, from, to, source } of ranges.filter(
        (range) => range.label === "citation",
      )) {
        expect(label).toBe("citation");
        const cited = context[0]?.text.slice(source?.from, source?.to);
        expect(sent.subarray(from, to).toString()).toBe(cited);
      }
    }
    expect(shown[1]?.ranges.filter(({ label }) => label === "citation")).toHaveLength(
      report.jobs.answered,
    );
  });

  test("nothing in a dry run, and nothing where it is not allowed", async () => {
    for (const change of [{ dryRun: true }, { onEgress: () => false }]) {
      const remote = new ScriptedModel([]);
      const context = [{ name: "a", text: "alpha" }];
      const report = await runMinions({
        question: "Which?",
        context,
        remote,
        local: ruleWorker(),
        ...change,
      });
      expect(remote.requests).toHaveLength(0);
      expect(report.tokens.remote.calls).toBe(0);
      if ("dryRun" in change)
        expect(report).toMatchObject({ status: "dry_run", receipt: [{ request: 1 }] });
      else expect(report).toMatchObject({ error: { code: "CHORALE_MINIONS_EGRESS" }, receipt: [] });
    }
  });

  test("no text whose origin is not known", async () => {
    const remote = new ScriptedModel(["never"]);
    const redactor = new Redactor([], []);
    const gate = new EgressGate({ remote, redactor, budget: 1e9, dryRun: false });
    const request = {
      settings: { system: {}, instructions: null },
      transcript: [{ message: { role: "user", content: [{ type: "text", text: "the context" }] } }],
    };
    await expect(gate.sample(request as never, () => {})).rejects.toThrow("origin is not known");
    expect(remote.requests).toHaveLength(0);
    expect(gate.records).toHaveLength(0);
  });

  test("no more tokens than the budget", async () => {
    const generated = generateQuestion("needle", CHARACTERS, 2);
    const { question, documents: context } = generated;
    const options = { question, context, local: ruleWorker() };
    const whole = await runMinions({ ...options, remote: ruleSupervisor(generated) });
    const needed = whole.tokens.remote.input + whole.tokens.remote.output;
    const budget = Math.floor(needed * 0.7);
    const report = await runMinions({ ...options, remote: ruleSupervisor(generated), budget });
    expect(report).toMatchObject({ status: "failed", error: { code: "CHORALE_MINIONS_BUDGET" } });
    expect(report.tokens.remote.input + report.tokens.remote.output).toBeLessThanOrEqual(budget);
  });
});

test("near the end of the budget the supervisor has to conclude", async () => {
  const more = '{"decision":"request_additional_info","message":"And?"}';
  const context = [{ name: "a", text: "alpha" }];
  const ask = (budget: number): ReturnType<typeof runMinions> => {
    const remote = byRule((request) => {
      const prompt = promptOf(request);
      if (prompt.startsWith("A worker")) return '{"message":"First?"}';
      const isLast = prompt.includes("cannot be asked again");
      return isLast ? '{"decision":"provide_final_answer","answer":"Enough."}' : more;
    }, "supervisor");
    const local = byRule(() => "It is so.", "worker");
    const options = { question: "Which?", context, remote, local, protocol: "minion" } as const;
    return runMinions({ ...options, rounds: 9, budget });
  };
  expect(await ask(1e6)).toMatchObject({ answer: "Enough.", rounds: 9 });
  const short = await ask(1500);
  expect(short).toMatchObject({ status: "answered", answer: "Enough." });
  expect(short.rounds).toBeLessThan(9);
});

describe("the tool ask_documents", () => {
  const call = [{ recipient: "functions.ask_documents", text: '{"question":"Which?"}' }];
  const context = [{ name: "a", text: "alpha" }];

  test("gives an agent the answer, and programs the report", async () => {
    const remote = new ScriptedModel([
      '{"message":"First?"}',
      '{"decision":"provide_final_answer","answer":"Alpha."}',
    ]);
    const local = byRule(() => "It is alpha.", "worker");
    const options = { context, remote, local, protocol: "minion", needsApproval: false } as const;
    const events: RunEvent[] = [];
    const result = await runAgent({
      model: new ScriptedModel([call, (request) => `It says: ${promptOf(request)}`]),
      tools: [createMinionsTool(options)],
      prompt: "Ask.",
      onEvent: (event) => void events.push(event),
    });
    expect(result.output).toBe("It says: Alpha.");
    expect(JSON.stringify(events)).toContain('"receipt"');
  });

  test("sends nothing where nobody has allowed it", async () => {
    const remote = new ScriptedModel([]);
    const tool = createMinionsTool({ context, remote, local: new ScriptedModel([]) });
    const model = new ScriptedModel([call, "So not."]);
    const result = await runAgent({ model, tools: [tool], prompt: "Ask." });
    expect(result.deniedCall).toBeDefined();
    expect(remote.requests).toEqual([]);
  });

  test("tells the model why there is no answer", async () => {
    const remote = new ScriptedModel([new Error("The server is gone.")]);
    const local = new ScriptedModel([]);
    const tool = createMinionsTool({ context, remote, local, needsApproval: false });
    const model = new ScriptedModel([call, (request) => promptOf(request)]);
    const result = await runAgent({ model, tools: [tool], prompt: "Ask." });
    expect(result.output).toMatch(/There is no answer: .*The server is gone\./);
  });
});

test("options that cannot be run are refused", async () => {
  const options = {
    question: "Which?",
    context: [{ name: "a", text: "b" }],
    remote: new ScriptedModel([]),
    local: new ScriptedModel([]),
  };
  await expect(runMinions({ ...options, question: " " })).rejects.toThrow("The question is empty");
  await expect(runMinions({ ...options, context: [] })).rejects.toThrow("The context has no text");
  await expect(runMinions({ ...options, rounds: 0 })).rejects.toThrow("The option rounds is 0");
  await expect(runMinions({ ...options, private: ["-a-"] })).rejects.toThrow("fewer than 3");
});

test("the cost is that of the price", async () => {
  const generated = generateQuestion("needle", CHARACTERS, 2);
  const { question, documents: context } = generated;
  const report = await runMinions({
    ...{ question, context, remote: ruleSupervisor(generated), local: ruleWorker() },
    price: { input: 2, output: 8 },
  });
  const { remote, remoteOnly } = report.tokens;
  expect(report.cost).toEqual({
    remote: (remote.input * 2 + remote.output * 8) / 1e6,
    remoteOnly: (remoteOnly.input * 2 + remoteOnly.output * 8) / 1e6,
  });
});

test("chunks are the whole text, none longer than it may be, and no character is cut", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 500 }),
      fc.integer({ min: 4, max: 60 }),
      (text, most) => {
        const chunks = chunksOf([{ name: "a", text }], most);
        expect(chunks.map((chunk) => chunk.text).join("")).toBe(text);
        for (const chunk of chunks) {
          expect(chunk.text.length).toBeLessThanOrEqual(most);
          expect(chunk.text.isWellFormed()).toBe(true);
        }
      },
    ),
  );
});

test("what is redacted can be put back, and has no private value in it", () => {
  const value = fc.string({ unit: fc.constantFrom(..."aB1 -ß"), minLength: 3, maxLength: 6 });
  fc.assert(
    fc.property(
      value,
      fc.string({ unit: fc.constantFrom(..."aB1 -ß\n"), maxLength: 60 }),
      (secret, text) => {
        fc.pre(secret.replace(/[^\p{L}\p{N}]/gu, "").length >= 3);
        const redactor = new Redactor(["numbers", "names"], [secret]);
        const redacted = redactor.redact(text).text;
        expect(redactor.hasPrivate(redacted)).toBe(false);
        expect(redactor.restore(redacted)).toBe(text);
      },
    ),
  );
});
