import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveSettings } from "../../runtime/agent/settings.ts";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import type { RunEvent } from "../../runtime/events.ts";
import {
  defineTool,
  describeOutput,
  type HarmonyModel,
  loadModel,
  type OutputOptions,
  runAgent,
  ScriptedModel,
} from "../../runtime/index.ts";
import { responseFormat } from "../../runtime/model/response-format.ts";
import { turnMatcher } from "../../runtime/model/turn-matcher.ts";
import { createValidator } from "../../tools/index.ts";
import { PERSON } from "../fixtures/person-schema.ts";

let model: HarmonyModel;

beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

/** Hot sampling, so that only the constraint keeps the answer in its form. */
const HOT = { temperature: 1.5 };

describe("an answer can only be written in its form", () => {
  const forms: readonly (readonly [
    name: string,
    output: OutputOptions,
    isValid: (text: string) => boolean,
  ])[] = [
    [
      "choices",
      { choices: ["red", "green", "blue-green"] },
      (text) => ["red", "green", "blue-green"].includes(text),
    ],
    ["regex", { regex: "[A-Z]{2}-\\d{3}" }, (text) => /^[A-Z]{2}-\d{3}$/.test(text)],
    [
      "EBNF",
      { grammar: { syntax: "ebnf", text: 'root ::= "no" | "yes " [a-z]{2,5}' } },
      (text) => /^(?:no|yes [a-z]{2,5})$/.test(text),
    ],
    [
      "Lark",
      { grammar: { syntax: "lark", text: 'start: "n=" NUMBER\nNUMBER: /[0-9]{1,3}/' } },
      (text) => /^n=[0-9]{1,3}$/.test(text),
    ],
  ];
  test.each(forms)("%s", async (_name, output, isValid) => {
    for (const seed of [1, 2, 3]) {
      const result = await runAgent({
        model,
        prompt: "Hello!",
        output,
        sampling: { ...HOT, seed },
        maxReasoningTokens: 20,
        maxRepairs: 0,
      });
      expect(result.error?.message).toBeUndefined();
      expect(isValid(result.output ?? "")).toBe(true);
    }
  });

  test("JSON, with what is certain told on the way", async () => {
    const events: RunEvent[] = [];
    const result = await runAgent({
      model,
      prompt: "Extract the data: Maria Keller is 34 years old.",
      output: { jsonSchema: PERSON },
      sampling: { ...HOT, seed: 5 },
      maxReasoningTokens: 20,
      maxRepairs: 0,
      onEvent: (event) => {
        events.push(event);
      },
    });
    expect(result.status).toBe("completed");
    const partial = events.flatMap((event) => (event.type === "item.partial" ? [event.value] : []));
    expect(partial.length).toBeGreaterThan(2);
    expect(partial.at(-1)).toEqual(JSON.parse(result.output ?? ""));
  });

  test("XML", async () => {
    const xsd = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="note"><xs:complexType><xs:sequence>
      <xs:element name="to"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="12"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="count" type="xs:unsignedByte"/></xs:sequence></xs:complexType></xs:element></xs:schema>`;
    const validator = await createValidator({ xsd });
    for (const seed of [1, 2]) {
      const { output } = await runAgent({
        model,
        prompt: "Hello!",
        output: { xsd },
        sampling: { ...HOT, seed },
        maxReasoningTokens: 20,
        maxRepairs: 0,
      });
      expect(await validator.validate(output ?? "")).toMatchObject({ action: "accept" });
    }
  });
});

test("a limit of tokens closes an answer in the shortest valid way, where that is wanted", async () => {
  const run = (onLimit: "close" | "fail") =>
    runAgent({
      model,
      prompt: "Extract the data: Maria Keller is 34 years old.",
      output: { jsonSchema: PERSON },
      sampling: { temperature: 0, seed: 1 },
      maxReasoningTokens: 8,
      maxTokens: 24,
      onLimit,
    });
  const closed = await run("close");
  expect(closed.status).toBe("completed");
  expect(JSON.parse(closed.output ?? "")).toMatchObject({ age: expect.any(Number) });
  expect((await run("fail")).status).toBe("failed");
});

describe("arguments of calls", () => {
  const seen: unknown[] = [];
  const setTimer = (strict?: boolean) =>
    defineTool({
      name: "start_countdown",
      description: "Starts a countdown.",
      inputSchema: {
        type: "object",
        properties: { minutes: { type: "integer", minimum: 100, maximum: 999 } },
        required: ["minutes"],
      },
      ...(strict !== undefined && { strict }),
      execute: (input) => {
        seen.push(input);
        return { started: true };
      },
    });
  const ask = async (strict?: boolean): Promise<readonly unknown[]> => {
    seen.length = 0;
    const tool = setTimer(strict);
    const result = await runAgent({
      model,
      prompt: "Give me a timer running 44 minutes.",
      tools: [tool],
      toolChoice: { tool: "start_countdown" },
      sampling: { temperature: 0, seed: 1 },
      maxSteps: 2,
    });
    return [
      ...seen,
      ...result.messages
        .filter(({ recipient }) => recipient?.startsWith("functions."))
        .map((message) => message.content),
    ];
  };

  test("pass the schema of the tool", async () => {
    const [input] = await ask();
    const { minutes } = input as { minutes: number };
    expect(minutes).toBeGreaterThanOrEqual(100);
    expect(minutes).toBeLessThanOrEqual(999);
  });

  test("are free for a tool that is not strict", async () => {
    const calls = await ask(false);
    expect(seen).toEqual([]);
    expect(JSON.stringify(calls)).toContain("44");
  });
});

test("a set of tools is all that may be called in a turn", async () => {
  const called: string[] = [];
  const tool = (name: string) =>
    defineTool({ name, description: name, execute: () => void called.push(name) });
  const scripted = new ScriptedModel([
    [{ channel: "commentary", recipient: "functions.second", text: "{}" }],
    [{ channel: "commentary", recipient: "functions.first", text: "{}" }],
    "done",
  ]);
  const { output } = await runAgent({
    model: scripted,
    prompt: "go",
    tools: [tool("first"), tool("second")],
    toolChoice: { tools: ["first"] },
  });
  expect(output).toBe("done");
  expect(called).toEqual(["first"]);
  await expect(
    runAgent({ model: scripted, prompt: "x", tools: [tool("a")], toolChoice: { tools: ["b"] } }),
  ).resolves.toMatchObject({ status: "failed", error: { code: "CHORALE_USAGE" } });
});

test("what is not enforced while the model writes is named, and refused where all of it has to be", async () => {
  const output = {
    jsonSchema: { type: "array", uniqueItems: true, items: { type: "integer" } },
  } as const;
  const described = await describeOutput(output);
  expect(described.isCarried).toBe(false);
  expect(described.checkedAfterwards.join()).toContain("uniqueItems");
  expect((await describeOutput({ jsonSchema: PERSON })).isCarried).toBe(true);
  expect((await describeOutput({ choices: ["a"] })).checkedAfterwards).toEqual([]);
  await expect(
    runAgent({ model, prompt: "x", output, constrainContent: "required" }),
  ).resolves.toMatchObject({ error: { message: expect.stringContaining("uniqueItems") } });
});

test("forms that are none are refused in a sentence", async () => {
  const message = async (output: object) =>
    (await runAgent({ model, prompt: "x", output: output as OutputOptions })).error?.message;
  expect(await message({ choices: [] })).toContain("a list of texts that are not empty");
  expect(await message({ regex: "(" })).toContain("The option output cannot be used");
  expect(await message({ grammar: { syntax: "abnf", text: "" } })).toContain('"ebnf" or "lark"');
  expect(await message({ grammar: { syntax: "ebnf", text: "root ::= x" } })).toContain("x");
});

test("a matcher that is rolled back stands where it stood", () => {
  const tools = new DeclaredTools([
    defineTool({
      name: "get_weather",
      description: "w",
      inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      execute: () => "",
    }),
  ]);
  const { tokenizer, engine } = model;
  const settings = resolveSettings({}, tools, { type: "json", schema: PERSON }, {});
  const make = () => {
    const matcher = turnMatcher(engine, tokenizer, tools, settings, "auto");
    if (matcher === undefined) throw new Error("the engine has no matchers");
    return matcher;
  };
  const maskText = (mask: Uint32Array | null): string => mask?.join(",") ?? "free";
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 6 })), { maxLength: 40 }), (steps) => {
      const matcher = make();
      const ids: number[] = [];
      for (const [choice, back] of steps) {
        const mask = matcher.mask();
        const allowed: number[] = [];
        for (let id = 0; id < engine.vocabSize; id++) {
          if (mask === null || (mask[id >>> 5] ?? 0) & (1 << (id & 31))) allowed.push(id);
        }
        const id = allowed[choice % allowed.length];
        if (id === undefined) break;
        matcher.accept(id);
        ids.push(id);
        if (back > 3) {
          const count = Math.min(back - 3, ids.length);
          matcher.rollback(count);
          ids.length -= count;
        }
      }
      const fresh = make();
      for (const id of ids) fresh.accept(id);
      expect(maskText(matcher.mask())).toBe(maskText(fresh.mask()));
    }),
    { numRuns: 30 },
  );
});

test("a schema that is long is shown without what only explains", () => {
  const description = "x".repeat(9000);
  const schema = {
    title: "T",
    description,
    properties: { description: { type: "string", description } },
    required: ["description"],
  };
  const { schema: shown } = responseFormat({ type: "json", schema });
  expect(shown).toBe('{"properties":{"description":{"type":"string"}},"required":["description"]}');
  expect(responseFormat({ type: "choice", choices: ["a", "b"] }).schema).toBe('["a","b"]');
});
