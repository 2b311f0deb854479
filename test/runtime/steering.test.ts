/** What a user says in the middle of a turn. */
import { expect, test } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { ScriptedModel, type ScriptedStep } from "../../runtime/model/scripted-model.ts";
import { textOf } from "../../runtime/options.ts";
import { fold } from "../../runtime/thread/fold.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool } from "../../tools/index.ts";

const look = defineTool({ name: "look", description: "", execute: () => "nothing" });
const callsLook: ScriptedStep = [{ recipient: "functions.look", text: "{}" }];

/** Runs one turn in which the user says `said` when the run asks for the `at`th time. */
async function steered(
  steps: readonly ScriptedStep[],
  { at, maxSteps = 5, said = "Make it short." }: { at: number; maxSteps?: number; said?: string },
) {
  const model = new ScriptedModel(steps);
  const thread = Thread.create();
  const events: RunEvent[] = [];
  let asked = 0;
  const run = new Agent({ model, tools: [look], maxSteps }).run(thread, "Hello", {
    steering: () => (asked++ === at ? said : null),
    onEvent: (event) => void events.push(event),
  });
  const result = await run.result;
  const prompts = model.requests.map(({ transcript }) => {
    return transcript.map(({ message }) => textOf(message));
  });
  return { result, prompts, events, thread };
}

test("is read in the next step of the same turn, behind the result of a call", async () => {
  const { result, prompts, events, thread } = await steered([callsLook, "Short."], { at: 1 });
  expect(result).toMatchObject({ status: "completed", output: "Short." });
  expect(prompts).toEqual([["Hello"], ["Hello", "{}", "nothing", "Make it short."]]);
  expect(events).toContainEqual({ type: "turn.steered", text: "Make it short." });
  const entries = await thread.entries();
  expect(entries.map(({ type }) => type)).toEqual([
    ...["thread", "user", "sampled", "call", "result", "steered", "sampled", "ended"],
  ]);
  expect(fold(entries)).toEqual(thread.state);
  expect(thread.state.turns).toBe(1);
});

test("behind an answer keeps the turn open for another one", async () => {
  const { result, prompts } = await steered(["A long answer.", "Short."], { at: 1 });
  expect(result).toMatchObject({ status: "completed", output: "Short." });
  expect(prompts[1]).toEqual(["Hello", "A long answer.", "Make it short."]);
});

test("is not asked for where no step can follow", async () => {
  const { result, prompts } = await steered(["The answer."], { at: 1, maxSteps: 1 });
  expect(result).toMatchObject({ status: "completed", output: "The answer." });
  expect(prompts).toHaveLength(1);
});

test("cannot come while a call waits for its result", async () => {
  const { thread } = await steered([callsLook, "x"], { at: 9 });
  const entries = await thread.entries();
  const upToCall = entries.slice(0, 4);
  const message = { role: "user", content: [{ type: "text", text: "Stop." }] } as const;
  const misplaced = { type: "steered", messages: [message], seq: 4, at: "" } as const;
  expect(() => fold([...upToCall, misplaced])).toThrow("a call has no result");
});
