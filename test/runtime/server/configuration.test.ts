/** Flags, else `CHORALE_…`, else Ollama's variables, else defaults. */
import { describe, expect, test } from "vitest";
import {
  keepAliveOf,
  type ServerFlags,
  serverConfiguration,
} from "../../../runtime/server/configuration.ts";

const of = (env: NodeJS.ProcessEnv, flags: ServerFlags = {}) =>
  serverConfiguration({ allowsAnyone: true, ...flags }, env);

describe("addresses", () => {
  test.each([
    ["", "127.0.0.1", 11434],
    ["0.0.0.0", "0.0.0.0", 11434],
    ["localhost:1234", "localhost", 1234],
    [":8080", "127.0.0.1", 8080],
    ["http://example.com", "example.com", 80],
    ["https://example.com/path", "example.com", 443],
    ["http://example.com:99", "example.com", 99],
    ["[::1]:7", "::1", 7],
    ["::1", "::1", 11434],
    ['"127.0.0.1:5"', "127.0.0.1", 5],
  ])("OLLAMA_HOST=%s", (text, host, port) => {
    expect(of({ OLLAMA_HOST: text })).toMatchObject({ host, port });
  });

  test.each(["ftp://x", "x:y", "x:99999", "[x]:1", "a:b:c"])("%s is none", (text) => {
    expect(() => of({ OLLAMA_HOST: text })).toThrow(/OLLAMA_HOST is/);
  });

  test("a flag goes before CHORALE_HOST, and that before OLLAMA_HOST", () => {
    const env = { CHORALE_HOST: "10.0.0.1", OLLAMA_HOST: "10.0.0.2" };
    expect(of(env).host).toBe("10.0.0.1");
    expect(of(env, { listen: "10.0.0.3:9" })).toMatchObject({ host: "10.0.0.3", port: 9 });
  });

  test("other machines without a key only where that is said", () => {
    const open = { OLLAMA_HOST: "0.0.0.0" };
    expect(() => serverConfiguration({}, open)).toThrow(/--allow-anyone/);
    expect(serverConfiguration({}, { ...open, CHORALE_API_KEY: "secret" }).keys).toEqual([
      "secret",
    ]);
    expect(serverConfiguration({ keys: ["a", "b"] }, open).keys).toEqual(["a", "b"]);
    expect(serverConfiguration({ listen: "localhost" }, {}).keys).toEqual([]);
  });
});

test("Ollama's variables count, and a zero is the default", () => {
  const configuration = of({
    OLLAMA_ORIGINS: "http://a.example, https://*.b.example,",
    OLLAMA_KEEP_ALIVE: "-1",
    OLLAMA_NUM_PARALLEL: "0",
    OLLAMA_MAX_QUEUE: "7",
    OLLAMA_CONTEXT_LENGTH: "8192",
    OLLAMA_LOAD_TIMEOUT: "10m",
  });
  expect(configuration).toMatchObject({
    origins: ["http://a.example", "https://*.b.example"],
    keepAliveMs: Number.POSITIVE_INFINITY,
    slots: 4,
    maxQueue: 7,
    contextLength: 8192,
    loadTimeoutMs: 600_000,
  });
  expect(() => of({ OLLAMA_MAX_QUEUE: "many" })).toThrow(/OLLAMA_MAX_QUEUE is "many"/);
  expect(() => of({ OLLAMA_KEEP_ALIVE: "soon" })).toThrow(/a duration like 5m/);
});

test.each([
  [300, 300_000],
  [0, 0],
  [-1, Number.POSITIVE_INFINITY],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["1.5s", 1500],
  ["100ms", 100],
  ["-1m", Number.POSITIVE_INFINITY],
  ["0", 0],
  ["300", null],
  ["", null],
  ["m5", null],
  ["5 m", null],
  [Number.NaN, null],
  ["1s".repeat(100), null],
])("keep_alive %j is %s ms", (value, ms) => {
  expect(keepAliveOf(value)).toBe(ms);
});
