/**
 * Nothing that would ask is run without an answer, and nothing that is denied is run at all: random tools, rules,
 * scripts of a model, answers, aborts, and processes that end anywhere, through the real loop.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import type { ApprovalDecision } from "../../runtime/calls/approval.ts";
import { ScriptedModel, type ScriptedStep } from "../../runtime/model/scripted-model.ts";
import { changesThings, effectsOf, returnsStrangeText } from "../../runtime/policy/effects.ts";
import { fingerprintOf, hashOf } from "../../runtime/policy/fingerprint.ts";
import type { PolicyAction } from "../../runtime/policy/policy.ts";
import { createPolicy } from "../../runtime/policy/rule-policy.ts";
import { DEFAULT_RULES, type PolicyRule } from "../../runtime/policy/rules.ts";
import { MemoryPolicyStore } from "../../runtime/policy/store.ts";
import type { LogEntry } from "../../runtime/thread/entry.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import type { Tool } from "../../tools/index.ts";

const RUNS = Number(process.env["CHORALE_FUZZ_RUNS"] ?? 300);
const NAMES = ["a", "b", "mcp__s__c"] as const;

const maybe = fc.constantFrom(undefined, true, false);
const toolArbitrary = fc.record({
  readOnlyHint: maybe,
  destructiveHint: maybe,
  openWorldHint: maybe,
  idempotentHint: maybe,
  needsApproval: fc.boolean(),
  fails: fc.boolean(),
  /** It becomes another tool before this turn. */
  changesAt: fc.option(fc.nat(3), { nil: null }),
});

const ruleArbitrary: fc.Arbitrary<PolicyRule> = fc.record({
  action: fc.constantFrom<PolicyAction>("allow", "ask", "deny"),
  tools: fc.constantFrom(undefined, ["a"], ["b"], ["mcp__*"], ["*"]),
  readOnly: maybe,
  destructive: maybe,
  taint: fc.constantFrom(undefined, "any", "tainted", "clean"),
  arguments: fc.constantFrom(undefined, { "/x": { glob: "1" } }),
});

const decision: fc.Arbitrary<ApprovalDecision> = fc.oneof(
  fc.constantFrom<ApprovalDecision>("allow", "deny", "pause"),
  fc.record({
    decision: fc.constantFrom("allow", "deny"),
    remember: fc.constantFrom("session", "always"),
    covers: fc.constantFrom("tool", "arguments"),
  }) as fc.Arbitrary<ApprovalDecision>,
);

const step: fc.Arbitrary<ScriptedStep> = fc.array(
  fc.record({
    recipient: fc.constantFrom(...NAMES).map((name) => `functions.${name}`),
    text: fc.constantFrom('{"x":1}', '{"x":2}', "{", "{}"),
    channel: fc.constant("commentary"),
  }),
  { minLength: 1, maxLength: 2 },
);

const scenario = fc.record({
  tools: fc.tuple(toolArbitrary, toolArbitrary, toolArbitrary),
  rules: fc.array(ruleArbitrary, { maxLength: 3 }),
  otherwise: fc.constantFrom("default", "allow", "ask", "deny"),
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  answers: fc.option(fc.array(decision, { minLength: 1, maxLength: 6 }), { nil: null }),
  trusted: fc.subarray([...NAMES]),
  turns: fc.integer({ min: 1, max: 3 }),
  /** The run is aborted at this event. */
  abortAt: fc.option(fc.nat(40), { nil: null }),
  /** The process ends behind this entry; another one opens the thread again. */
  cutAt: fc.option(fc.nat(20), { nil: null }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

type Run = {
  readonly tool: string;
  readonly input: unknown;
  readonly seq: number;
  readonly fingerprint: string;
};

/** Plays a scenario and keeps what ran, with the length of the log at that moment. */
async function play(one: Scenario) {
  let store = new MemoryThreadStore();
  let thread = Thread.create({ store });
  const policyStore = new MemoryPolicyStore();
  const ran: Run[] = [];
  const toolsOf = (turn: number): Tool[] =>
    NAMES.map((name, at): Tool => {
      const { needsApproval, fails, changesAt, ...hints } = one.tools[at] as (typeof one.tools)[0];
      const recipient = `functions.${name}`;
      const isChanged = changesAt !== null && turn >= changesAt;
      const annotations = Object.fromEntries(
        Object.entries(hints).filter(([, hint]) => hint !== undefined),
      );
      const tool: Tool = {
        recipient,
        description: isChanged ? "Other." : "First.",
        inputSchema: { type: "object", properties: { x: { type: "integer" } } },
        timeoutMs: 1_000,
        annotations,
        ...(needsApproval && { needsApproval }),
        execute: async (input) => {
          const seq = thread.state.length - 1;
          ran.push({ tool: recipient, input, seq, fingerprint: fingerprintOf(tool) });
          if (fails) throw new Error("no");
          return "done";
        },
      };
      return tool;
    });
  for (const name of one.trusted) {
    const tool = toolsOf(-1).find(({ recipient }) => recipient === `functions.${name}`);
    if (tool !== undefined) await policyStore.trust(tool, tool.recipient);
  }
  const rules = one.rules.map((rule) => withoutUndefined(rule));
  const policy = await createPolicy({
    rules,
    otherwise: one.otherwise as "ask",
    store: policyStore,
  });
  const model = new ScriptedModel([...one.steps, ...one.steps, "Done.", "Done.", "Done.", "Done."]);
  let asked = 0;
  const approve = (): ApprovalDecision => one.answers?.[asked++ % one.answers.length] ?? "deny";
  let seen = 0;
  for (let turn = 0; turn < one.turns + 1; turn++) {
    const abort = new AbortController();
    const agent = new Agent({
      model,
      tools: toolsOf(turn),
      policy,
      maxSteps: 8,
      ...(one.answers !== null && { approve }),
    });
    for (const { callId, progress } of thread.state.turn?.calls ?? []) {
      if (progress === "asked")
        await thread.decide(callId, turn % 2 === 0 ? "allowed" : "denied", "user");
    }
    const isOpen = thread.state.turn !== null;
    await agent.run(thread, isOpen ? undefined : "Go.", {
      signal: abort.signal,
      onEvent: () => {
        if (seen++ === one.abortAt) abort.abort();
      },
    }).result;
    if (turn === 0 && one.cutAt !== null) {
      // What came behind the cut is lost with the process, also what ran there.
      const entries = (await thread.entries()).slice(0, Math.max(2, one.cutAt));
      store = new MemoryThreadStore();
      for (const entry of entries) await store.append(thread.id, entry);
      const kept = ran.filter(({ seq }) => seq < entries.length);
      ran.splice(0, ran.length, ...kept);
      thread = await Thread.open(store, thread.id);
    }
  }
  return { entries: await thread.entries(), ran, tools: toolsOf(-1), rules, policyStore };
}

const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, found]) => found !== undefined)) as T;

/** What the rules say about a call, found out in the plainest way. */
function expected(
  rules: readonly PolicyRule[],
  otherwise: string,
  tool: Tool,
  input: unknown,
  isTainted: boolean,
) {
  const { isReadOnly, isDestructive } = effectsOf(tool);
  const isMcp = tool.recipient.includes("mcp__");
  const applies = (rule: PolicyRule): boolean =>
    (rule.tools === undefined ||
      rule.tools.some(
        (name) =>
          name === "*" || tool.recipient === `functions.${name}` || (name === "mcp__*" && isMcp),
      )) &&
    (rule.origin === undefined || (rule.origin.includes("mcp") && isMcp)) &&
    (rule.readOnly === undefined || rule.readOnly === isReadOnly) &&
    (rule.destructive === undefined || rule.destructive === isDestructive) &&
    (rule.arguments === undefined || (input as { x?: number }).x === 1) &&
    (rule.taint === "tainted" ? isTainted : rule.taint === "clean" ? !isTainted : true);
  const strictest = (list: readonly PolicyRule[]): PolicyRule | undefined => {
    const found = list.filter(applies);
    return (
      found.find(({ action }) => action === "deny") ??
      found.find(({ action }) => action === "ask") ??
      found.find(({ taint }) => taint === "any") ??
      found[0]
    );
  };
  const byPerson = strictest(rules);
  if (byPerson !== undefined)
    return { action: byPerson.action, isAnyTaint: byPerson.taint === "any" };
  if (otherwise === "deny") return { action: "deny", isAnyTaint: false };
  if (tool.needsApproval === true) return { action: "ask", isAnyTaint: false };
  if (otherwise !== "default") return { action: otherwise, isAnyTaint: false };
  const byDefault = strictest(DEFAULT_RULES);
  return { action: byDefault?.action ?? "ask", isAnyTaint: byDefault?.taint === "any" };
}

/** Whether a person said yes to this call, or to one that covers it, before it ran. */
function wasAnswered(
  entries: readonly LogEntry[],
  run: Run,
  always: boolean,
  isGuarded: boolean,
): boolean {
  const { callId } = entries[run.seq] as { callId: string };
  const before = entries.slice(0, run.seq);
  const approvals = before.flatMap((entry) => (entry.type === "approval" ? [entry] : []));
  const subjectOf = (id: string, upTo: number) =>
    approvals.findLast((one) => one.callId === id && one.decision === "asked" && one.seq < upTo)
      ?.subject;
  const strangers = firstStrangeResult(entries);
  return (
    approvals.some((one) => {
      if (one.decision !== "allowed") return false;
      const subject = subjectOf(one.callId, one.seq);
      // Without a question it was asked whether the call should run again.
      if (one.callId === callId && (subject?.fingerprint ?? run.fingerprint) === run.fingerprint) {
        return true;
      }
      if (
        one.remember === undefined ||
        subject === undefined ||
        subject.fingerprint !== run.fingerprint
      )
        return false;
      if (subject.tool !== run.tool) return false;
      if (one.covers === "arguments" && subject.argumentsHash !== hashOf(run.input)) return false;
      return !isGuarded || one.seq > strangers;
    }) || always
  );
}

/** The entry with the first text of strangers. */
function firstStrangeResult(entries: readonly LogEntry[]): number {
  const untrusted = new Set<string>();
  for (const entry of entries) {
    if (entry.type === "user") {
      for (const pin of entry.settings.tools) if (pin.isUntrusted) untrusted.add(pin.recipient);
    }
    if (entry.type !== "result" || ["denied", "not_executed", "unknown"].includes(entry.status))
      continue;
    const wasStarted = entries.some(
      (other) => other.type === "call" && other.callId === entry.callId && other.seq < entry.seq,
    );
    const { call } =
      entries
        .flatMap((other) => (other.type === "sampled" ? other.messages : []))
        .find(({ itemId }) => itemId === entry.callId) ?? {};
    if (wasStarted && call !== undefined && untrusted.has(call.recipient)) return entry.seq;
  }
  return Number.POSITIVE_INFINITY;
}

describe("a call", () => {
  test("that would ask is not run without an answer, one that is denied is not run", {
    timeout: 300_000,
  }, async () => {
    const counted = { allowed: 0, answered: 0 };
    await fc.assert(
      fc.asyncProperty(scenario, async (one) => {
        const { entries, ran, tools, rules, policyStore } = await play(one);
        const kept = await policyStore.allAnswers();
        const strangers = firstStrangeResult(entries);
        for (const run of ran) {
          const entry = entries[run.seq];
          // Every run stands in the log before it happens.
          expect(entry?.type).toBe("call");
          const tool = tools.find(({ recipient }) => recipient === run.tool) as Tool;
          const isTainted = strangers < run.seq;
          const says = expected(rules, one.otherwise, tool, run.input, isTainted);
          expect(says.action, JSON.stringify({ run, entries })).not.toBe("deny");
          // An answer for always trusts the tool as it is then.
          const isTrustedAnew = kept.some(
            ({ decision, tool: name, fingerprint }) =>
              decision === "allow" && name === run.tool && fingerprint === run.fingerprint,
          );
          const isChanged =
            one.trusted.some((name) => run.tool === `functions.${name}`) &&
            fingerprintOf(tool) !== run.fingerprint &&
            !isTrustedAnew;
          // What changes nothing may be called by an earlier answer as well.
          const isGuarded = isTainted && changesThings(effectsOf(tool));
          const mustAsk = says.action === "ask" || isChanged || (isGuarded && !says.isAnyTaint);
          if (!mustAsk) {
            counted.allowed++;
            continue;
          }
          counted.answered++;
          const always = kept.some(
            (answer) =>
              answer.decision === "allow" &&
              answer.tool === run.tool &&
              answer.fingerprint === run.fingerprint &&
              (answer.argumentsHash === undefined || answer.argumentsHash === hashOf(run.input)),
          );
          expect(
            wasAnswered(entries, run, always && !isGuarded, isGuarded),
            JSON.stringify({ run, entries }),
          ).toBe(true);
        }
        expect(returnsStrangeText(tools[2] as Tool)).toBe(true);
      }),
      { numRuns: RUNS },
    );
    // Both ways have been taken, else the property says nothing.
    expect(counted.allowed).toBeGreaterThan(RUNS / 10);
    expect(counted.answered).toBeGreaterThan(RUNS / 20);
  });
});
