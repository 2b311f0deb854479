/** A thread that goes on in the place of another. */
import { expect, test } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import { loadModel } from "../../runtime/model/load-model.ts";
import { Thread } from "../../runtime/thread/thread.ts";

test("finds what was computed for the one before, where it is handed over", async () => {
  await using model = await loadModel();
  const agent = new Agent({ model, sampling: { temperature: 0 }, date: "2026-01-31" });
  const cached = async (isHandedOver: boolean): Promise<number> => {
    const thread = Thread.create();
    await agent.run(thread, "What can you do?").result;
    // As `/retry` does: back to before the turn, and the same question again.
    const fork = await thread.fork(1);
    if (isHandedOver) model.handOver(thread.id, fork.id);
    await agent.run(fork, "What can you do?").result;
    expect(fork.state.usage.input_tokens).toBeGreaterThan(50);
    return fork.state.usage.cached_input_tokens;
  };
  // Whole pages of the KV cache are there for any conversation that begins alike.
  const shared = await cached(false);
  expect(shared).toBeGreaterThan(50);
  expect(await cached(true)).toBeGreaterThan(shared);
});
