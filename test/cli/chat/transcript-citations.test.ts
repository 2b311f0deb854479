import { expect, test } from "vitest";
import type { ChatScreen } from "../../../runtime/cli/chat/screen.ts";
import type { Component } from "../../../runtime/cli/chat/terminal-library.ts";
import { makeTheme } from "../../../runtime/cli/chat/theme.ts";
import { TranscriptView } from "../../../runtime/cli/chat/transcript-view.ts";
import { FootnoteWriter } from "../../../runtime/index.ts";
import { madeSources } from "../../runtime/citations/sources.ts";

const sources = madeSources([{ url: "a.md", title: "A", lines: ["open at 11"] }]);

test("answers of a chat have footnotes, those of earlier runs as well", () => {
  const committed: Component[] = [];
  const screen = { commit: (block: Component) => committed.push(block) } as unknown as ChatScreen;
  const view = new TranscriptView({
    screen,
    theme: makeTheme(false),
    folding: { reasoning: false, tools: false },
    renderer: () => null,
  });
  view.useFootnotes(() => new FootnoteWriter(() => sources));
  const item = { id: "i", type: "agent_message", text: "", phase: "final_answer" } as const;
  view.take({ type: "item.started", item });
  for (const text of ["Open at 11【0†", "L0】, free【9†L1】."]) {
    view.take({ type: "item.delta", item_id: "i", channel: "final", text });
  }
  view.take({
    type: "item.completed",
    item: { ...item, text: "Open at 11【0†L0】, free【9†L1】." },
  });
  view.take({ type: "item.completed", item: { ...item, id: "past", text: "At 11【0†L0】." } });
  const lines = committed.flatMap((block) => block.render(80)).filter((line) => line !== "");
  expect(lines).toEqual([
    "Open at 11 [1], free [2?].",
    "[1] A, a.md, line 0: “open at 11”",
    "[2?] Does not hold: page 9 was never shown (those from 0 to 0 were).",
    "At 11 [1].",
    "[1] A, a.md, line 0: “open at 11”",
  ]);
});
