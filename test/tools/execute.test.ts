import { describe, expect, test } from "vitest";
import {
  type ApprovalRule,
  defineTool,
  executeTool,
  needsApproval,
  prepareCall,
  runPreparedCall,
  type Tool,
} from "../../tools/index.ts";
import { context, toolContext } from "./support.ts";

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

type Execute = NonNullable<Tool["execute"]>;

const tool = (execute: Execute, changes: Partial<Tool> = {}): Tool => ({
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
    ['{"city":"Oslo"', "the text ends before the closing }"],
    ["city: Oslo", "the text is not JSON alone"],
    ['{"city":"Oslo","city":"Rome"}', 'the property "city" is given twice'],
    ['{"cty":"Oslo"}', 'missing "city"\n- unknown "cty" (did you mean "city"?)'],
    ['{"city":"Oslo","days":"three"}', '/days: must be integer, got string "three"'],
    ['{"city":"Oslo","days":15}', "/days: must be <= 14, got 15"],
    ['[{"city":"Oslo"},{"city":"Rome"}]', "must be object, got array"],
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
    ["an unprintable thing", Object.create(null), "something that cannot be printed was thrown"],
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

  test("an error without a text says that it says nothing", async () => {
    const mute = tool(async () => ({ text: "", isError: true }));
    expect(await executeTool(mute, "{}", context())).toMatchObject({
      status: "failed",
      text: "functions.f failed: it did not say why",
    });
  });

  test("a tool that is carried out elsewhere is not run", async () => {
    const { execute: _, ...remote } = tool(async () => "");
    const result = await executeTool(remote, "{}", context());
    expect(result).toMatchObject({ status: "failed" });
    expect(result.text).toContain("functions.f was not run: it has no execute function");
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

describe("approval", () => {
  test("a tool that needs it runs only with it", async () => {
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

  const pay = (rule: ApprovalRule<{ sum: number }, { limit: number }>) =>
    defineTool<{ sum: number }, { limit: number }>({
      name: "pay",
      description: "",
      inputSchema: { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] },
      needsApproval: rule,
      execute: ({ sum }) => `paid ${sum}`,
    });

  test("a rule decides by the arguments and by the caller's context", async () => {
    const tool = pay(({ sum }, { context }) => sum > context.limit);
    const within = context({ context: { limit: 100 } });
    expect((await executeTool(tool, '{"sum":100}', within)).text).toBe("paid 100");
    expect((await executeTool(tool, '{"sum":101}', within)).text).toContain("approval");
  });

  test.each<[string, ApprovalRule]>([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
    ],
    ["rejects", async () => Promise.reject(new Error("no database"))],
    ["gives no boolean", (() => undefined) as unknown as ApprovalRule],
  ])("a rule that %s means yes", async (_, rule) => {
    expect((await executeTool(pay(rule), '{"sum":1}', context())).text).toContain("approval");
  });

  test("arguments are checked before the rule sees them, and are run without a second check", async () => {
    const asked: unknown[] = [];
    const tool = pay((input) => {
      asked.push(input);
      return true;
    });
    const broken = await prepareCall(tool, '{"sum":"much"}');
    expect(broken).toMatchObject({ ok: false, message: expect.stringContaining("/sum: must be") });
    const prepared = await prepareCall(tool, '{"sum":5}');
    if (!prepared.ok) throw new Error(prepared.message);
    expect(await needsApproval(tool, prepared.input, { ...toolContext(), context: {} })).toBe(true);
    expect(asked).toEqual([{ sum: 5 }]);
    expect((await runPreparedCall(tool, prepared, context())).text).toBe("paid 5");
  });
});

test("a tool gets the caller's own value and a key that names the call", async () => {
  const seen: unknown[] = [];
  const looks = tool(async (_, { context, idempotencyKey }) => {
    seen.push(context, idempotencyKey);
    return "";
  });
  const user = { name: "Ida" };
  await executeTool(looks, "{}", context({ context: user, idempotencyKey: "t1:4" }));
  await executeTool(looks, "{}", context());
  expect(seen).toEqual([user, "t1:4", undefined, "call_1"]);
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
