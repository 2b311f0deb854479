/** A model that reasons too long is made to go on; rows without a meaning are never sampled. */
import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../runtime/events.ts";
import { sampleableIds } from "../../runtime/model/sampleable-ids.ts";
import { itemsOf, scriptedRun, tokenizer } from "./scripted-run.ts";

type Limited = Extract<RunEvent, { type: "generation.reasoning_limited" }>;
const limits = (events: readonly RunEvent[]): Limited[] =>
  events.filter((event) => event.type === "generation.reasoning_limited");

const { end, start, channel, message } = tokenizer.special;
const THINKS = "<|channel|>analysis<|message|>one two three four five six seven";
const ANSWERS = "<|start|>assistant<|channel|>final<|message|>Yes.<|return|>";

describe("reasoning", () => {
  test("is ended after so many tokens, and the model goes on behind it", async () => {
    const { result, events, engine, prompts } = await scriptedRun([THINKS, ANSWERS], {
      maxReasoningTokens: 3,
    });
    expect(result.output).toBe("Yes.");
    expect(limits(events)).toEqual([
      { type: "generation.reasoning_limited", reason: "limit", limit: 3, forced_ids: [end] },
    ]);
    expect(itemsOf(events)).toEqual([
      { id: "item_0", type: "reasoning", text: "one two three" },
      { id: "item_1", type: "agent_message", text: "Yes.", phase: "final_answer" },
    ]);
    expect(engine.requests.length).toBe(2);
    expect(prompts[1]).toBe(`${prompts[0]}<|channel|>analysis<|message|>one two three<|end|>`);
    // One sampling of the model, as far as events go: what was forced does not count as sampled.
    const completed = events.filter(({ type }) => type === "generation.completed");
    expect(completed).toMatchObject([{ finish_reason: "stop", output_tokens: 6 + 8 }]);
    expect(result.messages.slice(1).map((said) => said.channel)).toEqual(["analysis", "final"]);
  });

  test("that begins again is ended at once, with the header of an answer", async () => {
    const again = `<|start|>assistant${THINKS}`;
    const { result, events } = await scriptedRun([THINKS, again, "Fine.<|return|>"], {
      maxReasoningTokens: 2,
    });
    expect(result.output).toBe("Fine.");
    const header = [start, ...tokenizer.encode("assistant"), channel, ...tokenizer.encode("final")];
    expect(limits(events).map((event) => event.forced_ids)).toEqual([
      [end],
      [end, ...header, message],
    ]);
  });

  test("none at all: the analysis is ended where it begins", async () => {
    const { result, events } = await scriptedRun([THINKS, ANSWERS], { maxReasoningTokens: 0 });
    expect(result.output).toBe("Yes.");
    // A thought without a word is no item.
    expect(itemsOf(events)).toMatchObject([{ type: "agent_message", text: "Yes." }]);
  });

  const thinksAndCalls =
    "<|channel|>analysis<|message|>one two<|end|><|start|>assistant<|channel|>commentary " +
    "to=functions.none <|constrain|>json<|message|>{}<|call|>";
  const thinksAndAnswers = `<|channel|>analysis<|message|>one two<|end|>${ANSWERS}`;

  test("within the limit is left alone", async () => {
    const { result, events } = await scriptedRun([thinksAndCalls, thinksAndAnswers], {
      maxReasoningTokens: 12,
    });
    expect(result.output).toBe("Yes.");
    expect(result.usage.reasoning_output_tokens).toBe(12);
    expect(limits(events)).toEqual([]);
  });

  test("counts over all steps of a turn: what the first used up, the second does not have", async () => {
    const { result, events } = await scriptedRun([thinksAndCalls, THINKS, ANSWERS], {
      maxReasoningTokens: 6,
    });
    expect(result.output).toBe("Yes.");
    expect(limits(events)).toMatchObject([{ limit: 0, forced_ids: [end] }]);
    expect(events.filter(({ type }) => type === "budget")).toEqual([
      { type: "budget", budget: "reasoning_tokens", state: "used_up", used: 6, limit: 6 },
    ]);
  });
});

describe("a thought that goes round", () => {
  const circle = "we should check the weather again and then ".repeat(300);

  const thinks = `<|channel|>analysis<|message|>First, the weather. ${circle}`;
  const cutBacks = (events: readonly RunEvent[]): RunEvent[] =>
    events.filter(({ type }) => type === "loop.cut_back");

  test("is cut back to one round of it, and the model goes on with a hint", async () => {
    const answer = "<|channel|>final<|message|>Yes.<|return|>";
    const { result, events, prompts, engine } = await scriptedRun([thinks, answer], {
      contextLength: 16_384,
    });
    expect(result.output).toBe("Yes.");
    expect(cutBacks(events)).toEqual([
      { type: "loop.cut_back", reason: "circling_thought", kept_messages: 1 },
    ]);
    expect(result.usage.output_tokens).toBeLessThan(500);
    const kept = "<|channel|>analysis<|message|>First, the weather. we should check";
    const behind = prompts[1]?.slice(prompts[0]?.length ?? 0) ?? "";
    expect(behind.startsWith(kept)).toBe(true);
    expect(behind.match(/weather again/g)).toHaveLength(1);
    expect(behind).toMatch(/went in circles.*<\|end\|><\|start\|>assistant$/);
    // What was computed of the thought up to there is not computed again.
    const [first, second] = engine.requests.map(({ tokens }) => tokens);
    const completed = events.filter((event) => event.type === "generation.completed");
    const beforeThought = first?.length ?? 0;
    expect(completed[1]?.cached_input_tokens).toBeGreaterThan(beforeThought + 8);
    expect(completed[1]?.input_tokens).toBe(second?.length);
  });

  test("a third time ends the turn with a reason, never as completed", async () => {
    const { result, events } = await scriptedRun([thinks, thinks, thinks], {
      contextLength: 16_384,
    });
    expect(cutBacks(events)).toHaveLength(2);
    expect(result).toMatchObject({ status: "failed", error: { code: "CHORALE_LOOP" } });
  });

  test.each([
    [
      "a table",
      Array.from({ length: 200 }, (_, row) => `| ${row} | ${row * 7} | open |`).join("\n"),
    ],
    ["a list of numbers", Array.from({ length: 500 }, (_, n) => n).join(", ")],
    ["a line that comes a few times", "for x in xs:\n    print(x)\n".repeat(12)],
  ])("is not %s", async (_what, text) => {
    const thought = `<|channel|>analysis<|message|>${text}<|end|>${ANSWERS}`;
    const { events } = await scriptedRun([thought]);
    expect(cutBacks(events)).toEqual([]);
    const answer = `<|channel|>final<|message|>${circle}<|return|>`;
    expect(cutBacks((await scriptedRun([answer])).events)).toEqual([]);
  });
});

test("only ids with a meaning are sampled, and penalties leave the format alone", async () => {
  const { engine } = await scriptedRun([ANSWERS.replace("<|start|>assistant", "")]);
  const bits = engine.requests[0]?.options.sampleableIds ?? expect.unreachable();
  const has = (id: number): boolean => ((bits[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
  expect(has(0) && has(199_997) && has(end) && has(tokenizer.special.call)).toBe(true);
  // <|startoftext|>, <|reserved_200000|>, the last reserved token, and rows beyond the vocabulary.
  for (const id of [199_998, 200_000, 200_013, 201_087]) expect(has(id), `${id}`).toBe(false);
  expect(sampleableIds(tokenizer, 201_088)).toBe(bits);
  expect(engine.requests[0]?.options.sampling.unpenalisedIds).toContain(channel);
});
