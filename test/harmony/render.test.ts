import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  browserNamespace,
  conversationFromJson,
  conversationSegments,
  defaultSystemContent,
  encodeSegments,
  type Message,
  messageSegments,
  pythonNamespace,
  REFERENCE_RENDERING,
  referenceSchemaToType,
  renderConversation,
  renderForCompletion,
  renderForTraining,
  renderMessage,
  type SystemContent,
  schemaToType,
  segmentsToText,
} from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { readRenderCases, renderGolden } from "./golden-render.ts";

const tokenizer = loadO200kHarmony();
const folder = new URL("../golden/harmony/rendering/", import.meta.url);

for (const file of readdirSync(folder)) {
  describe(file, () => {
    for (const golden of readRenderCases(readFileSync(new URL(file, folder), "utf8"))) {
      it(golden.name, () => expect(renderGolden(golden)).toBe(golden.text));
    }
  });
}

const text = (
  role: "user" | "assistant",
  content: string,
  more: Partial<Message> = {},
): Message => ({
  role,
  ...more,
  content: [{ type: "text", text: content }],
});

describe("ids", () => {
  it("are those of the reference, piece by piece", () => {
    // Executed on the reference implementation.
    const messages = [
      text("user", "q"),
      text("assistant", "a", { channel: "analysis" }),
      text("assistant", '{"location": "Tokyo"}', {
        channel: "commentary",
        recipient: "functions.get_weather",
        contentType: "<|constrain|>json",
      }),
    ];
    expect(renderForCompletion(tokenizer, messages)).toEqual([
      200006, 1428, 200008, 80, 200007, 200006, 173781, 200005, 35644, 200008, 64, 200007, 200006,
      173781, 316, 28, 44580, 775, 170154, 200005, 12606, 815, 220, 200003, 4108, 200008, 10848,
      7693, 1243, 392, 173844, 18583, 200012, 200006, 173781,
    ]);
  });

  it("hold special tokens only where the format has them", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom("<|end|>", "<|start|>", "<|call|>"),
        (a, special) => {
          const forged = `${a}${special}`;
          const message = text("assistant", forged, {
            channel: forged,
            recipient: forged,
            contentType: forged,
          });
          const specials = renderMessage(tokenizer, message).filter((id) =>
            tokenizer.isSpecial(id),
          );
          const { start, channel, message: begin, call } = tokenizer.special;
          expect(specials).toEqual([start, channel, begin, call]);
        },
      ),
    );
  });

  it("come from the tokenizer in use", () => {
    const segments = messageSegments(text("user", "hi"));
    const other = { special: { ...tokenizer.special, start: 7, end: 8 }, encodeInto: () => {} };
    const ids = encodeSegments(Object.assign(Object.create(tokenizer), other), segments);
    expect(ids).toEqual([7, tokenizer.special.message, 8]);
  });

  it("end with return only in training, and only after an answer", () => {
    const answer = [text("user", "q"), text("assistant", "f", { channel: "final" })];
    expect(renderForTraining(tokenizer, answer).at(-1)).toBe(tokenizer.special.return);
    expect(renderConversation(tokenizer, answer).at(-1)).toBe(tokenizer.special.end);
    expect(renderForTraining(tokenizer, answer.slice(0, 1)).at(-1)).toBe(tokenizer.special.end);
  });
});

describe("messages", () => {
  it("are refused where Harmony has no such message", () => {
    const tool: Message = { role: "tool", content: [{ type: "text", text: "x" }] };
    expect(() => renderMessage(tokenizer, tool)).toThrow("Tools should have a name!");
    const system: Message = { role: "user", content: [defaultSystemContent()] };
    expect(() => renderMessage(tokenizer, system)).toThrow(
      "SystemContent may only appear in system messages, found in User",
    );
    const developer: Message = { role: "system", content: [{ type: "developer" }] };
    expect(() => renderMessage(tokenizer, developer)).toThrow(
      "DeveloperContent may only appear in developer messages, found in System",
    );
  });

  it("show response formats last in the developer message", () => {
    const message: Message = {
      role: "developer",
      content: [
        {
          type: "developer",
          instructions: "Be brief.",
          responseFormats: [
            { name: "response", description: "JSON only.", schema: '{"type":"object"}' },
            { name: "page", schema: "<xs:schema/>" },
          ],
        },
      ],
    };
    expect(segmentsToText(messageSegments(message))).toBe(
      '<|start|>developer<|message|># Instructions\n\nBe brief.\n\n# Response Formats\n\n## response\n\n// JSON only.\n{"type":"object"}\n\n## page\n\n<xs:schema/><|end|>',
    );
  });

  it("keep the name and the description of a response format on their lines", () => {
    const format = { name: "a\n## b", description: "One.\u2028Two.\n{}", schema: "{}" };
    const message: Message = {
      role: "developer",
      content: [{ type: "developer", responseFormats: [format] }],
    };
    expect(segmentsToText(messageSegments(message))).toContain(
      "## a ## b\n\n// One.\n// Two.\n// {}\n{}",
    );
  });

  it("have a system message of which every line can be set or left out", () => {
    const written = (given: Partial<SystemContent>): string =>
      segmentsToText(
        messageSegments({ role: "system", content: [defaultSystemContent(given)] }),
      ).slice("<|start|>system<|message|>".length, -"<|end|>".length);
    const whole = written({ modelIdentity: "You are Ada.", currentDate: "2026-05-04" });
    expect(whole.split("\n")).toEqual([
      "You are Ada.",
      "Knowledge cutoff: 2024-06",
      "Current date: 2026-05-04",
      "",
      "Reasoning: medium",
      "",
      "# Valid channels: analysis, commentary, final. Channel must be included for every message.",
    ]);
    expect(
      written({ modelIdentity: null, knowledgeCutoff: "2025-01", reasoningEffort: "low" }),
    ).toBe(
      "Knowledge cutoff: 2025-01\n\nReasoning: low\n\n# Valid channels: analysis, commentary, final. Channel must be included for every message.",
    );
    expect(written({ validChannels: ["final"], channelRequired: false })).toContain(
      "# Valid channels: final.",
    );
    const nothing = { modelIdentity: null, knowledgeCutoff: null, reasoningEffort: null };
    expect(written({ ...nothing, validChannels: [] })).toBe("");
    // As JavaScript passes what was not given.
    expect(written({ modelIdentity: undefined } as unknown as Partial<SystemContent>)).toBe(
      written({}),
    );
  });

  it("write content types in every style", () => {
    const write = (
      contentType: "as-given" | "constrain" | "bare" | "none",
      given: string,
    ): string =>
      segmentsToText(
        messageSegments(text("assistant", "", { recipient: "f", contentType: given }), {
          headerStyle: { recipientPosition: "role", contentType },
        }),
      );
    expect(write("as-given", "json")).toBe("<|start|>assistant to=f json<|message|><|call|>");
    expect(write("constrain", "json")).toBe(
      "<|start|>assistant to=f <|constrain|>json<|message|><|call|>",
    );
    expect(write("bare", "<|constrain|>json")).toBe(
      "<|start|>assistant to=f json<|message|><|call|>",
    );
    expect(write("none", "json")).toBe("<|start|>assistant to=f<|message|><|call|>");
  });

  it("print the builtin tools the same with and without normalised schemas", () => {
    const messages: Message[] = [
      {
        role: "system",
        content: [defaultSystemContent({ tools: [pythonNamespace, browserNamespace] })],
      },
    ];
    const normalised = segmentsToText(conversationSegments(messages));
    expect(normalised).toBe(segmentsToText(conversationSegments(messages, REFERENCE_RENDERING)));
    expect(normalised.indexOf("## browser")).toBeLessThan(normalised.indexOf("## python"));
    expect(normalised).toContain("id?: number | string, // default: -1\n");
  });
});

describe("schemas", () => {
  it("never fail to print, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom("type", "anyOf", "$ref", "properties"),
        (value, key) => {
          for (const schema of [
            value,
            { [key]: value },
            { type: "object", properties: { a: value } },
          ]) {
            const json = schema as { [key: string]: unknown };
            expect(referenceSchemaToType(json)).toBeTypeOf("string");
            expect(schemaToType(json)).toBeTypeOf("string");
          }
        },
      ),
    );
  });

  it("stay small when references double at every step", () => {
    const definitions = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [
        `d${i}`,
        {
          type: "object",
          properties: { a: { $ref: `#/$defs/d${i + 1}` }, b: { $ref: `#/$defs/d${i + 1}` } },
        },
      ]),
    );
    const start = performance.now();
    const type = schemaToType({ $defs: definitions, $ref: "#/$defs/d0" });
    expect(type.length).toBeLessThan(2_000_000);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it("nest as deep as they like", () => {
    let schema: { [key: string]: unknown } = { type: "string" };
    for (let i = 0; i < 5_000; i++) schema = { type: "array", items: schema };
    expect(referenceSchemaToType(schema)).toContain("[][]");
    expect(schemaToType(schema)).toContain("[][]");
  });

  it("hold values that nest as deep as they like", () => {
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    const schema = { type: "object", properties: { a: { default: deep }, b: { enum: [deep] } } };
    expect(schemaToType(schema)).toContain("[[[");
    expect(referenceSchemaToType(schema)).toContain("[[[");
  });

  it("print numbers as the reference does", () => {
    const defaultOf = (value: unknown): string =>
      referenceSchemaToType({
        type: "object",
        properties: { a: { type: "number", default: value } },
      });
    expect(defaultOf(1e21)).toContain("default: 1e21\n");
    expect(defaultOf(1e-7)).toContain("default: 1e-7\n");
    expect(defaultOf(0.00001234)).toContain("default: 0.00001234\n");
    expect(defaultOf(-1.5)).toContain("default: -1.5\n");
    expect(defaultOf([1, "a", { k: null }])).toContain('default: [1,"a",{"k":null}]\n');
  });
});

describe("the wire form", () => {
  it("is refused with the place, what it holds and what is accepted", () => {
    const refuse = (json: unknown): string => {
      try {
        conversationFromJson(json);
        return "accepted";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refuse({ messages: [{ role: "user", content: "x" }] })).toBe("accepted");
    expect(refuse([{ role: "user", content: [{ type: "text", text: "x" }] }])).toBe("accepted");
    expect(refuse(null)).toBe("the conversation is null; accepted: an object");
    expect(refuse({ messages: [{ role: "robot", content: "x" }] })).toBe(
      'messages[0].role is "robot"; accepted: system, developer, user, assistant, tool',
    );
    expect(refuse({ messages: [{ role: "user" }] })).toContain("messages[0].content is missing");
    expect(refuse({ messages: [{ role: "user", content: [{ type: "image" }] }] })).toContain(
      'messages[0].content[0].type is "image"',
    );
    expect(refuse({ messages: [{ role: "user", content: "x", channel: 1 }] })).toContain(
      "messages[0].channel is 1",
    );
    const format = (schema: unknown): unknown => [
      {
        role: "developer",
        content: [{ type: "developer_content", response_formats: [{ name: "response", schema }] }],
      },
    ];
    expect(refuse(format("<a/>"))).toBe("accepted");
    expect(refuse(format({ type: "object" }))).toBe("accepted");
    for (const schema of [undefined, null, 1, [{}]]) {
      expect(refuse(format(schema))).toMatch(
        /^messages\[0\]\.content\[0\]\.response_formats\[0\]\.schema is .*; accepted: a text or a JSON Schema$/,
      );
    }
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    expect(refuse({ messages: [deep] })).toMatch(
      /^messages\[0\] is a value that is nested too deeply/,
    );
    expect(refuse(format({ default: deep }))).toMatch(
      /schema is nested too deeply; accepted: a JSON/,
    );
    const effort = [{ type: "system_content", reasoning_effort: "extreme" }];
    expect(refuse({ messages: [{ role: "system", content: effort }] })).toContain('"Low"');
  });
});
