/** A log as a timeline, and as a file that needs nothing and does nothing. */
import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { Thread } from "../../../runtime/thread/thread.ts";
import { messageTokens, traceFile, traceOf, turnsOfLog } from "../../../runtime/tracing/index.ts";
import { defineTool } from "../../../tools/index.ts";
import { scriptedRun, tokenizer } from "../scripted-run.ts";

const HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp \u001b[31m";

const tool = defineTool({
  name: "look",
  description: "Looks.",
  parameters: { type: "object" },
  execute: () => HOSTILE,
});

async function recorded(): Promise<{ thread: Thread; events: readonly object[] }> {
  const thread = Thread.create();
  const { events } = await scriptedRun(
    [
      "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.look <|constrain|>json<|message|>{}<|call|>",
      `<|channel|>final<|message|>${HOSTILE} 東京🦊<|return|>`,
    ],
    { thread, tools: [tool], prompt: HOSTILE },
  );
  return { thread, events };
}

test("steps and calls in their order, with their tokens and times", async () => {
  const { thread } = await recorded();
  const [turn] = traceOf(await thread.entries()).turns;
  expect(turn).toMatchObject({ question: HOSTILE, status: "completed", effort: "medium", seed: 1 });
  expect(turn?.parts.map((part) => part.type)).toEqual(["step", "call", "step"]);
  const [first, call, last] = turn?.parts ?? [];
  expect(first).toMatchObject({
    wrote: ["reasoning", "call functions.look"],
    usage: { cachedTokens: 0 },
  });
  expect(call).toMatchObject({ tool: "functions.look", status: "completed" });
  // The second prompt begins with the first.
  expect(last?.type === "step" && last.usage.cachedTokens).toBeGreaterThan(50);
  expect(turn?.messages.map(({ role, isSampled }) => [role, isSampled])).toEqual([
    ["system", false],
    ["developer", false],
    ["user", false],
    ["assistant", true],
    ["assistant", true],
    ["tool", false],
    ["assistant", true],
  ]);
});

test("the tokens of a message are those that were sampled, and say its text", async () => {
  const { thread } = await recorded();
  const of = messageTokens(await thread.entries(), tokenizer);
  const answer = of(0, 6) ?? [];
  const ids = answer.map(({ id }) => id);
  expect(tokenizer.decode(ids)).toContain("東京🦊");
  expect(ids.at(-1)).toBe(tokenizer.special.return);
  expect(answer.filter(({ isSpecial }) => isSpecial).map(({ text }) => text)).toEqual([
    "<|start|>",
    "<|channel|>",
    "<|message|>",
    "<|return|>",
  ]);
  expect(of(0, 7)).toBeNull();
  expect(of(1, 0)).toBeNull();
  expect(of(-1, 0)).toBeNull();
});

test("the events of a log are those that were told, without what is only live", async () => {
  const { thread, events } = await recorded();
  const [turn] = turnsOfLog(await thread.entries());
  const live = new Set(["item.delta", "item.started", "tool.progress"]);
  const kept = (list: readonly object[]): object[] =>
    list.filter((event) => !live.has((event as { type: string }).type));
  expect(kept(turn?.events ?? [])).toEqual(expect.arrayContaining(kept(events).slice(-3)));
});

test("the file is whole, fetches nothing, runs nothing, and shows what hostile text is", async () => {
  const { thread } = await recorded();
  const html = traceFile(await thread.entries(), tokenizer);
  const { document } = parseHTML(html);
  expect(
    document.querySelectorAll("script, img, iframe, link, object, embed, form, base"),
  ).toHaveLength(0);
  for (const element of document.querySelectorAll("*")) {
    for (const { name } of element.attributes) expect(name).not.toMatch(/^on|^style$|^src|^href$/);
  }
  const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]');
  expect(policy?.getAttribute("content")).toMatch(
    /^default-src 'none'; style-src 'sha256-[\w+/=]+'/,
  );
  const text = document.body.textContent ?? "";
  expect(text).toContain("<script>alert(1)</script>");
  expect(text).toContain("<U+202E>gnp ␛[31m");
  expect(text).toContain("200002");
  expect(html).not.toContain("\u202e");
  expect(html).not.toContain("\u001b");
  expect(html).toMatch(/^<!doctype html>\n<html lang="en"><head><meta charset="utf-8"/);
});

test("a conversation that is not over, and one without a turn", async () => {
  const { thread } = await recorded();
  const entries = await thread.entries();
  const open = traceOf(entries.slice(0, 3));
  expect(open.turns[0]).toMatchObject({ status: "open", timing: null, error: null });
  expect(traceFile(entries.slice(0, 3), null)).toContain("open");
  expect(traceOf(entries.slice(0, 1)).turns).toEqual([]);
});
