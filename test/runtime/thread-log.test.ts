/**
 * The log under any conversation and any end: random scripts of a model, random tools, and an abort, a
 * failing model or a failing listener at a random moment.
 */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import { step } from "../../runtime/agent/step.ts";
import type { BudgetName } from "../../runtime/context.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { ScriptedModel, type ScriptedStep } from "../../runtime/model/scripted-model.ts";
import type { LogEntry } from "../../runtime/thread/entry.ts";
import { apply, emptyState, fold } from "../../runtime/thread/fold.ts";
import { EventProjection, LIVE_EVENTS } from "../../runtime/thread/projection.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { invalidEvents } from "../event-schema.ts";

const RUNS = Number(process.env["CHORALE_FUZZ_RUNS"] ?? 10_000);

let played = 0;
const schema: object = JSON.parse(
  readFileSync(new URL("../../docs/thread-log.schema.json", import.meta.url), "utf8"),
);
const isEntry = new Ajv2020({ allErrors: true, strict: false }).compile(schema);

/** What the model says in one step. */
const message = fc.oneof(
  fc.record({
    text: fc.constantFrom("Yes.", "a b c", "", " ", "{}", '{"x":1}'),
    channel: fc.constantFrom("analysis", "commentary", "final", null, "reply"),
    contentType: fc.constantFrom(undefined, "json"),
    terminator: fc.constantFrom(undefined, "end", "return", "call", null),
  }),
  fc.record({
    text: fc.constantFrom("{}", '{"x":1}', '{"query":"fails asks"}', "{", "nonsense", ""),
    recipient: fc.constantFrom(
      "functions.ok",
      "functions.long",
      "functions.tool_search",
      "functions.fails",
      "functions.asks",
      "functions.mine",
      "functions.none",
      "ok",
      "functions.functions.ok",
    ),
    channel: fc.constantFrom("commentary", "analysis", "odd"),
    terminator: fc.constantFrom(undefined, "end", null),
  }),
);
/** A model in circles: the same call in a row, or a thought that does not end. */
const circling: fc.Arbitrary<readonly ScriptedStep[]> = fc.constantFrom(
  Array<ScriptedStep>(7).fill([{ text: "{}", recipient: "functions.ok" }]),
  Array<ScriptedStep>(4).fill([{ text: "{}", recipient: "functions.fails" }]),
  [1, 2, 3, 4, 5].map((x) => [{ text: `{"x":${x}}`, recipient: "functions.long" }]),
  Array<ScriptedStep>(3).fill([{ text: "round ".repeat(325), channel: "analysis" }]),
);
const scriptedStep: fc.Arbitrary<ScriptedStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(message, { minLength: 1, maxLength: 3 }) as fc.Arbitrary<ScriptedStep>,
  },
  { weight: 1, arbitrary: fc.constant(new TypeError("a bug of the model")) },
);

const scenario = fc.record({
  steps: fc.oneof(
    { weight: 19, arbitrary: fc.array(scriptedStep, { minLength: 1, maxLength: 6 }) },
    { weight: 1, arbitrary: circling },
  ),
  maxSteps: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(20)),
  maxRetries: fc.integer({ min: 0, max: 2 }),
  /** Abort at this event; a listener that fails at this one. */
  abortAt: fc.option(fc.nat(30), { nil: null }),
  failAt: fc.option(fc.nat(30), { nil: null }),
  approve: fc.constantFrom("allow", "deny", "pause", undefined),
  /** The user says something more when the run asks for it this time. */
  steerAt: fc.option(fc.nat(3), { nil: null }),
  turns: fc.integer({ min: 1, max: 3 }),
  /** In a small one old results are shortened, and turns summarised. */
  contextLength: fc.oneof(
    { weight: 3, arbitrary: fc.constant(131_072) },
    { weight: 1, arbitrary: fc.constantFrom(60, 120, 250, 3000) },
  ),
  asksToCompact: fc.boolean(),
  /** With few, tools are found by a search. */
  toolTokenBudget: fc.constantFrom(undefined, undefined, 20),
  budgets: fc.record(
    {
      maxTokens: fc.integer({ min: 1, max: 12 }),
      maxReasoningTokens: fc.integer({ min: 0, max: 6 }),
      maxToolCalls: fc.integer({ min: 0, max: 2 }),
      maxOutputBytes: fc.integer({ min: 1, max: 12 }),
      // Used up at once, or never.
      maxSeconds: fc.constantFrom(1e-6, 1000),
    },
    { requiredKeys: [] },
  ),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

const parameters = { type: "object", properties: { x: { type: "integer" } } };
const tools: Tool[] = [
  defineTool({ name: "ok", description: "", parameters, execute: () => "done" }),
  defineTool({
    name: "fails",
    description: "",
    parameters,
    execute: () => {
      throw new Error("no");
    },
  }),
  defineTool({
    name: "asks",
    description: "",
    parameters,
    needsApproval: true,
    execute: () => "1",
  }),
  defineTool({ name: "long", description: "", parameters, execute: () => "word ".repeat(1600) }),
  { recipient: "functions.mine", description: "", inputSchema: parameters, timeoutMs: 1000 },
] as Tool[];

type Played = { readonly thread: Thread; readonly runs: readonly (readonly RunEvent[])[] };

async function play(one: Scenario): Promise<Played> {
  const thread = Thread.create();
  const runs: RunEvent[][] = [];
  const { contextLength } = one;
  const model = new ScriptedModel([...one.steps, ...one.steps, "Done."], { contextLength });
  const approve =
    one.approve === undefined || one.approve === "pause"
      ? one.approve
      : () => one.approve as "allow";
  const agent = new Agent({
    model,
    tools,
    approve,
    maxSteps: one.maxSteps,
    maxRetries: one.maxRetries,
    toolTokenBudget: one.toolTokenBudget,
    ...one.budgets,
  });
  let seen = 0;
  let asked = 0;
  for (let turn = 0; turn < one.turns; turn++) {
    const abort = new AbortController();
    const isOpen = thread.state.turn !== null;
    // A caller that finds calls of its own tools waiting gives their results first.
    for (const { callId, progress, call } of thread.state.turn?.calls ?? []) {
      if (progress === "asked") await thread.decide(callId, "allowed");
      else if (call.execution === "client") await thread.appendResult(callId, { text: "mine" });
    }
    const run = agent.run(thread, isOpen ? undefined : "Hello", {
      signal: abort.signal,
      onEvent: () => {
        if (seen === one.abortAt) abort.abort();
        if (seen++ === one.failAt) throw new Error("the listener's disk is full");
      },
      steering: () => (asked++ === one.steerAt ? "And this." : null),
    });
    const events: RunEvent[] = [];
    try {
      for await (const event of run) events.push(event);
    } catch {
      // A bug of the model or of the listener; the log has to hold all the same.
    }
    runs.push(events);
    if (one.asksToCompact && thread.state.turn === null) {
      // The script may be at its end, or say nothing.
      await agent.compact(thread).catch(() => null);
    }
  }
  return { thread, runs };
}

/** Every item; of a run that waits for its caller, calls may be left for the next run. */
function everyStartedItemCompletesOnce(events: readonly RunEvent[], isPending: boolean): void {
  const completions = new Map<string, number>();
  const calls = new Set<string>();
  for (const event of events) {
    if (event.type === "item.started") {
      const { id, type } = event.item;
      expect(completions.has(id), `${id} starts once`).toBe(false);
      completions.set(id, 0);
      if (type === "tool_call" || type === "code_execution") calls.add(id);
    }
    if (event.type === "item.completed" && event.item.type !== "error") {
      const { id } = event.item;
      completions.set(id, (completions.get(id) ?? Number.NaN) + 1);
    }
  }
  for (const [id, count] of completions) {
    const isOpen = isPending && calls.has(id) && count === 0;
    if (!isOpen) expect(count, `${id} completes once`).toBe(1);
  }
}

/** The events that a run's entries give, by the log alone. */
function projected(entries: readonly LogEntry[], from: number, to: number): RunEvent[] {
  let state = emptyState();
  for (const entry of entries.slice(0, from)) state = apply(state, entry);
  const projection = new EventProjection();
  const events: RunEvent[] = [...projection.resumed(state, "scripted")];
  for (const entry of entries.slice(from, to)) {
    state = apply(state, entry);
    events.push(...projection.project(entry, state));
  }
  return events;
}

describe("a log of any conversation, ended anywhere", () => {
  test("holds its invariants", { timeout: 300_000 }, async () => {
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(scenario, async (one) => {
        const { thread, runs } = await play(one);
        const entries = await thread.entries();
        for (const entry of entries) {
          kinds.add(entry.type);
          if (!isEntry(entry)) expect(isEntry.errors).toEqual([]);
        }
        // Folding twice is the same, also of what was written to JSON and read again.
        expect(fold(entries)).toEqual(thread.state);
        expect(fold(JSON.parse(JSON.stringify(entries)))).toEqual(thread.state);
        // Every point between two entries is a valid state, from which a step follows.
        let state = emptyState();
        for (const entry of entries) {
          state = apply(state, entry);
          if (state.turn !== null) expect(step(state).type).not.toBe("idle");
        }
        for (const events of runs) {
          const last = events.at(-1);
          // One in ten: the schema takes longer than the run.
          if (played++ % 10 === 0) expect(invalidEvents(events)).toEqual([]);
          if (last?.type === "run.completed") {
            everyStartedItemCompletesOnce(events, last.status === "pending");
          }
        }
        expect(thread.state.transcript.every(isAnswered(thread))).toBe(true);
        keepsItsBudgets(entries, one);
      }),
      { numRuns: RUNS },
    );
    expect([...kinds].sort()).toEqual([
      ...[
        "approval",
        "budget",
        "call",
        "compaction",
        "cut_back",
        "ended",
        "problem",
        "result",
        "sampled",
      ],
      ...["steered", "thread", "user"],
    ]);
  });

  test("gives the events of its runs", { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (one) => {
        const { thread, runs } = await play({
          ...one,
          turns: 1,
          failAt: null,
          asksToCompact: false,
        });
        const entries = await thread.entries();
        const live = (runs[0] ?? []).filter(({ type }) => !LIVE_EVENTS.has(type));
        const fromLog = projected(entries, 0, entries.length);
        const last = live.at(-1);
        if (last?.type === "run.completed" && last.status === "pending") live.pop();
        expect(fromLog).toEqual(entries.length === 0 ? [] : live);
      }),
      { numRuns: Math.min(RUNS, 2_000) },
    );
  });
});

const BUDGET_CODES: Readonly<Record<string, BudgetName>> = {
  CHORALE_TOKEN_LIMIT: "tokens",
  CHORALE_REASONING_LIMIT: "reasoning_tokens",
  CHORALE_TIME_LIMIT: "seconds",
  CHORALE_STEP_LIMIT: "steps",
  CHORALE_TOOL_CALL_LIMIT: "tool_calls",
  CHORALE_OUTPUT_LIMIT: "output_bytes",
};

/** No turn uses more than it may, and one that failed for it says so in its entries. */
function keepsItsBudgets(entries: readonly LogEntry[], { budgets }: Scenario): void {
  let used = { tokens: 0, calls: new Set<string>(), told: new Set<string>() };
  for (const entry of entries) {
    if (entry.type === "user") used = { tokens: 0, calls: new Set(), told: new Set() };
    if (entry.type === "sampled") used.tokens += entry.usage.outputTokens;
    if (entry.type === "call") used.calls.add(entry.callId);
    if (entry.type === "budget") used.told.add(`${entry.budget} ${entry.state}`);
    if (entry.type !== "ended") continue;
    expect(used.tokens).toBeLessThanOrEqual(budgets.maxTokens ?? Number.POSITIVE_INFINITY);
    expect(used.calls.size).toBeLessThanOrEqual(budgets.maxToolCalls ?? Number.POSITIVE_INFINITY);
    const budget = BUDGET_CODES[entry.error?.code ?? ""];
    if (budget !== undefined) expect([...used.told]).toContain(`${budget} used_up`);
    // A turn never ends as completed without an answer.
    expect(entry.status === "completed").toBe(entry.output !== null);
  }
}

/** A call that the model reads has its result right behind it, unless the turn waits for it. */
function isAnswered(thread: Thread) {
  const { transcript, turn } = thread.state;
  const waiting = new Set(turn?.calls.map(({ callId }) => callId));
  return ({ callId, message: said }: (typeof transcript)[number]): boolean => {
    if (callId === undefined || said.role !== "assistant" || waiting.has(callId)) return true;
    return transcript.some((other) => other.callId === callId && other.message.role === "tool");
  };
}
