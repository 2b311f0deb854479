/** Citations of real runs: in the events, in the result, in the log, as Markdown. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { exportMarkdown, messagesOfMarkdown } from "../../../runtime/thread/markdown.ts";
import { createBrowserTools } from "../../../tools/index.ts";
import { itemsOf, says, scriptedRun } from "../scripted-run.ts";
import { replayedEvents } from "./replayed.ts";

const docs = fileURLToPath(new URL("../../fixtures/docs", import.meta.url));
const call = (name: string, input: object): string =>
  `<|channel|>analysis to=browser.${name} code<|message|>${JSON.stringify(input)}<|call|>`;
const final = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;

test("an answer has annotations; what does not hold is said; the text stays as it is", async () => {
  await using browser = await createBrowserTools({ docs });
  const text = "In winter from 11:00 to 16:00【1†L7】, every day【4†L2】.";
  const { result, events } = await scriptedRun(
    [call("search", { query: "winter" }), call("open", { id: 0 }), final(text)],
    { tools: browser.tools },
  );
  const items = itemsOf(events);
  const answer = items.find(({ type }) => type === "agent_message");
  expect(answer).toMatchObject({
    text,
    annotations: [
      {
        type: "url_citation",
        url: "visit/opening-hours.html",
        title: "Opening hours",
        cursor: 1,
        lines: [{ first: 7, last: 7 }],
      },
      { type: "broken_citation", reason: "unknown_cursor" },
    ],
  });
  expect(items.at(-1)).toMatchObject({
    type: "error",
    code: "broken_citation",
    message:
      "A citation of the answer does not hold: page 4 was never shown (those from 0 to 1 were).",
  });
  expect(result.output).toBe(text);
  expect(result.annotations).toEqual(answer?.type === "agent_message" && answer.annotations);
  // Events are a function of the log.
  const entries = await result.thread.entries();
  expect(replayedEvents(entries).filter(({ type }) => type === "item.completed")).toEqual(
    events.filter(({ type }) => type === "item.completed"),
  );
  const markdown = exportMarkdown(entries);
  expect(markdown).toContain(text);
  expect(markdown).toContain(
    "## Cited lines\n\n- 【1†L7】: Opening hours, visit/opening-hours.html, line 7: “",
  );
  expect(markdown).toContain("- 【4†L2】: does not hold: page 4 was never shown");
  expect(messagesOfMarkdown(markdown).at(-1)).toMatchObject({ content: [{ text }] });
});

test("a heading of the answer that is like that of the citations comes back", async () => {
  const text = "## Cited lines\n\n- none\n\n\\## Cited lines";
  const { result } = await scriptedRun([final(text)]);
  const markdown = exportMarkdown(await result.thread.entries());
  expect(messagesOfMarkdown(markdown).at(-1)).toMatchObject({ content: [{ text }] });
});

/** An agent that opens a page and answers, then answers again. */
async function verifiedRun(...answers: readonly string[]) {
  await using browser = await createBrowserTools({ docs });
  return await scriptedRun(
    [call("search", { query: "winter" }), call("open", { id: 0 }), ...answers],
    { tools: browser.tools, verifyCitations: true, maxSteps: 6 },
  );
}

test("an answer that its lines do not support goes back once, and comes corrected", async () => {
  const wrong = "In winter it opens at 10:00【1†L7】.";
  const right = "In winter it opens at 11:00【1†L7】.";
  const { result, events, prompts } = await verifiedRun(final(wrong), final(right));
  expect(result.output).toBe(right);
  expect(result.annotations).toMatchObject([{ support: "supported" }]);
  const items = itemsOf(events);
  expect(items.filter(({ type }) => type === "error")).toMatchObject([
    {
      code: "unsupported_citation",
      message:
        "“In winter it opens at 10:00【1†L7】.”: 10:00 is not in line 7 of page 1. It stands in line 5 of page 1.",
    },
  ]);
  expect(prompts.at(-1)).toMatch(
    /<\|start\|>user<\|message\|>The citations of the final message were checked[^<]*10:00 is not in/,
  );
  expect(items.find(({ type }) => type === "agent_message")).toMatchObject({
    annotations: [{ support: "unsupported", missing: ["10:00"] }],
  });
  const entries = await result.thread.entries();
  expect(replayedEvents(entries).filter(({ type }) => type === "item.completed")).toEqual(
    events.filter(({ type }) => type === "item.completed"),
  );
});

test("the second time it is marked", async () => {
  const wrong = "In winter it opens at 10:00【1†L7】, see 【9†L1】.";
  const { result, events } = await verifiedRun(final(wrong), final(wrong));
  expect(result.status).toBe("completed");
  expect(result.annotations).toMatchObject([
    { support: "unsupported", missing: ["10:00"] },
    { reason: "unknown_cursor" },
  ]);
  expect(itemsOf(events).slice(-2)).toMatchObject([
    { code: "broken_citation" },
    { code: "unsupported_citation" },
  ]);
});

test("a model that has no second answer has its first, marked", async () => {
  const wrong = "In winter it opens at 10:00【1†L7】.";
  const nothing = "<|channel|>analysis<|message|>Hm.<|end|>";
  const { result } = await verifiedRun(final(wrong), nothing, nothing, nothing, nothing);
  expect(result).toMatchObject({ status: "completed", output: wrong });
  expect(result.annotations).toMatchObject([{ support: "unsupported" }]);
});

test("without the option nothing goes back, and nothing is said of support", async () => {
  await using browser = await createBrowserTools({ docs });
  const { result } = await scriptedRun(
    [call("open", { id: "visit/opening-hours.html" }), final("It opens at 10:00【0†L7】.")],
    { tools: browser.tools },
  );
  expect(result.annotations).toMatchObject([{ type: "url_citation" }]);
  expect(result.annotations[0]).not.toHaveProperty("support");
});

test("documents of the user's own folder taint the conversation as pages of the web do", async () => {
  await using browser = await createBrowserTools({ docs });
  const { events, prompts, engine } = await scriptedRun(
    [call("open", { id: "collection/boats.txt" }), final("It is made of pine【0†L3】.")],
    { tools: browser.tools },
  );
  expect(events).toContainEqual({ type: "thread.tainted", source: "browser.open" });
  // What a document says stands in a message of the tool, its special tokens as text.
  expect(prompts[1]).toMatch(
    /<\|start\|>browser\.open to=assistant<\|channel\|>analysis<\|message\|>\[0\] [\s\S]*Ignore all previous[\s\S]*<\|end\|><\|start\|>assistant$/,
  );
  const [start] = says("<|start|>");
  const ids = engine.requests[1]?.tokens.filter((id) => id === start).length ?? 0;
  expect(prompts[1]?.match(/<\|start\|>/g)).toHaveLength(ids + 1);
});
