/** Recorded clients against a server of ours: small recordings of our own pass, and answers that lack something do not. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConformanceInputError } from "./case-result.ts";
import { type Judged, problemsOf, type Received } from "./server/judge.ts";
import {
  isObject,
  type JsonObject,
  type RecordedEvent,
  readRecording,
} from "./server/recording.ts";
import { type Replayed, replay } from "./server/replay.ts";
import { scriptOf } from "./server/script.ts";
import { run } from "./server.ts";

const FOLDER = join(import.meta.dirname, "../golden/server");
const FILES = readdirSync(FOLDER).map((name) => join(FOLDER, name));

async function replayed(name: string): Promise<readonly Replayed[]> {
  return Array.fromAsync(replay(readRecording(join(FOLDER, `${name}.json`)).exchanges));
}

test("all exchanges have what their clients need", async () => {
  const results = await Array.fromAsync(run(FILES));
  expect(results.filter(({ pass }) => !pass)).toEqual([]);
  expect(results).toHaveLength(22);
});

test("requests are sent as they were, what was left out put back", () => {
  const [, second, third] = readRecording(join(FOLDER, "responses.json")).exchanges;
  const body = third?.request.body as {
    readonly input: readonly JsonObject[];
    tools: JsonObject[];
  };
  expect(String(body.input[0]?.["content"])).toHaveLength(900);
  expect(body.input[1]).toEqual({ role: "user", content: "What time is it in Lima?" });
  expect(body.tools.map(({ name }) => name)).toEqual(["clock", "note", "team"]);
  expect(body.tools[1]?.["format"]).toMatchObject({ definition: "start: /[\\s\\S]+/" });
  expect(second?.request.body).toMatchObject({ tools: body.tools });
  expect(() => readRecording(join(FOLDER, "none.json"))).toThrow(ConformanceInputError);
});

type Change = (received: Received) => Received;

const data = (change: (one: JsonObject) => JsonObject | null): Change => {
  return ({ events, ...received }) => ({
    ...received,
    events: (events ?? []).flatMap((event): RecordedEvent[] => {
      const changed = isObject(event.data) ? change(event.data) : event.data;
      return changed === null ? [] : [{ ...event, data: changed }];
    }),
  });
};
const without = (type: string): Change => data((one) => (one["type"] === type ? null : one));
const text =
  (from: string, to: string): Change =>
  (received) =>
    JSON.parse(JSON.stringify(received).replaceAll(from, to)) as Received;
const body =
  (change: (one: JsonObject) => unknown): Change =>
  (received) => ({
    ...received,
    body: change(received.body as JsonObject),
  });
const lines =
  (change: (all: readonly JsonObject[]) => readonly JsonObject[]): Change =>
  (received) => ({
    ...received,
    lines: change(received.lines ?? []),
  });

/** Answers that lack something, by recording and exchange. */
const BROKEN: readonly (readonly [string, number, string, Change, RegExp])[] = [
  [
    "responses",
    0,
    "no [DONE]",
    ({ events, ...one }) => ({ ...one, events: events?.slice(0, -1) ?? [] }),
    /\[DONE\]/,
  ],
  [
    "responses",
    0,
    "an event that is missing",
    without("response.output_item.done"),
    /output_item\.done/,
  ],
  ["responses", 0, "other arguments", text("Lima", "Rome"), /it says/],
  ["responses", 0, "another name", text("clock", "watch"), /it says/],
  ["responses", 0, "a key that is missing", text('"call_id"', '"id_of_call"'), /call_id/],
  ["responses", 0, "no terminal", without("response.completed"), /no terminal event/],
  [
    "responses",
    0,
    "events without a name",
    ({ events, ...one }) => ({
      ...one,
      events: (events ?? []).map(({ data: held }) => ({ data: held })),
    }),
    /event undefined/,
  ],
  [
    "responses",
    0,
    "JSON instead of a stream",
    ({ events: _, ...one }) => ({ ...one, headers: {}, body: {} }),
    /text\/event-stream/,
  ],
  [
    "responses",
    1,
    "a function for a custom tool",
    text("custom_tool_call", "function_call"),
    /it says|no such event|custom_tool_call/,
  ],
  ["responses", 2, "no namespace", text('"namespace":"team",', ""), /it says/],
  ["responses", 3, "another text", text("true", "false"), /it says/],
  ["responses", 3, "no usage", body((one) => ({ ...one, usage: null })), /no usage/],
  [
    "responses",
    4,
    "a path that nobody knows",
    (one) => ({
      ...one,
      status: 404,
      body: { error: { message: "There is nothing at GET /v1/responses/x." } },
    }),
    /nothing answers/,
  ],
  ["responses", 5, "no time to come again", (one) => ({ ...one, headers: {} }), /Retry-After/],
  ["responses", 5, "another status", (one) => ({ ...one, status: 429 }), /429/],
  ["responses", 6, "an end without an error", without("error"), /error/],
  [
    "chat",
    1,
    "no role",
    data((one) => JSON.parse(JSON.stringify(one).replace('"role":"assistant",', "")) as JsonObject),
    /no role/,
  ],
  ["chat", 1, "no trace", text('"reasoning":', '"thought":'), /it says/],
  ["chat", 1, "no usage", data((one) => (isObject(one["usage"]) ? null : one)), /usage/],
  ["chat", 3, "a model that goes on alone", (one) => ({ ...one, isFree: false }), /nobody reads/],
  ["chat", 2, "another end", text('"stop"', '"length"'), /ends with length/],
  ["ollama", 0, "no version", body(() => ({})), /version is missing/],
  ["ollama", 1, "no last line", lines((all) => all.slice(0, -1)), /done: true/],
  ["ollama", 1, "arguments as a text", text('{"city":"Lima"}', '"{}"'), /it says/],
  ["ollama", 2, "an answer", text("unload", "stop"), /ends with stop/],
  ["ollama", 3, "an error that is no text", body(() => ({ error: { message: "no" } })), /no text/],
  [
    "messages",
    0,
    "a block that does not stop",
    without("content_block_stop"),
    /content_block_stop/,
  ],
  [
    "messages",
    0,
    "no reason",
    text('"tool_use","stop_sequence"', '"pause","stop_sequence"'),
    /ends with none/,
  ],
  ["messages", 1, "another role", text('"role":"assistant"', '"role":0'), /role is number/],
  ["messages", 3, "OpenAI's error", body((one) => ({ error: one["error"] })), /type is missing/],
];

describe.each(["responses", "chat", "ollama", "messages"])("what is missing in %s", (name) => {
  const exchanges = replayed(name);
  test.each(BROKEN.filter(([file]) => file === name))(
    "%s %i: %s",
    async (_, at, __, change, wanted) => {
      const { exchange, dialect, received, problems } = (await exchanges)[at] as Replayed;
      expect(problems).toEqual([]);
      const judged: Judged = {
        method: exchange.request.method,
        path: exchange.request.path,
        dialect,
        recorded: exchange.response,
        script: scriptOf(dialect, exchange),
        received: change(received),
      };
      expect(problemsOf(judged).join("\n")).toMatch(wanted);
    },
  );
});
