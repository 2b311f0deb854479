/** The core of the server: a neutral request becomes a conversation, and what the model writes becomes items. */
import { expect, test } from "vitest";
import type { ConversationItem } from "../../../runtime/server/turn/items.ts";
import { runTurn, turnResult } from "../../../runtime/server/turn/run-turn.ts";
import { says } from "../scripted-run.ts";
import { scriptedTurns } from "./turn.ts";

const ANSWER =
  "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>It is 7 °C.<|return|>";
const CALL =
  "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant<|channel|>commentary" +
  ' to=functions.get_weather <|constrain|>json<|message|>{"city": "Oslo"}<|call|>';
const WEATHER = {
  name: "get_weather",
  description: "Current weather of a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
} as const;
const ASK: ConversationItem = { type: "user", text: "What's the weather in Oslo?" };

/** The prompt behind the developer message. */
const conversation = (prompt: string | undefined): string =>
  (prompt ?? "").replace(/^[\s\S]*?(?=<\|start\|>user)/, "");

test("tells an answer as items, each begun, written and completed", async () => {
  const turns = scriptedTurns([ANSWER]);
  const { events, result } = await turns.play({
    items: [{ type: "system", text: "Be brief." }, ASK],
  });
  const ids = result.items.map(({ id }) => id);
  expect(events.map(({ type }) => type)).toEqual([
    "accepted",
    "item.started",
    ...events
      .filter(({ type }) => type === "item.delta")
      .slice(0, 2)
      .map(() => "item.delta"),
    "item.completed",
    "item.started",
    ...events
      .filter(({ type }) => type === "item.delta")
      .slice(2)
      .map(() => "item.delta"),
    "item.completed",
  ]);
  expect(result).toMatchObject({
    finish: "stop",
    items: [
      { type: "reasoning", text: "Easy." },
      { type: "message", phase: "final_answer", text: "It is 7 °C." },
    ],
    stopString: null,
    limit: null,
    error: null,
  });
  expect(new Set(ids).size).toBe(2);
  expect(result.usage.reasoningTokens).toBeGreaterThan(0);
  expect(turns.prompts()[0]).toContain("# Instructions\n\nBe brief.");
});

test("gives calls back, and remembers what was thought before them", async () => {
  const turns = scriptedTurns([CALL, ANSWER, ANSWER, ANSWER]);
  const first = await turns.play({ items: [ASK], clientTools: [WEATHER] });
  expect(first.result.finish).toBe("calls");
  const call = first.result.items.find((item) => item.type === "call");
  expect(call).toMatchObject({
    name: "get_weather",
    namespace: null,
    arguments: '{"city": "Oslo"}',
  });

  const sampled = conversation(turns.prompts()[0]) + CALL;
  const result = { type: "result", text: '{"temp_c":7}' } as const;
  const sent = { type: "call", name: "get_weather", arguments: '{ "city":"Oslo" }' } as const;
  // By the id; by the place, where ids were replaced; and as the client sends it.
  const ways: ConversationItem[][] = [
    [ASK, { ...sent, callId: call?.type === "call" ? call.callId : "" }, result],
    [ASK, { ...sent, callId: "replaced" }, result],
    [
      ASK,
      { type: "reasoning", text: "I need the weather." },
      { ...sent, arguments: '{"city": "Oslo"}' },
      result,
    ],
  ];
  for (const items of ways) {
    await turns.play({ items, clientTools: [WEATHER] });
    expect(conversation(turns.prompts().at(-1))).toBe(
      `${sampled}<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>{"temp_c":7}<|end|><|start|>assistant`,
    );
  }
});

test("leaves out the thoughts of turns that have an answer, in any spelling", async () => {
  const turns = scriptedTurns([ANSWER]);
  await turns.play({
    items: [
      ASK,
      { type: "reasoning", text: "secret" },
      { type: "call", callId: "a", name: "get_weather", arguments: "{}" },
      { type: "result", callId: "a", text: "7" },
      { type: "assistant", text: "<think>secret</think>\nSeven." },
      { type: "user", text: "Thanks. And in one word?" },
    ],
  });
  expect(conversation(turns.prompts()[0])).toBe(
    "<|start|>user<|message|>What's the weather in Oslo?<|end|>" +
      "<|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{}<|call|>" +
      "<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>7<|end|>" +
      "<|start|>assistant<|channel|>final<|message|>Seven.<|end|>" +
      "<|start|>user<|message|>Thanks. And in one word?<|end|><|start|>assistant",
  );
});

test("matches results by id, then by name, then by order", async () => {
  const turns = scriptedTurns([ANSWER]);
  await turns.play({
    items: [
      ASK,
      { type: "call", callId: "1", name: "a", arguments: "{}" },
      { type: "call", callId: "2", name: "b", arguments: "{}" },
      { type: "call", callId: "3", name: "c", arguments: "{}" },
      { type: "result", text: "of a, by order" },
      { type: "result", name: "b", text: "of b, by name" },
      { type: "result", callId: "3", name: "b", text: "of c, by id" },
    ],
  });
  const results = [
    ...(turns.prompts()[0] ?? "").matchAll(
      /functions\.(\w) to=assistant.*?<\|message\|>(.*?)<\|end\|>/g,
    ),
  ];
  expect(results.map(([, name, text]) => `${name}: ${text}`)).toEqual([
    "a: of a, by order",
    "b: of b, by name",
    "c: of c, by id",
  ]);
});

test("sends arguments that are not valid back to the model", async () => {
  const broken = CALL.replace('{"city": "Oslo"}', '{"town": 1}');
  const turns = scriptedTurns([broken, CALL]);
  const { events, result } = await turns.play({ items: [ASK], clientTools: [WEATHER] });
  expect(result.items.filter(({ type }) => type === "call")).toMatchObject([
    { arguments: '{"city": "Oslo"}' },
  ]);
  expect(
    events.filter((event) => event.type === "item.started" && event.item.type === "call"),
  ).toHaveLength(1);
  expect(turns.prompts()[1]).toContain("its arguments are not valid");
});

test("gives names back as they came, and a custom tool its text", async () => {
  const patch = "*** Begin Patch\n*** End Patch";
  const call = (to: string, body: string): string =>
    `<|channel|>commentary to=${to} <|constrain|>json<|message|>${body}<|call|>`;
  const turns = scriptedTurns([
    call("functions.get_weather_now", "{}"),
    call("agents.spawn", "{}"),
    call("functions.apply_patch", JSON.stringify(patch)),
    call("functions.apply_patch", patch),
  ]);
  const clientTools = [
    { name: "get-weather now" },
    { name: "spawn", namespace: "agents" },
    { name: "apply_patch", isCustom: true },
  ];
  const calls = [];
  for (let n = 0; n < 4; n++) {
    const { result } = await turns.play({ items: [ASK], clientTools });
    calls.push(...result.items.filter((item) => item.type === "call"));
  }
  expect(calls).toMatchObject([
    { name: "get-weather now", namespace: null },
    { name: "spawn", namespace: "agents" },
    { name: "apply_patch", arguments: patch },
    { name: "apply_patch", arguments: patch },
  ]);
});

test("ends at a stop string, across pieces, and says which", async () => {
  const turns = scriptedTurns([ANSWER, ANSWER]);
  const { result, events } = await turns.play({ items: [ASK], stop: ["nowhere", "7 °"] });
  expect(result).toMatchObject({ finish: "stop", stopString: "7 °" });
  expect(result.items.at(-1)).toMatchObject({ text: "It is " });
  const text = events.flatMap((event) =>
    event.type === "item.delta" && event.id === result.items.at(-1)?.id ? [event.text] : [],
  );
  expect(text.join("")).toBe("It is ");
  // Nothing is held back where none comes.
  const other = await turns.play({ items: [ASK], stop: ["C.!"] });
  expect(other.result.items.at(-1)).toMatchObject({ text: "It is 7 °C." });
});

test("a limit of tokens cuts off, and does not tell the model", async () => {
  const turns = scriptedTurns([ANSWER]);
  const { result } = await turns.play({ items: [ASK], maxTokens: 12 });
  expect(result).toMatchObject({
    finish: "length",
    limit: "max_tokens",
    usage: { outputTokens: 12 },
  });
  expect(result.items.at(-1)).toMatchObject({ type: "message" });
});

test("an answer with a schema is told once it is valid", async () => {
  const answer = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;
  const turns = scriptedTurns([answer("no JSON"), answer('{"a": 1}')]);
  const { result, events } = await turns.play({
    items: [ASK],
    output: { jsonSchema: { type: "object", required: ["a"] } },
  });
  expect(result.items).toMatchObject([{ type: "message", text: '{"a": 1}' }]);
  expect(events.filter(({ type }) => type === "item.started")).toHaveLength(1);
});

test("what cannot be run throws before anything is told", async () => {
  const turns = scriptedTurns([ANSWER], { contextLength: 100 });
  const signal = new AbortController().signal;
  const long = runTurn(turns, { items: [{ type: "user", text: "word ".repeat(200) }], signal });
  await expect(long.next()).rejects.toMatchObject({ wireCode: "context_length_exceeded" });
  const unknown = runTurn(turns, {
    items: [ASK],
    clientTools: [WEATHER],
    toolChoice: { mode: "required", names: [{ name: "other" }] },
    signal,
  });
  await expect(unknown.next()).rejects.toMatchObject({ code: "CHORALE_USAGE" });
});

test("requests wait for a slot, one too many is refused, one that is left gives its place back", async () => {
  let generations = 0;
  const turns = scriptedTurns(
    Array.from({ length: 8 }, () => () => {
      generations++;
      return says(ANSWER);
    }),
  );
  const { admission } = turns;
  const free = await Promise.all([1, 2].map(() => admission.enter(new AbortController().signal)()));
  const aborts = Array.from({ length: 4 }, () => new AbortController());
  const waiting = aborts.map(({ signal }) => runTurn(turns, { items: [ASK], signal }));
  for (const turn of waiting) {
    expect(await turn.next()).toMatchObject({ value: { type: "accepted" } });
  }
  expect([admission.running, admission.waiting, generations]).toEqual([2, 4, 0]);
  const refused = runTurn(turns, { items: [ASK], signal: new AbortController().signal });
  await expect(refused.next()).rejects.toMatchObject({ status: 503, retryAfter: 2 });

  aborts[0]?.abort();
  const left = await waiting[0]?.next();
  expect(left).toMatchObject({ done: true, value: { finish: "cancelled" } });
  await waiting[1]?.return(undefined as never);
  expect(admission.waiting).toBe(2);
  for (const leave of free) leave();
  for (const turn of waiting.slice(2)) {
    expect(await turnResult(turn)).toMatchObject({ finish: "stop" });
  }
  expect([admission.running, admission.waiting]).toEqual([0, 0]);
});

test("a reader that leaves ends the model within what it has been given", async () => {
  const long = `<|channel|>final<|message|>${"word ".repeat(500)}<|return|>`;
  const turns = scriptedTurns([long]);
  const turn = runTurn(turns, { items: [ASK], signal: new AbortController().signal });
  let deltas = 0;
  for await (const event of turn) if (event.type === "item.delta" && ++deltas === 3) break;
  expect(turns.admission.running).toBe(0);
});
