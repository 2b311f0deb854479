/** A conversation that is made shorter for the model, and what stays of it. */
import { describe, expect, test } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { HarmonyModel } from "../../runtime/model/harmony-model.ts";
import { conversationOf } from "../../runtime/thread/conversation.ts";
import { fold } from "../../runtime/thread/fold.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { scriptedModel } from "./scripted-run.ts";

const final = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;
const LONG = "Tell me about the rivers, and about each of the lakes beside them. ".repeat(12);

describe("a conversation that is summarised on request", () => {
  test("goes on with the summary; the log keeps what was said", async () => {
    const { model, engine } = scriptedModel([
      final("There are 24 rivers."),
      "24 rivers were named.<|return|>",
      final("24."),
    ]);
    const agent = new Agent({ model, date: "2026-01-31" });
    const thread = agent.thread();
    await agent.run(thread, LONG).result;
    const events: RunEvent[] = [];
    const compacted = await agent.compact(thread, { onEvent: (event) => void events.push(event) });
    expect(compacted).toMatchObject({ summary: "24 rivers were named." });
    expect(compacted?.tokensAfter).toBeLessThan(compacted?.tokensBefore ?? 0);
    expect(events).toMatchObject([
      { type: "compaction.started" },
      { type: "compaction.completed", kind: "summary", reason: "asked", replaced_messages: 2 },
    ]);
    await agent.run(thread, "How many?").result;
    const prompt = model.tokenizer.decode(engine.requests.at(-1)?.tokens ?? []);
    expect(prompt).toMatch(
      /final<\|message\|>24 rivers were named\.<\|end\|><\|start\|>user<\|message\|>How many\?/,
    );
    expect(prompt).not.toContain("each of the lakes");

    const entries = await thread.entries();
    expect(entries.find(({ type }) => type === "compaction")).toMatchObject({
      messages: 2,
      range: { fromSeq: 1, toSeq: 3 },
      summary: "24 rivers were named.",
      model: "scripted",
    });
    expect(fold(JSON.parse(JSON.stringify(entries)))).toEqual(thread.state);
    // People and exports read what was said.
    const said = conversationOf(entries).map(({ messages }) =>
      messages.map(({ message }) =>
        message.content.map((part) => "text" in part && part.text).join(""),
      ),
    );
    expect(said).toEqual([
      [LONG, "There are 24 rivers."],
      ["How many?", "24."],
    ]);
    // Its tokens are counted.
    expect(thread.state.usage.output_tokens).toBeGreaterThan(12);
  });

  test("is left as it is where there is nothing to summarise, or the summary is no shorter", async () => {
    const { model } = scriptedModel([final("Yes."), `${LONG}<|return|>`]);
    const agent = new Agent({ model });
    const thread = agent.thread();
    expect(await agent.compact(thread)).toBeNull();
    await agent.run(thread, "Yes?").result;
    expect(await agent.compact(thread)).toBeNull();
    expect((await thread.entries()).map(({ type }) => type)).not.toContain("compaction");
  });

  test("has to be between two turns", async () => {
    const { model } = scriptedModel([
      "<|channel|>commentary to=functions.mine <|constrain|>json<|message|>{}<|call|>",
    ]);
    const tool = { recipient: "functions.mine", description: "", inputSchema: {}, timeoutMs: 1 };
    const agent = new Agent({ model, tools: [tool] });
    const thread = agent.thread();
    await agent.run(thread, "Call it.").result;
    await expect(agent.compact(thread)).rejects.toThrow(/its last turn is not over/);
  });
});

test("a summary is written without the schema of the answer", async () => {
  const { model, engine } = scriptedModel([final('{"n":24}'), "They said 24.<|return|>"]);
  const thread = Thread.create();
  const output = { jsonSchema: { type: "object" } } as const;
  await new Agent({ model, output, instructions: "Be exact." }).run(thread, LONG).result;
  await new Agent({ model, output, instructions: "Be exact." }).compact(thread);
  const [first = "", second = ""] = engine.requests.map(({ tokens }) =>
    model.tokenizer.decode(tokens),
  );
  expect(first).toContain("# Response Formats");
  expect(second).not.toContain("# Response Formats");
});

test("compaction can be switched off: then a full context ends the turn", async () => {
  const { model } = scriptedModel([final("A."), final("B.".repeat(80))], { contextLength: 400 });
  const thread = Thread.create();
  const agent = new Agent({ model, compaction: false });
  await agent.run(thread, LONG).result;
  const { status, error } = await agent.run(thread, LONG).result;
  expect({ status, error }).toMatchObject({
    status: "failed",
    error: { code: "CHORALE_CONTEXT_FULL" },
  });
  expect((await thread.entries()).map(({ type }) => type)).not.toContain("compaction");
  await model.close();
  expect(model).toBeInstanceOf(HarmonyModel);
});
