import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { CitationRewriter, LONGEST_CITATION } from "../../runtime/cli/citation-rewriter.ts";
import { Output } from "../../runtime/cli/output.ts";
import { watchRun } from "../../runtime/cli/watch.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { normaliseCitations } from "../../tools/index.ts";

const page = { kind: "document", url: "a.md", title: "A", text: "", lines: [], links: [] } as const;
/** Cursors 0 … 9 are documents. */
const normalise = (text: string): string =>
  normaliseCitations(text, (cursor) => (cursor < 10 ? page : undefined)).text;

function rewrite(pieces: readonly string[]): { shown: string[]; text: string } {
  const rewriter = new CitationRewriter(normalise);
  const shown = [...pieces.map((piece) => rewriter.push(piece)), rewriter.end()];
  return { shown, text: shown.join("") };
}

test("a citation is held until it is whole, everything else passes at once", () => {
  expect(rewrite(["From 11", ":00【", "3†L", "5-L9", "】, daily", "."]).shown).toEqual([
    "From 11",
    ":00",
    "",
    "",
    " (a.md, lines 5–9), daily",
    ".",
    "",
  ]);
});

test("what is never closed, and what is too long for a citation, is shown as it is", () => {
  expect(rewrite(["So it is【3†L5", "-L9"]).shown).toEqual(["So it is", "", "【3†L5-L9"]);
  const endless = "x".repeat(LONGEST_CITATION);
  const { shown } = rewrite(["【", endless, "】 and【1†L2】"]);
  expect(shown).toEqual(["", `【${endless}`, "】 and (a.md, line 2)", ""]);
});

test("memory is bounded, whatever comes", () => {
  const rewriter = new CitationRewriter(normalise);
  let shown = 0;
  for (let given = 1; given <= 5_000; given++) {
    shown += rewriter.push(given % 300 === 0 ? "a" : "【").length;
    expect(given - shown).toBeLessThan(LONGEST_CITATION);
  }
});

test("the text is that of the whole answer, wherever it is cut", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "【",
      "】",
      "†",
      "1",
      "12",
      "†L3",
      "【1†L3-L4】",
      "【99†L1】",
      " ",
      "\n",
      "👩‍🚀",
      "word",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(fc.array(part, { maxLength: 6 }), { maxLength: 8 }), (parts) => {
      const pieces = parts.map((words) => words.join(""));
      const whole = pieces.join("");
      expect(rewrite(pieces).text).toBe(normalise(whole));
      expect(rewrite(whole.split("")).text).toBe(normalise(whole));
    }),
    { numRuns: 100 },
  );
});

/** What stdout has after an answer in two deltas and the end of the run. */
function printed(first: string, second: string, options: { holdAnswer: boolean }): string {
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
    { type: "item.completed", item: { ...item, text } },
    { type: "run.completed", status: "completed", output: text, usage, timing },
  ];
  try {
    const listener = watchRun(new Output("never", {}), {
      ...options,
      normaliseCitations: options.holdAnswer ? undefined : normalise,
    });
    for (const event of events) void listener(event);
  } finally {
    spy.mockRestore();
  }
  return stdout;
}

test("stdout has the answer once, with readable citations; held for a schema, as it was checked", () => {
  expect(printed("Open【1†", "L2】.", { holdAnswer: false })).toBe("Open (a.md, line 2).\n");
  expect(printed("Open【1†", "L2", { holdAnswer: false })).toBe("Open【1†L2\n");
  expect(printed('"【1†', 'L2】"', { holdAnswer: true })).toBe('"【1†L2】"\n');
});
