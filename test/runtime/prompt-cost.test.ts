/** What prompts begin with, in tokens of o200k_harmony. */
import { describe, expect, test } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import { promptCost } from "../../runtime/agent/prompt-cost.ts";
import { HarmonyModel } from "../../runtime/model/harmony-model.ts";
import { createBrowserTools, defineTool, type Tool } from "../../tools/index.ts";
import { scriptedModel, tokenizer } from "./scripted-run.ts";

const CONTEXT = 131_072;
const date = "2026-01-31";
/** As the real one declares itself; it starts no process. */
const python: Tool = {
  recipient: "python",
  description: "",
  inputSchema: null,
  timeoutMs: 1000,
  execute: async () => "",
};
const tool = (n: number): Tool =>
  defineTool({ name: `f${n}`, description: "Does it. ".repeat(20), execute: () => "" }) as Tool;

describe("the beginning of a prompt", () => {
  test("with Python and the browser takes at most 1,500 tokens", async () => {
    const browser = await createBrowserTools({ docs: "test/fixtures/docs" });
    const { parts, total } = promptCost(tokenizer, CONTEXT, {
      tools: [python, ...browser.tools],
      date,
    });
    expect(total).toBeLessThanOrEqual(1500);
    expect(parts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "system system",
      "builtin python",
      "builtin browser",
    ]);
    await Promise.all(browser.tools.map((one) => one.close?.()));
  });

  test.each([0, 1, 3, 60])(
    "is the sum of its parts, and what a model reads: %i functions",
    async (count) => {
      const tools = [python, ...Array.from({ length: count }, (_, n) => tool(n))];
      const options = { tools, date, instructions: "Be brief.", toolTokenBudget: 1000 };
      const { parts, total } = promptCost(tokenizer, CONTEXT, options);
      const told = parts.reduce((sum, part) => sum + (part.isDeferred ? 0 : part.tokens), 0);
      expect(told).toBe(total);
      expect(parts.every(({ tokens }) => tokens > 0)).toBe(true);
      expect(parts.some(({ isDeferred }) => isDeferred)).toBe(count === 60);
      expect(parts.some(({ name }) => name === "functions.tool_search")).toBe(count === 60);

      const { model, engine } = scriptedModel(["<|channel|>final<|message|>Yes.<|return|>"]);
      expect(model).toBeInstanceOf(HarmonyModel);
      const agent = new Agent({ model, ...options });
      await agent.run(agent.thread(), "?").result;
      const prompt = tokenizer.decode(engine.requests[0]?.tokens ?? []);
      const opening = prompt.slice(0, prompt.indexOf("<|start|>user"));
      expect(tokenizer.encodeWithSpecials(opening)).toHaveLength(total);
    },
  );
});
