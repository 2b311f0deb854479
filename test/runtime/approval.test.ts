/** Calls that may not run by themselves, calls that the caller carries out, and calls whose outcome is lost. */
import { describe, expect, test } from "vitest";
import { Agent, type AgentOptions } from "../../runtime/agent/agent.ts";
import { exitCodeOf } from "../../runtime/cli/exit-code-of.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { ScriptedModel, type ScriptedStep } from "../../runtime/model/scripted-model.ts";
import { fold } from "../../runtime/thread/fold.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool, type Tool } from "../../tools/index.ts";

const pay = (ran: unknown[], needsApproval: Tool["needsApproval"] = true): Tool =>
  defineTool<{ amount: number }>({
    name: "pay",
    description: "Pays.",
    parameters: {
      type: "object",
      properties: { amount: { type: "number" } },
      required: ["amount"],
    },
    needsApproval: needsApproval as never,
    execute: (input, { idempotencyKey }) => {
      ran.push([input, idempotencyKey]);
      return "paid";
    },
  }) as Tool;

const calls = (amount: number): ScriptedStep => [
  { recipient: "functions.pay", text: JSON.stringify({ amount }) },
];

async function eventsOf(
  options: Omit<AgentOptions, "model">,
  steps: readonly ScriptedStep[],
  thread = Thread.create(),
  input: string | null = "Pay.",
) {
  const model = new ScriptedModel(steps);
  const events: RunEvent[] = [];
  const agent = new Agent({ model, ...options });
  const run = agent.run(thread, input ?? undefined, {
    onEvent: (event) => void events.push(event),
  });
  return { result: await run.result, events, model, thread };
}

const lastText = (model: ScriptedModel): string =>
  JSON.stringify(model.requests.at(-1)?.transcript.at(-1)?.message.content);

describe("a tool that needs approval", () => {
  test("runs when the caller allows it, with what it may see", async () => {
    const ran: unknown[] = [];
    const seen: unknown[] = [];
    const { result, events, thread } = await eventsOf(
      {
        tools: [pay(ran)],
        approve: (request) => {
          seen.push(request);
          return { decision: "allow", by: "user" };
        },
      },
      [calls(5), "Done."],
    );
    expect(result).toMatchObject({ status: "completed", output: "Done." });
    expect(seen).toEqual([
      {
        callId: "item_0",
        tool: "functions.pay",
        arguments: { amount: 5 },
        annotations: {},
        rule: "tool",
        reason: "The tool asks for it.",
        cause: "needs_approval",
      },
    ]);
    expect(ran).toEqual([[{ amount: 5 }, `${thread.id}:item_0`]]);
    expect(events.filter(({ type }) => type.startsWith("approval."))).toEqual([
      {
        type: "approval.requested",
        item_id: "item_0",
        tool: "functions.pay",
        arguments: '{"amount":5}',
        rule: "tool",
        reason: "The tool asks for it.",
      },
      {
        type: "approval.resolved",
        item_id: "item_0",
        decision: "allowed",
        by: "user",
        rule: "tool",
      },
    ]);
    const types = (await thread.entries()).map(({ type }) => type);
    expect(types.slice(2, 7)).toEqual(["sampled", "approval", "approval", "call", "result"]);
  });

  test("is refused to the model where there is no one to ask, and the run goes on", async () => {
    const ran: unknown[] = [];
    const { result, model, events } = await eventsOf({ tools: [pay(ran)] }, [
      calls(5),
      "I may not pay.",
    ]);
    expect(result).toMatchObject({ status: "completed", output: "I may not pay." });
    expect(ran).toEqual([]);
    expect(lastText(model)).toContain("functions.pay was not run: the call was not allowed.");
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "item.completed",
        item: expect.objectContaining({ status: "declined" }),
      }),
    );
  });

  test("ends the run with code 5 only if the model cannot go on without it", async () => {
    const steps = [calls(1), calls(2), calls(3)];
    const { result } = await eventsOf({ tools: [pay([])], maxSteps: 4 }, [...steps, calls(4)]);
    // The last step begins as an answer, which this model does not give.
    expect(result).toMatchObject({ status: "failed", error: { code: "CHORALE_APPROVAL_DENIED" } });
    expect(exitCodeOf(result.error)).toBe(5);
  });

  test("may be asked for by its arguments; a rule that fails asks", async () => {
    const ran: unknown[] = [];
    const large = pay(ran, ((input: { amount: number }) => input.amount > 100) as never);
    await eventsOf({ tools: [large] }, [calls(5), calls(500), "Done."]);
    expect(ran).toHaveLength(1);
    const broken = pay(ran, () => {
      throw new Error("no");
    });
    await eventsOf({ tools: [broken] }, [calls(5), "Done."]);
    expect(ran).toHaveLength(1);
  });

  test("is denied, with a reason that the model reads, also when asking fails", async () => {
    const reason = await eventsOf(
      { tools: [pay([])], approve: () => ({ decision: "deny", reason: "Over the budget." }) },
      [calls(5), "No."],
    );
    expect(lastText(reason.model)).toContain("Over the budget.");
    const broken = await eventsOf(
      {
        tools: [pay([])],
        approve: () => {
          throw new Error("the terminal is gone");
        },
      },
      [calls(5), "No."],
    );
    expect(lastText(broken.model)).toContain("the terminal is gone");
  });

  test("can wait: the run ends as pending and goes on with the decision", async () => {
    const ran: unknown[] = [];
    const store = new MemoryThreadStore();
    const thread = Thread.create({ store });
    const tools = [pay(ran)];
    const paused = await eventsOf({ tools, approve: "pause" }, [calls(5)], thread);
    expect(paused.result).toMatchObject({
      status: "pending",
      output: null,
      pendingCalls: [
        {
          call_id: "item_0",
          tool: "functions.pay",
          arguments: '{"amount":5}',
          waits_for: "approval",
        },
      ],
    });
    expect(paused.events.at(-1)).toMatchObject({ type: "run.completed", status: "pending" });
    // Another process opens the thread.
    const again = await Thread.open(store, thread.id);
    await again.decide("item_0", "allowed", "user");
    const { result, events } = await eventsOf({ tools }, ["Done."], again, null);
    expect(result).toMatchObject({ status: "completed", output: "Done." });
    expect(ran).toHaveLength(1);
    expect(events.map(({ type }) => type).slice(0, 4)).toEqual([
      ...["thread.started", "turn.started", "item.started", "item.completed"],
    ]);
    await expect(again.decide("item_0", "denied")).rejects.toThrow("does not wait");
  });

  test("of two calls in one step, the run waits for one after the other", async () => {
    const ran: unknown[] = [];
    const thread = Thread.create();
    const tools = [pay(ran)];
    const call = (amount: number) => ({
      recipient: "functions.pay",
      text: `{"amount":${amount}}`,
      channel: "commentary" as const,
    });
    const waiting = [
      (await eventsOf({ tools, approve: "pause" }, [[call(1), call(2)]], thread)).result,
    ];
    await thread.decide("item_0", "allowed");
    waiting.push((await eventsOf({ tools, approve: "pause" }, [], thread, null)).result);
    expect(waiting.map(({ pendingCalls }) => pendingCalls.map((one) => one.call_id))).toEqual([
      ["item_0"],
      ["item_1"],
    ]);
    await thread.decide("item_1", "denied");
    await eventsOf({ tools }, ["Done."], thread, null);
    expect(ran).toHaveLength(1);
  });

  test("an abort while a person is asked ends the run, and runs nothing", async () => {
    const ran: unknown[] = [];
    const abort = new AbortController();
    const agent = new Agent({
      model: new ScriptedModel([calls(5)]),
      tools: [pay(ran)],
      approve: () => {
        abort.abort();
        return "allow";
      },
    });
    const { status } = await agent.run(Thread.create(), "Pay.", { signal: abort.signal }).result;
    expect(status).toBe("cancelled");
    expect(ran).toEqual([]);
  });
});

describe("a client-side tool", () => {
  const locate = {
    recipient: "functions.locate",
    description: "Where the user is.",
    inputSchema: { type: "object" },
    timeoutMs: 1000,
  } as Tool;
  const asks: ScriptedStep = [{ recipient: "functions.locate", text: '{"exact":true}' }];

  test("ends the run with its calls; the caller appends the result and goes on", async () => {
    const { result, thread } = await eventsOf({ tools: [locate] }, [asks]);
    expect(result.status).toBe("pending");
    expect(result.pendingCalls).toEqual([
      {
        call_id: "item_0",
        tool: "functions.locate",
        arguments: '{"exact":true}',
        waits_for: "result",
      },
    ]);
    // A new question does not fit here.
    const early = await eventsOf({ tools: [locate] }, [], thread, "Hello?");
    expect(early.result.error?.message).toContain("is not over");
    expect(thread.state.turn).not.toBeNull();

    await expect(thread.appendResult("item_9", { text: "" })).rejects.toThrow("waiting: item_0");
    await thread.appendResult("item_0", { text: "Oslo", data: { city: "Oslo" } });
    const goesOn = await eventsOf({ tools: [locate] }, ["You are in Oslo."], thread, null);
    expect(goesOn.result).toMatchObject({ status: "completed", output: "You are in Oslo." });
    expect(lastText(goesOn.model)).toContain("Oslo");
    expect(goesOn.events.map(({ type }) => type)).not.toContain("error");
  });

  test("without its result the run waits again", async () => {
    const { thread } = await eventsOf({ tools: [locate] }, [asks]);
    const again = await eventsOf({ tools: [locate] }, [], thread, null);
    expect(again.result.status).toBe("pending");
  });
});

describe("a call whose process ended while it ran", () => {
  /** The log of a run that was killed between the entry of a call and that of its result. */
  async function killed(annotations: Tool["annotations"] = {}) {
    const ran: unknown[] = [];
    const store = new MemoryThreadStore();
    const thread = Thread.create({ store });
    const tool = { ...pay(ran, false), annotations } as Tool;
    await eventsOf({ tools: [tool] }, [calls(5), "Done."], thread);
    const entries = await thread.entries();
    const at = entries.findIndex(({ type }) => type === "call");
    const cut = new MemoryThreadStore();
    for (const entry of entries.slice(0, at + 1)) await cut.append(thread.id, entry);
    ran.length = 0;
    return { ran, tools: [tool], thread: await Thread.open(cut, thread.id) };
  }

  test("is not run again: that is said, and the next run goes on with it", async () => {
    const { ran, tools, thread } = await killed();
    const { result } = await eventsOf({ tools }, [], thread, null);
    expect(result).toMatchObject({
      status: "failed",
      error: {
        code: "CHORALE_UNKNOWN_OUTCOME",
        facts: { tool: "functions.pay", arguments: '{"amount":5}' },
      },
    });
    expect(ran).toEqual([]);
    expect(fold(await thread.entries()).turn).toBeNull();
    const next = await eventsOf({ tools }, ["I do not know."], thread, "Did you pay?");
    expect(next.result.output).toBe("I do not know.");
    expect(JSON.stringify(next.model.requests[0]?.transcript)).toContain("it is not known whether");
    expect(ran).toEqual([]);
  });

  test("is run again where it does no harm, or a person says so", async () => {
    const safe = await killed({ idempotentHint: true });
    const { result } = await eventsOf({ tools: safe.tools }, ["Done."], safe.thread, null);
    expect(result.output).toBe("Done.");
    expect(safe.ran).toHaveLength(1);

    const asked = await killed();
    const causes: string[] = [];
    const approve = ({ cause }: { cause: string }) => {
      causes.push(cause);
      return "allow" as const;
    };
    await eventsOf({ tools: asked.tools, approve }, ["Done."], asked.thread, null);
    expect(causes).toEqual(["unknown_outcome"]);
    expect(asked.ran).toHaveLength(1);

    const denied = await killed();
    const told = await eventsOf(
      { tools: denied.tools, approve: () => "deny" },
      ["I do not know."],
      denied.thread,
      null,
    );
    expect(told.result.output).toBe("I do not know.");
    expect(denied.ran).toEqual([]);
  });
});
