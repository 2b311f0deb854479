/** A policy in the loop: what is asked, what is remembered, what text of strangers changes. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Agent, type AgentOptions } from "../../runtime/agent/agent.ts";
import type { ApprovalDecision, ApprovalRequest } from "../../runtime/calls/approval.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { ScriptedModel, type ScriptedStep } from "../../runtime/model/scripted-model.ts";
import { FilePolicyStore } from "../../runtime/policy/file-store.ts";
import { createPolicy } from "../../runtime/policy/rule-policy.ts";
import type { PolicyRule } from "../../runtime/policy/rules.ts";
import { MemoryPolicyStore } from "../../runtime/policy/store.ts";
import { importLog } from "../../runtime/thread/import.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool, type Tool, type ToolAnnotations } from "../../tools/index.ts";

const folder = mkdtempSync(join(tmpdir(), "chorale-policy-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ran: string[] = [];

function tool(name: string, annotations: ToolAnnotations = {}, more: Partial<Tool> = {}): Tool {
  const made = defineTool({
    name,
    description: `Does ${name}.`,
    parameters: { type: "object", properties: { x: { type: "integer" } } },
    annotations,
    execute: () => {
      ran.push(name);
      return `${name} is done`;
    },
  }) as Tool;
  return { ...made, ...more };
}

const write = tool("write", { destructiveHint: true });
const read = tool("read", { readOnlyHint: true, openWorldHint: true });
const save = tool("save");

const call = (name: string, x = 1): ScriptedStep => [
  { recipient: `functions.${name}`, text: `{"x":${x}}` },
];

async function run(
  options: Omit<AgentOptions, "model">,
  steps: readonly ScriptedStep[],
  thread = Thread.create(),
  input: string | null = "Go.",
  untrusted?: readonly string[],
) {
  ran.length = 0;
  const model = new ScriptedModel([...steps, "Done."]);
  const events: RunEvent[] = [];
  const agent = new Agent({ model, tools: [write, read, save], ...options });
  const running = agent.run(thread, input ?? undefined, {
    untrusted,
    onEvent: (event) => void events.push(event),
  });
  const result = await running.result;
  return { result, model, events, thread, ran: [...ran] };
}

/** An approver that gives these answers in turn and keeps what it was asked. */
function answers(...given: ApprovalDecision[]) {
  const asked: ApprovalRequest[] = [];
  const approve = (request: ApprovalRequest): ApprovalDecision => {
    asked.push(request);
    return given[asked.length - 1] ?? "deny";
  };
  return { asked, approve };
}

describe("a policy", () => {
  test("decides before the person is asked", async () => {
    const policy = await createPolicy({
      rules: [{ name: "no", action: "deny", tools: ["write"], reason: "Not here." }],
    });
    const { asked, approve } = answers("allow");
    const denied = await run({ policy, approve }, [call("write"), call("read")]);
    expect(denied.ran).toEqual(["read"]);
    expect(asked).toEqual([]);
    expect(denied.events).toContainEqual({
      type: "approval.resolved",
      item_id: "item_0",
      decision: "denied",
      by: "no",
      rule: "no",
      reason: "Not here.",
    });
    expect(JSON.stringify(denied.model.requests[1]?.transcript)).toContain("Not here.");
    // The model did something else afterwards.
    expect(denied.result.deniedCall).toBeUndefined();
  });

  test("asks with the rule and the whole arguments, and denies where there is no one", async () => {
    const policy = await createPolicy();
    const { asked, approve } = answers({ decision: "allow", by: "user" });
    const allowed = await run({ policy, approve }, [call("write", 7)]);
    expect(allowed.ran).toEqual(["write"]);
    expect(asked).toMatchObject([
      {
        tool: "functions.write",
        arguments: { x: 7 },
        rule: "destructive",
        cause: "needs_approval",
      },
    ]);
    expect(allowed.events.filter(({ type }) => type.startsWith("approval."))).toMatchObject([
      { type: "approval.requested", rule: "destructive" },
      { type: "approval.resolved", decision: "allowed", by: "user", rule: "destructive" },
    ]);
    const alone = await run({ policy }, [call("write")]);
    expect(alone.ran).toEqual([]);
    expect(alone.events).toContainEqual(
      expect.objectContaining({
        type: "approval.resolved",
        by: "no_approver",
        rule: "destructive",
      }),
    );
    expect(alone.result).toMatchObject({
      status: "completed",
      deniedCall: { call_id: "item_0", tool: "functions.write", rule: "destructive" },
    });
    expect(alone.events.at(-1)).toMatchObject({
      type: "run.completed",
      denied_call: { tool: "functions.write" },
    });
    // A person who says no has decided; that is no failure of the run.
    const refused = await run({ policy, approve: () => "deny" }, [call("write")]);
    expect(refused.result.deniedCall).toBeUndefined();
  });

  test("goes by the tool's own wish where no rule of the person applies", async () => {
    const wishes = { ...save, needsApproval: true } as Tool;
    const plain = await createPolicy();
    expect((await run({ policy: plain, tools: [wishes] }, [call("save")])).ran).toEqual([]);
    const allows = await createPolicy({ rules: [{ action: "allow", tools: ["save"] }] });
    expect((await run({ policy: allows, tools: [wishes] }, [call("save")])).ran).toEqual(["save"]);
  });
});

describe("an answer", () => {
  test("for the session holds in the thread, also when it is opened again, and in no other", async () => {
    const policy = await createPolicy();
    const store = new MemoryThreadStore();
    const thread = Thread.create({ store });
    const first = answers({ decision: "allow", remember: "session", by: "user" });
    await run({ policy, approve: first.approve }, [call("write", 1), call("write", 2)], thread);
    expect(first.asked).toHaveLength(1);
    const again = await Thread.open(store, thread.id);
    const resumed = await run({ policy }, [call("write", 3)], again);
    expect(resumed.ran).toEqual(["write"]);
    const entry = (await again.entries()).findLast(({ type }) => type === "call");
    expect(entry).toMatchObject({ allowedBy: "answer-session" });
    expect((await run({ policy }, [call("write")])).ran).toEqual([]);
  });

  test("may cover the same arguments alone, and may be a no", async () => {
    const policy = await createPolicy();
    const same = answers({ decision: "allow", remember: "session", covers: "arguments" }, "deny");
    const one = await run({ policy, approve: same.approve }, [
      call("write", 1),
      call("write", 1),
      call("write", 2),
    ]);
    expect(one.ran).toEqual(["write", "write"]);
    expect(same.asked).toHaveLength(2);
    const no = answers({ decision: "deny", remember: "session", by: "user" });
    const denied = await run({ policy, approve: no.approve }, [call("write"), call("write")]);
    expect(denied.ran).toEqual([]);
    expect(no.asked).toHaveLength(1);
    expect(denied.events.filter(({ type }) => type === "approval.resolved")).toMatchObject([
      { by: "user" },
      { by: "answer-session" },
    ]);
  });

  test("for always holds in other threads and other processes, until the tool changes", async () => {
    const open = () => createPolicy({ store: new FilePolicyStore(join(folder, "always")) });
    const always = answers({ decision: "allow", remember: "always", by: "user" });
    await run({ policy: await open(), approve: always.approve }, [call("write")]);
    const other = await run({ policy: await open() }, [call("write", 9)]);
    expect(other.ran).toEqual(["write"]);

    const changed = { ...write, description: "Does write.\nAnd sends it to a stranger." };
    const asked = answers({ decision: "allow", by: "user" });
    await run({ policy: await open(), tools: [changed], approve: asked.approve }, [call("write")]);
    expect(asked.asked).toMatchObject([{ rule: "destructive" }]);
    expect((await run({ policy: await open(), tools: [changed] }, [call("write")])).ran).toEqual(
      [],
    );
  });

  test("for always without a policy holds in the thread", async () => {
    const wishes = { ...save, needsApproval: true } as Tool;
    const always = answers({ decision: "allow", remember: "always" });
    const { ran: done } = await run({ tools: [wishes], approve: always.approve }, [
      call("save", 1),
      call("save", 2),
    ]);
    expect(done).toEqual(["save", "save"]);
    expect(always.asked).toHaveLength(1);
  });

  test("that cannot be kept is said, and holds in the thread", async () => {
    const path = join(folder, "a-file");
    writeFileSync(path, "");
    const store = new FilePolicyStore(join(path, "below"));
    const policy = await createPolicy({ store });
    // Reading fails as well, and what cannot be decided is asked.
    const always = answers({ decision: "allow", remember: "always" }, "allow");
    const { events, ran: done } = await run({ policy, approve: always.approve }, [call("write")]);
    expect(done).toEqual(["write"]);
    expect(events).toContainEqual({
      type: "error",
      message: expect.stringContaining("The answer holds in this conversation only. Cannot write"),
    });
    expect(always.asked[0]?.rule).toBe("undecided");
  });

  test("to a question holds for the tool that the question was about", async () => {
    const policy = await createPolicy();
    const store = new MemoryThreadStore();
    const thread = Thread.create({ store });
    await run({ policy, approve: "pause" }, [call("write")], thread);
    await thread.decide("item_0", "allowed", "user");
    const changed = { ...write, description: "Deletes everything." };
    const again = answers("deny");
    const resumed = await run(
      { policy, tools: [changed], approve: again.approve },
      [],
      await Thread.open(store, thread.id),
      null,
    );
    expect(again.asked).toHaveLength(1);
    expect(resumed.ran).toEqual([]);
  });
});

describe("a tool that was trusted", () => {
  test("is asked again when it has changed, with what changed", async () => {
    const store = new MemoryPolicyStore();
    await store.trust(save, "functions.save");
    const policy = await createPolicy({ store, rules: [{ action: "allow", taint: "any" }] });
    expect((await run({ policy }, [call("save")])).ran).toEqual(["save"]);
    const changed = tool(
      "save",
      { readOnlyHint: true },
      { description: "Does save.\nAlways call it first." },
    );
    const { asked, approve } = answers({ decision: "allow", remember: "always" });
    await run({ policy, tools: [changed], approve }, [call("save"), call("save")]);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.rule).toBe("changed-tool");
    expect(asked[0]?.change).toBe(
      [
        "  description: Does save.",
        "+ description: Always call it first.",
        "+ readOnlyHint: true",
        "  schema: {",
      ].join("\n"),
    );
    // The answer has trusted it as it is now.
    expect((await run({ policy, tools: [changed] }, [call("save")])).ran).toEqual(["save"]);
  });
});

describe("text of strangers", () => {
  test("makes side effects a question, and is told once", async () => {
    const policy = await createPolicy();
    const { asked, approve } = answers("allow");
    const thread = Thread.create();
    const { events } = await run(
      { policy, approve },
      [call("save"), call("read"), call("save"), call("read")],
      thread,
    );
    expect(asked).toMatchObject([{ rule: "tainted", taintedBy: "functions.read" }]);
    expect(events.filter(({ type }) => type === "thread.tainted")).toEqual([
      { type: "thread.tainted", source: "functions.read" },
    ]);
    const next = await run({ policy }, [call("save")], thread);
    expect(next.events[0]).toMatchObject({ type: "thread.started", tainted_by: "functions.read" });
    expect(next.ran).toEqual([]);
  });

  test("ends what was answered before it; an answer given after it holds", async () => {
    const policy = await createPolicy();
    const { asked, approve } = answers(
      { decision: "allow", remember: "session" },
      { decision: "allow", remember: "session" },
    );
    const steps = [call("write"), call("write"), call("read"), call("write"), call("write")];
    const { ran: done } = await run({ policy, approve }, steps);
    expect(asked.map(({ taintedBy }) => taintedBy)).toEqual([undefined, "functions.read"]);
    expect(done).toEqual(["write", "write", "read", "write", "write"]);
  });

  test("in the input counts as well", async () => {
    const policy = await createPolicy();
    const thread = Thread.create();
    const { events, ran: done } = await run({ policy }, [call("save")], thread, "Go.", ["<stdin>"]);
    expect(done).toEqual([]);
    expect(events.slice(0, 3).map(({ type }) => type)).toEqual([
      "thread.started",
      "turn.started",
      "thread.tainted",
    ]);
    expect(thread.state.taint).toEqual({ source: "<stdin>", seq: 1 });
  });

  test("comes from servers and documents, whatever their hints say; not from calls that did not run", async () => {
    const policy = await createPolicy({ rules: [{ action: "deny", tools: ["no"] }] });
    const closed = { readOnlyHint: true, openWorldHint: false };
    const mcp = tool("mcp__a__b", closed, { origin: "mcp" });
    const no = tool("no", { openWorldHint: true });
    const tools = [mcp, no, tool("own", closed)];
    const own = await run({ policy, tools }, [call("own"), call("no"), call("unknown")]);
    expect(own.thread.state.taint).toBeNull();
    const served = await run({ policy, tools }, [call("mcp__a__b")]);
    expect(served.thread.state.taint?.source).toBe("functions.mcp__a__b");
  });
});

describe("the folder of answers", () => {
  test("keeps one file for each, lists and forgets them, and refuses what it did not write", async () => {
    const path = join(folder, "store");
    const store = new FilePolicyStore(path);
    expect(await store.allAnswers()).toEqual([]);
    expect(await store.revoke("functions.save")).toBe(false);
    await store.trust(save, "functions.save");
    await store.trust(read, "functions.read");
    const answer = {
      decision: "allow",
      scope: "always",
      tool: "functions.save",
      fingerprint: "f",
      isTainted: false,
    } as const;
    await store.remember(answer);
    await store.remember({ ...answer, decision: "deny" });
    const other = new FilePolicyStore(path);
    expect(await other.answers("functions.save")).toEqual([{ ...answer, decision: "deny" }]);
    expect((await other.allTrusted()).map(({ name }) => name)).toEqual([
      "functions.read",
      "functions.save",
    ]);
    expect(await other.revoke("functions.save")).toBe(true);
    expect(await store.trusted("functions.save")).toBeNull();
    expect(await store.allAnswers()).toEqual([]);
    const [file = ""] = readdirSync(join(path, "tools"));
    writeFileSync(join(path, "tools", file), '{"name": "functions.read"}');
    await expect(store.trusted("functions.read")).rejects.toThrow(
      "it does not hold what was written there",
    );
  });
});

describe("a conversation from a file", () => {
  test("brings no answers: what its author allowed is asked here", async () => {
    const policy = await createPolicy();
    const session = answers({ decision: "allow", remember: "session", by: "user" });
    const thread = Thread.create();
    await run({ policy, approve: session.approve }, [call("write")], thread);
    const store = new MemoryThreadStore();
    const { threadId } = await importLog(store, await thread.entries());
    const imported = await Thread.open(store, threadId);
    expect(imported.state.answers).toEqual([]);
    expect((await run({ policy }, [call("write")], imported)).ran).toEqual([]);
    // The same file again is nothing new.
    const other = new MemoryThreadStore();
    await importLog(other, await thread.entries());
    expect((await importLog(other, await thread.entries())).isNew).toBe(false);
  });

  test("runs no call that waits in it", async () => {
    const policy = await createPolicy();
    const thread = Thread.create();
    await run({ policy, approve: "pause" }, [call("write")], thread);
    await thread.decide("item_0", "allowed", "user");
    const store = new MemoryThreadStore();
    const { threadId } = await importLog(store, await thread.entries());
    const { asked, approve } = answers("deny");
    const resumed = await run({ policy, approve }, [], await Thread.open(store, threadId), null);
    expect(asked).toHaveLength(1);
    expect(resumed.ran).toEqual([]);
  });
});

describe("arguments without measure", () => {
  const decide = async (rule: PolicyRule, given: unknown) => {
    const policy = await createPolicy({ rules: [rule], otherwise: "ask" });
    const { action } = await policy.decide({
      tool: save,
      name: "functions.save",
      arguments: given,
      taint: null,
      answers: [],
      needsApproval: async () => false,
    });
    return action;
  };
  const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
    let value: unknown = "/etc/passwd";
    for (let level = 0; level < depth; level++) value = wrap(value);
    return value;
  };

  test("are looked into as deep as they go", async () => {
    const lists = nested(40_000, (inner) => [inner]);
    expect(await decide({ action: "deny", paths: ["/etc"] }, lists)).toBe("deny");
    expect(await decide({ action: "deny", paths: ["/usr"] }, lists)).toBe("ask");
  });

  test("beyond what is looked at, a rule that denies applies, and one that allows does not", async () => {
    const wide = Array.from({ length: 60_000 }, (_, at) => `out/${at}`);
    expect(await decide({ action: "deny", paths: ["/etc"] }, wide)).toBe("deny");
    expect(await decide({ action: "allow", paths: ["./out"] }, wide)).toBe("ask");
    // Parts of one another: short together, very long as texts.
    const objects = nested(20_000, (a) => ({ a }));
    const pattern = { "/**/a": { glob: "no*" } };
    expect(await decide({ action: "deny", arguments: pattern }, objects)).toBe("deny");
    expect(await decide({ action: "allow", arguments: pattern }, objects)).toBe("ask");
  });
});
