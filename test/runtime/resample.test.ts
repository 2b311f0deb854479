/** Headers that go wrong are taken back and sampled again, with a scripted and with a real engine. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { ScriptedReply } from "../../inference/index.ts";
import { runAgent } from "../../runtime/agent.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { loadModel } from "../../runtime/model.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import { itemsOf, type ScriptedRun, says, scriptedRun, tokenizer } from "./scripted-run.ts";

type Resampled = Extract<RunEvent, { type: "generation.resampled" }>;
const resamplings = (events: readonly RunEvent[]): Resampled[] =>
  events.filter((event) => event.type === "generation.resampled");

const careful = (
  replies: readonly (string | ScriptedReply)[],
  headers?: number,
): Promise<ScriptedRun> =>
  scriptedRun(replies, {
    bannedIds: true,
    ...(headers !== undefined && { resample: { headers } }),
  });

const idOf = (text: string): number => says(text)[0] ?? -1;

describe("a scripted engine", () => {
  test("goes back to the last good token and bans the wrong one", async () => {
    const { result, events, engine } = await careful([
      "<|channel|>??<|message|>never read",
      "final<|message|>Yes.<|return|>",
    ]);
    expect(result.output).toBe("Yes.");
    const [first, second] = engine.requests;
    expect(second?.tokens).toEqual([...(first?.tokens ?? []), tokenizer.special.channel]);
    expect(second?.options.bannedFirstIds).toEqual([idOf("??")]);
    expect(resamplings(events)).toEqual([
      {
        type: "generation.resampled",
        position: second?.tokens.length,
        sampled_id: idOf("??"),
        banned_ids: [idOf("??")],
        attempt: 1,
        reason: 'The header went wrong: "??" after "<|start|>assistant<|channel|>"',
      },
    ]);
    // Nothing of it is in the answer's issues or in the conversation, but it was computed.
    expect(itemsOf(events)).toEqual([
      { id: "item_0", type: "agent_message", text: "Yes.", phase: "final_answer" },
    ]);
    expect(events.find(({ type }) => type === "generation.completed")).toMatchObject({
      output_tokens: 7,
      resampled_tokens: 1,
    });
  });

  test("bans grow at one position and end with it", async () => {
    const { result, engine } = await careful([
      "I must refuse",
      "Sorry",
      "<|channel|>analysis<|message|>Hm.<|end|><|return|>",
      "<|start|>assistant<|channel|>final<|message|>No.<|return|>",
    ]);
    expect(result.output).toBe("No.");
    expect(engine.requests.map(({ options }) => options.bannedFirstIds)).toEqual([
      [],
      [idOf("I")],
      [idOf("I"), idOf("Sorry")],
      [tokenizer.special.return],
    ]);
  });

  test("when the attempts are used up, the model's own choice is recovered as ever", async () => {
    const { result, events } = await careful(
      [
        "I must",
        "Sorry",
        "No",
        "I must refuse.<|end|><|start|>assistant<|channel|>??",
        "final<|message|>No.<|return|>",
      ],
      2,
    );
    expect(result.output).toBe("No.");
    expect(resamplings(events).map(({ attempt, banned_ids }) => [attempt, banned_ids])).toEqual([
      [1, [idOf("I")]],
      [2, [idOf("I"), idOf("Sorry")]],
      [2, []],
      // The next header has its own attempts.
      [1, [idOf("??")]],
    ]);
  });

  test("0 turns it off, and an engine without bans never starts it", async () => {
    const reply = "<|channel|>final__Yes.<|return|>";
    for (const run of [await careful([reply], 0), await scriptedRun([reply])]) {
      expect(run.result.output).toBe("__Yes.");
      expect(resamplings(run.events)).toEqual([]);
    }
  });

  test("content is never taken back", async () => {
    const said = "A <|channel|> is written <|message|> and ?? too";
    const reply = [
      ...says("<|channel|>final<|message|>"),
      ...tokenizer.encode(said),
      ...says("<|return|>"),
    ];
    const { result, events } = await careful([reply]);
    expect(result.output).toBe(said);
    expect(resamplings(events)).toEqual([]);
  });

  test("what is taken back counts for the limit of tokens", async () => {
    const always: ScriptedReply = () => says("?? ?? ?? ??");
    const { result } = await scriptedRun([always, says("!!"), says("Hm"), says("Hm")], {
      bannedIds: true,
      maxTokens: 3,
    });
    expect(result.exitCode).toBe(4);
    expect(result.usage.output_tokens).toBe(3);
  });
});

describe("the real engine with random weights, greedy", () => {
  const root = mkdtempSync(join(tmpdir(), "resample-test-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("never repeats what is banned, is bounded, and does the same again", async () => {
    makeRandomModel(root, { ...TINY, vocab: 4104 }, 7);
    const vocabulary = new URL("../../inference/demo/tokenizer.json", import.meta.url);
    copyFileSync(fileURLToPath(vocabulary), join(root, "tokenizer.json"));
    const model = await loadModel(root, { threads: 1 });
    try {
      const recorded: Resampled[][] = [];
      for (let i = 0; i < 2; i++) {
        const events: RunEvent[] = [];
        const result = await runAgent({
          ...model,
          prompt: "Hi",
          date: "2026-01-31",
          sampling: { temperature: 0, seed: 1 },
          maxTokens: 120,
          resample: { headers: 3 },
          onEvent: (event) => void events.push(event),
        });
        expect([0, 1, 4, 7]).toContain(result.exitCode);
        recorded.push(resamplings(events));
      }
      const [steps = [], again] = recorded;
      expect(again).toEqual(steps);
      expect(steps.length).toBeGreaterThan(3);
      for (const [i, { banned_ids, position, attempt, sampled_id }] of steps.entries()) {
        expect(attempt).toBeLessThanOrEqual(3);
        expect(new Set(banned_ids).size).toBe(banned_ids.length);
        const before = steps[i - 1];
        if (before?.position === position) expect(before.banned_ids).not.toContain(sampled_id);
      }
    } finally {
      await model.close();
    }
  });
});
