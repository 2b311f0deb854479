/** Responses that are kept: by id, as a conversation, across a restart, within limits. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import {
  ResponseStore,
  ResponseStoreError,
  type ResponseStoreLimits,
  type StoredItem,
} from "../../../../runtime/server/responses/response-store.ts";
import type { ResponseEvent, ResponseObject } from "../../../../runtime/server/responses/wire.ts";

const folder = mkdtempSync(join(tmpdir(), "response-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `${files++}`, "responses.sqlite");

const item = (id: string, text: string, hidden?: string): StoredItem => ({
  id,
  item: { type: "message", id, role: "user", content: [{ type: "input_text", text }] },
  ...(hidden !== undefined && { hidden }),
});

function saved(store: ResponseStore, id: string, previous: string | null, text = "Hi"): void {
  const response = { id, previous_response_id: previous, status: "completed" };
  const events = [
    { type: "response.created", sequence_number: 0, response },
    { type: "keepalive", sequence_number: 1 },
  ];
  store.save(
    {
      response: response as unknown as ResponseObject,
      input: [item(`${id}-in`, text)],
      output: [item(`${id}-out`, text, "hidden")],
    },
    events as unknown as readonly ResponseEvent[],
  );
}

test("gives back responses, their items and their events, also after a restart", () => {
  const path = newPath();
  {
    using store = new ResponseStore(path);
    saved(store, "resp_1", null, "Hi <|end|> \u2028 😀");
  }
  using store = new ResponseStore(path);
  expect(store.get("resp_1")).toEqual({
    response: { id: "resp_1", previous_response_id: null, status: "completed" },
    input: [item("resp_1-in", "Hi <|end|> \u2028 😀")],
    output: [item("resp_1-out", "Hi <|end|> \u2028 😀", "hidden")],
  });
  expect(store.item("resp_1-out")).toMatchObject({ hidden: "hidden" });
  expect(store.events("resp_1", 1)).toEqual([{ type: "keepalive", sequence_number: 1 }]);
  expect(store.get("resp_2")).toBeNull();
  expect(store.item("resp_2-in")).toBeNull();
  expect(store.events("resp_2", 0)).toBeNull();
  // Conversations are no one else's business.
  expect(statSync(join(path, "..")).mode & 0o077).toBe(0);
});

test("reads a conversation from its beginning", () => {
  using store = new ResponseStore(":memory:");
  saved(store, "resp_1", null);
  saved(store, "resp_2", "resp_1");
  saved(store, "resp_3", "resp_2");
  expect(store.conversation("resp_2")?.map(({ id }) => id)).toEqual([
    ...["resp_1-in", "resp_1-out"],
    ...["resp_2-in", "resp_2-out"],
  ]);
  expect(store.remove("resp_1")).toBe(true);
  expect(store.remove("resp_1")).toBe(false);
  expect(store.item("resp_1-in")).toBeNull();
  expect(store.conversation("resp_3")).toBeNull();
  expect(store.conversation("resp_9")).toBeNull();
});

test("gives what was made here before what a client sent under the same id", () => {
  using store = new ResponseStore(":memory:");
  saved(store, "resp_1", null, "ours");
  store.save(
    {
      response: { id: "resp_2", previous_response_id: null } as unknown as ResponseObject,
      input: [item("resp_1-out", "theirs")],
      output: [],
    },
    null,
  );
  expect(store.item("resp_1-out")).toMatchObject({ item: { content: [{ text: "ours" }] } });
  expect(store.events("resp_2", 0)).toBeNull();
});

test("replaces the earlier state of a response", () => {
  using store = new ResponseStore(":memory:");
  saved(store, "resp_1", null, "a");
  saved(store, "resp_1", null, "b");
  expect(store.size.responses).toBe(1);
  expect(store.item("resp_1-in")).toMatchObject({ item: { content: [{ text: "b" }] } });
});

test.each<[string, ResponseStoreLimits, number]>([
  ["by count", { maxResponses: 3 }, 0],
  ["by bytes", { maxBytes: 3000 }, 0],
  ["by age", { maxAgeDays: 10 }, 4 * 86_400_000],
])("lets go what was not used for longest, %s", (_, limits, step) => {
  let now = 1;
  using store = new ResponseStore(":memory:", limits, () => now);
  const text = "x".repeat(300);
  saved(store, "resp_a", null, text);
  saved(store, "resp_b", "resp_a", text);
  for (let at = 0; at < 4; at++) {
    now += step + 1;
    expect(store.conversation("resp_b")).not.toBeNull();
    now++;
    saved(store, `resp_${at}`, null, text);
  }
  const { responses, bytes } = store.size;
  if (limits.maxBytes !== undefined) expect(bytes).toBeLessThanOrEqual(limits.maxBytes);
  expect(responses).toBeLessThan(6);
  expect(store.get("resp_0")).toBeNull();
  expect(store.get("resp_3")).not.toBeNull();
});

test("keeps a key as long as the file", () => {
  const path = newPath();
  using first = new ResponseStore(path);
  using second = new ResponseStore(path);
  expect(first.secret("trace")).toHaveLength(32);
  expect(second.secret("trace")).toEqual(first.secret("trace"));
  expect(first.secret("other")).not.toEqual(first.secret("trace"));
});

test("refuses a file of a newer version, and what is no such file", () => {
  const path = newPath();
  new ResponseStore(path).close();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 9");
  database.close();
  expect(() => new ResponseStore(path)).toThrow(/version 9.*use a newer one/);
  expect(() => new ResponseStore(join(import.meta.filename, "file"))).toThrow(ResponseStoreError);
});
