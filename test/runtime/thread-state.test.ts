/** What a tool leaves with a thread: its later calls get it, and no other tool's. */
import { expect, test } from "vitest";
import { toolStatesOf } from "../../runtime/thread/state.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { scriptedRun } from "./scripted-run.ts";

/** Counts its calls, and keeps nothing itself. */
const counter = (name: string): Tool =>
  defineTool({
    name,
    description: "Counts its calls.",
    execute: (_, { threadState = [] }) => ({
      text: `${name} was called ${threadState.length + 1} times`,
      threadState: { call: threadState.length + 1, at: new Map([["a", 1n]]) },
    }),
  });
const tools = [counter("one"), counter("two")];
const call = (name: string): string =>
  `<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>{}<|call|>`;
const final = "<|channel|>final<|message|>ok<|return|>";

test("is there in later turns, in another process and in a fork, each tool its own", async () => {
  const store = new MemoryThreadStore();
  const thread = Thread.create({ store });
  await scriptedRun([call("one"), call("two"), call("one"), final], { thread, tools });
  const middle = thread.state.length;
  const resumed = await Thread.open(store, thread.id);
  const { prompts } = await scriptedRun([call("one"), call("two"), final], {
    thread: resumed,
    tools,
  });
  expect(prompts[1]).toContain("one was called 3 times");
  expect(prompts[2]).toContain("two was called 2 times");
  // As JSON, whatever the tool handed over.
  expect(toolStatesOf(resumed.state, "functions.two")).toEqual([
    { call: 1, at: { a: "1" } },
    { call: 2, at: { a: "1" } },
  ]);
  const fork = await resumed.fork(middle);
  expect(toolStatesOf(fork.state, "functions.one")).toHaveLength(2);
  expect(toolStatesOf(fork.state, "functions.three")).toEqual([]);
});

test("is in the log, and in no event", async () => {
  const thread = Thread.create();
  const { events } = await scriptedRun([call("one"), final], { thread, tools });
  expect(JSON.stringify(events)).not.toContain("threadState");
  const results = (await thread.entries()).filter((entry) => entry.type === "result");
  expect(results).toMatchObject([{ threadState: { call: 1 } }]);
});
