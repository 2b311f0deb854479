import { describe, expect, test } from "vitest";
import { defineTool, executeTool, type Tool } from "../../tools/index.ts";
import { context } from "./support.ts";

const weather = defineTool<{ city: string; days?: number }>({
  name: "weather",
  description: "Weather of a city",
  inputSchema: {
    type: "object",
    required: ["city"],
    additionalProperties: false,
    properties: { city: { type: "string" }, days: { type: "integer", maximum: 14 } },
  },
  execute: ({ city, days = 1 }) => ({ city, days, sky: "clear" }),
});

const tool = (execute: Tool["execute"], changes: Partial<Tool> = {}): Tool => ({
  recipient: "functions.f",
  description: "",
  inputSchema: true,
  timeoutMs: 10_000,
  execute,
  ...changes,
});

describe("arguments", () => {
  test("valid ones reach the function, and its value comes back as JSON", async () => {
    const result = await executeTool(weather, '{"city":"Oslo","days":3}', context());
    expect(result).toMatchObject({
      status: "completed",
      text: '{"city":"Oslo","days":3,"sky":"clear"}',
      data: { city: "Oslo", days: 3, sky: "clear" },
    });
    expect(result.durationMs).toBeGreaterThan(0);
  });

  test.each([
    ['{"city":"Oslo",}', "trailing comma before }"],
    ['{"city":"Os', "the text ends inside of a string"],
    ["city: Oslo", "the text is not JSON alone"],
    ['{"city":"Oslo","city":"Rome"}', 'the property "city" is given twice'],
    ['{"cty":"Oslo"}', 'missing "city"; unknown "cty" (did you mean "city"?)'],
    ['{"city":"Oslo","days":"3"}', '/days: must be integer, got string "3"; remove the quotes'],
    ['[{"city":"Oslo"}]', "must be object, got array"],
    ['```json\n{"city":"Oslo"}\n```', "it begins with"],
    ['{"city":"Oslo","days":12345678901234567890}', "more digits than a number can keep"],
  ])("%j is refused with a sentence", async (raw, message) => {
    const result = await executeTool(weather, raw, context());
    expect(result.status).toBe("failed");
    expect(result.text).toContain("functions.weather was not called: its arguments are not valid.");
    expect(result.text).toContain(message);
  });

  test("an empty body stands for no arguments", async () => {
    const now = defineTool({ name: "now", description: "", execute: (input) => input });
    expect((await executeTool(now, " ", context())).text).toBe("{}");
    expect((await executeTool(now, '{"x":1}', context())).status).toBe("failed");
  });

  test("a tool without schema gets its body as it is", async () => {
    const raw = tool(async (input) => `got ${JSON.stringify(input)}`, { inputSchema: null });
    expect((await executeTool(raw, "print(1)\n", context())).text).toBe('got "print(1)\\n"');
  });

  test("a schema that is none is a failed call, not a crash", async () => {
    const broken = tool(async () => "", { inputSchema: { type: "strin" } });
    const result = await executeTool(broken, "{}", context());
    expect(result).toMatchObject({ status: "failed" });
    expect(result.text).toContain("its own schema is broken");
  });
});

describe("failures become results", () => {
  test.each([
    ["an error", new Error("no such city"), "functions.f failed: no such city"],
    ["a string", "odd", "functions.f failed: odd"],
    ["nothing", undefined, "functions.f failed: undefined"],
    ["an empty error", new TypeError(""), "functions.f failed: TypeError"],
    ["an unprintable thing", Object.create(null), "it threw something that cannot be printed"],
  ])("throwing %s", async (_, thrown, text) => {
    const result = await executeTool(
      tool(() => {
        throw thrown;
      }),
      "{}",
      context(),
    );
    expect(result.status).toBe("failed");
    expect(result.text).toContain(text);
  });

  test("returning neither text nor result", async () => {
    const bad = tool((async () => 5) as unknown as Tool["execute"]);
    expect((await executeTool(bad, "{}", context())).text).toContain("neither a text nor a result");
  });

  test("a tool's own error result keeps its text", async () => {
    const result = await executeTool(
      tool(async () => ({ text: "closed today", isError: true, data: { code: 4 } })),
      "{}",
      context(),
    );
    expect(result).toMatchObject({ status: "failed", text: "closed today", data: { code: 4 } });
  });
});

describe("time", () => {
  test("a tool that ignores its signal is left behind", async () => {
    const result = await executeTool(
      tool(() => new Promise(() => undefined), { timeoutMs: 50 }),
      "{}",
      context(),
    );
    expect(result.text).toBe("functions.f was stopped: it ran longer than 0.05 s.");
    expect(result.durationMs).toBeLessThan(2000);
  });

  test("a tool that heeds its signal can say what it had", async () => {
    const listens = tool(
      (_, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ text: "half done", isError: true }));
        }),
      { timeoutMs: 50 },
    );
    expect((await executeTool(listens, "{}", context())).text).toBe("half done");
  });

  test("the run's signal stops it", async () => {
    const abort = new AbortController();
    const waits = tool(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    );
    const running = executeTool(waits, "{}", context({ signal: abort.signal }));
    setTimeout(() => abort.abort(), 20);
    expect((await running).text).toBe("functions.f was stopped: the run was cancelled.");
    const late = await executeTool(waits, "{}", context({ signal: abort.signal }));
    expect(late.status).toBe("failed");
  });
});

test("a tool that needs approval runs only with it", async () => {
  let runs = 0;
  const erase = defineTool({
    name: "erase",
    description: "",
    needsApproval: true,
    execute: () => `run ${++runs}`,
  });
  const refused = await executeTool(erase, "{}", context());
  expect(refused.text).toContain("needs the user's approval");
  expect(runs).toBe(0);
  expect((await executeTool(erase, "{}", context({ approved: true }))).text).toBe("run 1");
});

test("a long text is cut, with its size before and after", async () => {
  const long = tool(async () => "word ".repeat(1000));
  const result = await executeTool(long, "{}", context({ resultTokenLimit: 200 }));
  expect(result.truncated?.fromTokens).toBe(1000);
  expect(result.truncated?.toTokens).toBeLessThanOrEqual(200);
  expect(result.text).toContain("tokens cut here");
});

test("text with unpaired surrogates comes out as valid Unicode", async () => {
  const result = await executeTool(
    tool(async () => "a\ud800b"),
    "{}",
    context(),
  );
  expect(result.text).toBe("a\ufffdb");
});
