/** What was computed for a conversation is found again, though each request brings the whole of it. */
import { expect, test } from "vitest";
import { loadModel } from "../../../runtime/index.ts";
import { serve } from "./serve.ts";

type Message = { role: string; content: string; reasoning?: string };

test("a next request computes only new tokens, also between those of other conversations", async () => {
  await using server = await serve([], {
    source: {
      defaultContext: () => 4096,
      open: async () => loadModel(undefined, { maxSessions: 2 }),
    },
  });
  const ask = async (
    messages: readonly Message[],
  ): Promise<{ answer: Message; cached: number; promptTokens: number }> => {
    const response = await server.post("/v1/chat/completions", {
      model: "gpt-oss:20b",
      messages,
      temperature: 0,
    });
    const { choices, usage } = (await response.json()) as {
      choices: { message: Message }[];
      usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    };
    const cached = usage.prompt_tokens_details.cached_tokens;
    const answer = choices[0]?.message as Message;
    return {
      answer,
      cached,
      promptTokens: usage.prompt_tokens,
    };
  };
  const topics = ["What can you do?", "Who are you?"];
  const conversations: Message[][] = topics.map((content) => [{ role: "user", content }]);
  const before = new Map<Message[], number>();
  for (let turn = 0; turn < 3; turn++) {
    for (const messages of conversations) {
      const { answer, cached, promptTokens } = await ask(messages);
      // All but what the model writes next, which the format says without its thoughts then.
      if (turn > 0) expect(cached).toBeGreaterThanOrEqual((before.get(messages) ?? 0) - 2);
      before.set(messages, promptTokens);
      messages.push(answer, { role: "user", content: `And now? ${turn}` });
    }
  }
});
