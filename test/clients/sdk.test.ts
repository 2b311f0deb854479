/** Libraries of npm: each completes a tool turn with a program that is written as their own documents do. */
import { expect } from "vitest";
import {
  ANSWER,
  answers,
  type Client,
  clientTest,
  MODEL,
  type Script,
  THOUGHT,
  toolTurn,
} from "./client-test.ts";

const TURN = toolTurn("list_files", { folder: "." });
/** The question of the AI SDK's second request. */
const TURN_OR_OBJECT: Script = (prompt) =>
  prompt.includes("How many legs") ? answers('{"legs": 8}') : TURN(prompt);

/** What a program printed. */
async function printed(client: Client, name: string, ...args: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await client.program(name, client.server.url, ...args);
  expect(status, stderr + stdout).toBe(0);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

/** Behind the result of a call the model sees what it thought before it, also where the client did not send that back. */
function remembers({ promptsWith }: Client, times = 1): void {
  const behind = promptsWith("list_files").filter((text) => text.includes("to=assistant"));
  expect(behind).toHaveLength(times);
  for (const prompt of behind) {
    expect(prompt).toContain(`<|channel|>analysis<|message|>${THOUGHT}<|end|>`);
    expect(prompt).toMatch(/functions\.list_files to=assistant.*<\|message\|>.*notes\.md/);
  }
}

clientTest("openai", ["openai"], TURN, async (client) => {
  expect(await printed(client, "openai.js")).toEqual({
    plain: { reasoning: THOUGHT, arguments: '{"folder":"."}' },
    chat: ANSWER,
    trace: [{ type: "reasoning_text", text: THOUGHT }],
    responses: ANSWER,
    listed: [".", "."],
    error: { status: 404, code: "model_not_found", type: "not_found_error" },
    models: [MODEL],
  });
  remembers(client, 2);
});

clientTest("ollama", ["ollama"], TURN, async (client) => {
  expect(await printed(client, "ollama.js")).toEqual({
    answer: ANSWER,
    thinking: THOUGHT,
    listed: ["."],
    done: "stop",
    error: { text: "model 'none' not found", status: 404 },
    models: [MODEL],
    loaded: [MODEL],
  });
  remembers(client);
});

for (const api of ["responses", "chat_completions"]) {
  clientTest(
    `@openai/agents by ${api}`,
    ["@openai/agents", "openai", "zod"],
    TURN,
    async (client) => {
      expect(await printed(client, "agents.js", api)).toEqual({
        answer: ANSWER,
        listed: ["."],
        events: expect.arrayContaining(["reasoning_item_created", "tool_called", "tool_output"]),
      });
      remembers(client);
    },
  );
}

const AI_SDK = {
  openai: "@ai-sdk/openai",
  "openai-compatible": "@ai-sdk/openai-compatible",
  "open-responses": "@ai-sdk/open-responses",
  ollama: "ollama-ai-provider-v2",
};
for (const provider of Object.keys(AI_SDK)) {
  const packages = ["ai", "zod", ...Object.values(AI_SDK)];
  clientTest(`ai with the provider ${provider}`, packages, TURN_OR_OBJECT, async (client) => {
    expect(await printed(client, "ai-sdk.js", provider)).toMatchObject({
      answer: ANSWER,
      listed: ["."],
      parts: expect.arrayContaining(["tool-call", "tool-result", "finish"]),
      object: { legs: 8 },
    });
    remembers(client);
  });
}

for (const api of ["ollama", "chat", "responses"]) {
  const packages = ["@langchain/core", "@langchain/ollama", "@langchain/openai", "zod"];
  clientTest(`LangChain by ${api}`, packages, TURN, async (client) => {
    expect(await printed(client, "langchain.js", api)).toEqual({
      answer: ANSWER,
      calls: 1,
      listed: ["."],
    });
    remembers(client);
  });
}
