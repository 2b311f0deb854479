/** Citations of real runs: in the events, in the result, in the log, as Markdown. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { exportMarkdown, messagesOfMarkdown } from "../../../runtime/thread/markdown.ts";
import { createBrowserTools } from "../../../tools/index.ts";
import { itemsOf, scriptedRun } from "../scripted-run.ts";
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
