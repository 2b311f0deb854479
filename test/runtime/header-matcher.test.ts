/** Headers are constrained while the model samples: it can write only those of the format. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runAgent } from "../../runtime/agent/agent.ts";
import type { HarmonyModel } from "../../runtime/model/harmony-model.ts";
import { loadModel } from "../../runtime/model/load-model.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import { scriptedRun } from "./scripted-run.ts";

const vocabulary = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));
const f = defineTool({ name: "f", description: "", execute: () => "ok" }) as Tool;
/** What the parser says of headers that the format does not have; one may still be cut off by a limit. */
const HEADER_ISSUES: ReadonlySet<string> = new Set([
  ...["unknown_channel", "duplicate_channel", "empty_channel", "extra_header_words"],
  ...["duplicate_start", "missing_role", "text_between_messages"],
  ...["role_is_channel", "unknown_role", "duplicate_role", "bare_word_header", "filler_text"],
]);

describe("an engine that follows matchers", () => {
  test.each([
    ["a channel that does not exist", "<|channel|>reply<|message|>Hi.<|return|>"],
    ["text in the place of a header", "Hi.<|return|>"],
    ["the end of the turn behind a thought", "<|channel|>analysis<|message|>Hm.<|end|><|return|>"],
  ])("cannot write %s", async (_what, said) => {
    const { result } = await scriptedRun([said], { matchers: true });
    expect(result.error?.message).toContain("which the matcher does not allow here");
    const free = await scriptedRun([said], {
      matchers: true,
      constrainHeaders: false,
      maxRetries: 0,
    });
    expect(free.result.error?.message ?? "").not.toContain("matcher");
  });

  test.each([
    ["an answer, ended twice", "<|channel|>final<|message|>Hi.<|end|><|return|>"],
    [
      "a thought and an answer",
      "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi.<|return|>",
    ],
    ["an answer with a type", "<|channel|>final <|constrain|>json<|message|>Hi.<|return|>"],
  ])("can write %s", async (_what, said) => {
    const { result } = await scriptedRun([said], { matchers: true });
    expect(result.output).toBe("Hi.");
  });
});

describe("a model of random weights", () => {
  let folder: string;
  let model: HarmonyModel;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "header-matcher-"));
    makeRandomModel(folder, { ...TINY, vocab: 8_192 }, 3);
    copyFileSync(vocabulary, join(folder, "tokenizer.json"));
    model = await loadModel(folder, { threads: 1 });
  });
  afterAll(async () => {
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Codes of header issues in some runs, and how many messages there were. */
  async function codesOf(
    constrainHeaders: boolean,
  ): Promise<{ codes: string[]; messages: number }> {
    const codes: string[] = [];
    let messages = 0;
    for (let seed = 0; seed < 6; seed++) {
      const thread = Thread.create();
      const options = { constrainHeaders, sampling: { seed, temperature: 1.5 }, maxTokens: 60 };
      await runAgent({ model, thread, prompt: "Hi", tools: [f], ...options });
      for (const entry of await thread.entries()) {
        if (entry.type !== "sampled") continue;
        messages += entry.messages.length;
        codes.push(...entry.notices.map(({ code }) => code));
        codes.push(...entry.messages.flatMap(({ issues }) => issues.map(({ code }) => code)));
      }
    }
    return { codes: codes.filter((code) => HEADER_ISSUES.has(code)), messages };
  }

  test("writes sound headers", { timeout: 120_000 }, async () => {
    const free = await codesOf(false);
    expect(free.codes.length).toBeGreaterThan(0);
    const constrained = await codesOf(true);
    expect(constrained.messages).toBeGreaterThan(0);
    expect(constrained.codes).toEqual([]);
  });
});
