/** The library's face: agents, runs that are read while they run, options and what is refused at the door. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Agent, runAgent } from "../../runtime/agent/agent.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { ScriptedModel, type ScriptedStep } from "../../runtime/model/scripted-model.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { scriptedModel, scriptedRun } from "./scripted-run.ts";

const echo = defineTool<{ text: string }>({
  name: "echo",
  description: "Returns the text.",
  parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  execute: ({ text }, { context }) => `${text} for ${JSON.stringify(context)}`,
}) as Tool;
const callEcho: ScriptedStep = [{ recipient: "functions.echo", text: '{"text":"hi"}' }];

describe("a run", () => {
  test("gives its events, the text of its answer and its result, to any number of readers", async () => {
    const agent = new Agent({
      model: new ScriptedModel([callEcho, "It is 18 degrees."]),
      tools: [echo],
    });
    const run = agent.run(agent.thread(), "How warm is it?");
    const [events, text, late] = await Promise.all([
      Array.fromAsync(run),
      Array.fromAsync(run.text),
      run.result.then(() => Array.fromAsync(run)),
    ]);
    expect(text.join("")).toBe("It is 18 degrees.");
    expect(late).toEqual(events);
    expect(events.at(0)).toMatchObject({ type: "thread.started", thread_id: run.thread.id });
    expect(events.at(-1)).toMatchObject({ type: "run.completed", output: "It is 18 degrees." });
    expect(await run.result).toMatchObject({ status: "completed", output: "It is 18 degrees." });
  });

  test("is read while it runs", async () => {
    const open = Promise.withResolvers<string>();
    const slow = defineTool({ name: "slow", description: "", execute: () => open.promise }) as Tool;
    const model = new ScriptedModel([[{ recipient: "functions.slow", text: "{}" }], "Done."]);
    const agent = new Agent({ model, tools: [slow] });
    const seen: string[] = [];
    for await (const { type } of agent.run(agent.thread(), "Go.")) {
      seen.push(type);
      if (type === "item.updated") open.resolve("ok");
    }
    expect(seen).toContain("run.completed");
  });

  test("throws a bug to its reader and its result, after its events", async () => {
    const agent = new Agent({ model: new ScriptedModel([new TypeError("a bug")]) });
    const run = agent.run(agent.thread(), "Hi");
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of run) types.push(type);
    })();
    await expect(reading).rejects.toThrow("a bug");
    await expect(run.result).rejects.toThrow("a bug");
    expect(types.slice(-2)).toEqual(["turn.failed", "run.completed"]);
  });

  test("reports a bug that comes during an abort as the bug", async () => {
    const abort = new AbortController();
    const run = runAgent({
      model: new ScriptedModel(["Hello."]),
      prompt: "Hi",
      signal: abort.signal,
      onEvent: () => {
        abort.abort();
        throw new TypeError("a bug of the listener");
      },
    });
    await expect(run).rejects.toThrow("a bug of the listener");
  });

  test("is the only one of its thread at a time", async () => {
    const agent = new Agent({ model: new ScriptedModel(["One.", "Two."]) });
    const thread = agent.thread();
    const one = agent.run(thread, "Hi");
    await expect(agent.run(thread, "Hi").result).rejects.toMatchObject({
      code: "CHORALE_THREAD_BUSY",
    });
    expect((await one.result).output).toBe("One.");
    expect((await agent.run(thread, "Hi").result).output).toBe("Two.");
  });
});

describe("a conversation", () => {
  test("goes on over several turns, with one thread id and items that count on", async () => {
    const agent = new Agent({ model: new ScriptedModel(["Hello Ada.", "Ada."]) });
    const thread = agent.thread();
    await agent.run(thread, "I am Ada.").result;
    const { messages, usage } = await agent.run(thread, "Who am I?").result;
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    const ids = (await thread.entries()).flatMap((entry) =>
      entry.type === "sampled" ? entry.messages.map(({ itemId }) => itemId) : [],
    );
    expect(ids).toEqual(["item_0", "item_1"]);
    expect(usage.output_tokens).toBe(2 + 1);
  });

  test("can begin with messages of another one", async () => {
    const model = new ScriptedModel(["Ada."]);
    await runAgent({
      model,
      messages: [
        { role: "user", content: "I am Ada." },
        { role: "assistant", content: "Hello Ada." },
      ],
      prompt: "Who am I?",
    });
    expect(
      model.requests[0]?.transcript.map(({ message }) => [message.role, message.channel]),
    ).toEqual([
      ["user", undefined],
      ["assistant", "final"],
      ["user", undefined],
    ]);
  });

  test("is forked between two turns, and nowhere else", async () => {
    const agent = new Agent({ model: new ScriptedModel(["One.", "Two.", "Three."]) });
    const thread = agent.thread();
    await agent.run(thread, "1").result;
    const { length } = thread.state;
    await agent.run(thread, "2").result;
    const fork = await thread.fork(length);
    expect(fork.id).not.toBe(thread.id);
    expect(fork.state).toMatchObject({ turns: 1, turn: null });
    expect((await fork.entries())[0]).toMatchObject({
      parent: { threadId: thread.id, seq: length - 1 },
    });
    expect((await agent.run(fork, "3").result).messages).toHaveLength(4);
    expect(thread.messages).toHaveLength(4);
    await expect(thread.fork(length - 1)).rejects.toThrow("a turn is open there");
  });

  test("a second turn computes only its new tokens", async () => {
    const { model, engine } = scriptedModel([
      "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello Ada.<|return|>",
      "<|channel|>final<|message|>Ada.<|return|>",
    ]);
    const agent = new Agent({ model });
    const thread = agent.thread();
    const first = await agent.run(thread, "I am Ada. ".repeat(100)).result;
    const second = await agent.run(thread, "Who am I?").result;
    const cached = second.usage.cached_input_tokens;
    // The analysis is gone: what is cached ends at its `<|channel|>`, which the answer has as well.
    expect(cached).toBe(first.usage.input_tokens + 1);
    const prompt = engine.requests[1]?.tokens.length ?? 0;
    expect(prompt - cached).toBeLessThan(30);
  });
});

describe("an answer of a Standard Schema", () => {
  const output = z.object({
    day: z.string().transform((text) => new Date(`${text}T00:00:00Z`)),
    n: z.number().refine((n) => n % 2 === 0, "must be even"),
  });

  test("has the value that the schema makes, and goes back where the schema refuses it", async () => {
    const model = new ScriptedModel(['{"day":"2026-01-31","n":3}', '{"day":"2026-01-31","n":4}']);
    const { value, output: text } = await runAgent({ model, prompt: "Which day?", output });
    expect(value).toEqual({ day: new Date("2026-01-31T00:00:00Z"), n: 4 });
    expect(text).toBe('{"day":"2026-01-31","n":4}');
    expect(JSON.stringify(model.requests[1]?.transcript.at(-1))).toContain("must be even");
  });
});

describe("what a turn is given", () => {
  test("instructions and another identity", async () => {
    const { prompts } = await scriptedRun(["<|channel|>final<|message|>ok<|return|>"], {
      instructions: "Be brief.",
      system: { identity: "You are Chorale.", knowledgeCutoff: null },
    });
    expect(prompts[0]).toContain("<|start|>system<|message|>You are Chorale.\nCurrent date: 2026");
    expect(prompts[0]).toContain("# Instructions\n\nBe brief.");
    const { prompts: none } = await scriptedRun(["<|channel|>final<|message|>ok<|return|>"], {
      system: { identity: null },
    });
    expect(none[0]).toContain("<|start|>system<|message|>Knowledge cutoff: 2024-06\n");
  });

  test("a value for its tools, and only some of the tools", async () => {
    const model = new ScriptedModel([callEcho, "ok"]);
    const other = defineTool({ name: "other", description: "", execute: () => "" }) as Tool;
    const agent = new Agent({ model, tools: [echo, other] });
    const options = { context: { user: 7 }, activeTools: ["echo"] };
    await agent.run(agent.thread(), "Hi", options).result;
    expect(model.requests[0]?.tools.names).toEqual(["functions.echo"]);
    const said = model.requests[1]?.transcript.at(-1)?.message.content;
    expect(said).toEqual([{ type: "text", text: 'hi for {"user":7}' }]);
  });

  test("a point at which it stops", async () => {
    const model = new ScriptedModel([callEcho, callEcho, callEcho]);
    const { status, output } = await runAgent({
      model,
      prompt: "Hi",
      tools: [echo],
      stopWhen: ({ turn }) => turn?.steps === 2,
    });
    expect({ status, output, steps: model.requests.length }).toEqual({
      status: "completed",
      output: null,
      steps: 2,
    });
  });

  test("a tool that has to be called, behind a thought", async () => {
    const final = "<|channel|>final<|message|>ok<|return|>";
    const named = await scriptedRun(["I will echo.<|end|>", '{"text":"hi"}<|call|>', final], {
      tools: [echo],
      toolChoice: { tool: "echo" },
    });
    expect(named.result.output).toBe("ok");
    expect(named.prompts[1]).toMatch(
      /I will echo\.<\|end\|><\|start\|>assistant<\|channel\|>commentary to=functions\.echo <\|constrain\|>json<\|message\|>$/,
    );
    const any = await scriptedRun(
      ["Hm.<|return|>", ' <|constrain|>json<|message|>{"text":"hi"}<|call|>', final].map(
        (text, at) => (at === 1 ? `echo${text}` : text),
      ),
      {
        tools: [echo, defineTool({ name: "b", description: "", execute: () => "" }) as Tool],
        toolChoice: "required",
      },
    );
    expect(any.prompts[1]).toMatch(/<\|channel\|>commentary to=functions\.$/);
    expect(any.result.output).toBe("ok");
    const none = await scriptedRun([final], { tools: [echo], toolChoice: "none" });
    expect(none.prompts[0]).not.toContain("echo");
  });

  test("sampling of the model itself, of which it overrides a part", async () => {
    const model = new ScriptedModel(["ok"]);
    Object.assign(model, { sampling: { temperature: 0.5, topK: 40, repetitionPenalty: 1.1 } });
    const events: RunEvent[] = [];
    await runAgent({
      model,
      prompt: "Hi",
      sampling: { temperature: 0, seed: 3 },
      onEvent: (event) => void events.push(event),
    });
    expect(events[0]).toMatchObject({
      sampling: { temperature: 0, top_k: 40, repetition_penalty: 1.1, seed: 3 },
    });
  });
});

describe("an option that cannot be is refused in one sentence", () => {
  const model = new ScriptedModel([]);
  test.each<[Record<string, unknown>, string]>([
    [{ maxSteps: 0 }, "The option maxSteps is 0; accepted: a whole number from 1 on."],
    [{ maxSteps: Number.NaN }, "The option maxSteps is NaN; accepted: a whole number from 1 on."],
    [{ maxSteps: 1.5 }, "The option maxSteps is 1.5;"],
    [{ maxTokens: -1 }, "The option maxTokens is -1;"],
    [{ maxTokens: Number.NaN }, "The option maxTokens is NaN;"],
    [{ maxRetries: Number.NaN }, "The option maxRetries is NaN;"],
    [{ maxRepairs: "2" }, 'The option maxRepairs is "2";'],
    [{ effort: "huge" }, 'The option effort is "huge"; accepted: low, medium, high.'],
    [{ date: "tomorrow" }, "accepted: YYYY-MM-DD."],
    [{ sampling: { temperature: -1 } }, "The option sampling.temperature is -1;"],
    [{ sampling: { topP: 2 } }, "accepted: a number from 0 to 1."],
    [{ sampling: { seed: 1.5 } }, "The option sampling.seed is 1.5;"],
    [{ toolChoice: "required" }, "since the run has no tools"],
    [{ toolChoice: { tool: "x" } }, "since the run has no tools"],
    [{ activeTools: ["x"] }, "it has none"],
    [{ instructions: 7 }, "The option instructions is 7; accepted: a text."],
    [{ tools: [{ tools: [] }] }, "The option tools holds something that is no tool;"],
    [{ model: {} }, "The option model is {}; accepted: a language model"],
  ])("%j", (options, sentence) => {
    expect(() => new Agent({ model, ...options } as never)).toThrow(sentence);
  });

  test("an input that says nothing", async () => {
    const agent = new Agent({ model });
    for (const input of ["", " \n", [], undefined]) {
      const { error } = await agent.run(Thread.create(), input as never).result;
      expect(error).toMatchObject({ code: "CHORALE_USAGE" });
    }
  });
});
