import { expect, test, vi } from "vitest";
import { Output } from "../../runtime/cli/output.ts";
import { watchRun } from "../../runtime/cli/watch.ts";
import type { Annotation, RunEvent } from "../../runtime/events.ts";
import { FootnoteWriter, resolveCitations } from "../../runtime/index.ts";
import { madeSources } from "../runtime/citations/sources.ts";

const sources = madeSources([
  { url: "", kind: "search", lines: ["hits"] },
  { url: "a.md", title: "A", lines: ["one", "", "open at 11"] },
]);

/** What stdout has after an answer in two deltas and the end of the run. */
function printed(
  first: string,
  second: string,
  options: { holdAnswer: boolean },
  annotations?: readonly Annotation[],
): string {
  let stdout = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  const text = first + second;
  const item = { id: "i", type: "agent_message", text: "", phase: "final_answer" } as const;
  const delta = { type: "item.delta", item_id: "i", channel: "final" } as const;
  const usage = {
    input_tokens: 1,
    cached_input_tokens: 0,
    cache_write_input_tokens: 1,
    output_tokens: 1,
    reasoning_output_tokens: 0,
  };
  const timing = {
    total_ms: 1,
    first_token_ms: 1,
    prefill_ms: 1,
    decode_ms: 1,
    tools_ms: 0,
    decode_tokens_per_second: 1,
  };
  const events: RunEvent[] = [
    { type: "item.started", item },
    { ...delta, text: first },
    { ...delta, text: second },
    { type: "item.completed", item: { ...item, text, ...(annotations && { annotations }) } },
    { type: "run.completed", status: "completed", output: text, usage, timing },
  ];
  try {
    const listener = watchRun(new Output("never", {}), {
      ...options,
      footnotes: options.holdAnswer ? undefined : () => new FootnoteWriter(() => sources),
    });
    for (const event of events) void listener(event);
  } finally {
    spy.mockRestore();
  }
  return stdout;
}

test("stdout has the answer once, with footnotes; held for a schema, as it was checked", () => {
  expect(printed("Open【1†", "L2】.", { holdAnswer: false })).toBe(
    "Open [1].\n\n[1] A, a.md, line 2: “open at 11”\n",
  );
  expect(printed("Open【1†", "L2", { holdAnswer: false })).toBe("Open【1†L2\n");
  expect(printed('"【1†', 'L2】"', { holdAnswer: true })).toBe('"【1†L2】"\n');
});

test("what does not hold is marked", () => {
  expect(printed("Open【1†L9】, ", "free【7†L1】.", { holdAnswer: false })).toBe(
    "Open [1?], free [2?].\n\n" +
      "[1?] Does not hold: line 9 of page 1: its last line is 2.\n" +
      "[2?] Does not hold: page 7 was never shown (those from 0 to 1 were).\n",
  );
});

test("what the lines do not say is marked once that is known", () => {
  const text = "Open at 12【1†L2】.";
  const annotations = resolveCitations(text, sources).map((annotation) => ({
    ...annotation,
    ...(annotation.type === "url_citation" && {
      support: "unsupported" as const,
      missing: ["12"],
    }),
  }));
  expect(printed("Open at 12【1†", "L2】.", { holdAnswer: false }, annotations)).toBe(
    "Open at 12 [1].\n\n[1?] A, a.md, line 2: “open at 11” Not supported: 12 is not there.\n",
  );
});
