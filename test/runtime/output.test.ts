import { describe, expect, test } from "vitest";
import { validateAnswer } from "../../runtime/agent/output.ts";
import { createValidator } from "../../tools/index.ts";

const GOOD = '{"city":"Bergen","days":4}';
const trip = await createValidator({
  jsonSchema: {
    type: "object",
    required: ["city", "days"],
    properties: { city: { type: "string" }, days: { type: "integer", maximum: 14 } },
  },
});

describe("an answer inside of Harmony markup that came out as text", () => {
  test.each([
    `<|channel|>final <|constrain|>json<|message|>${GOOD}<|return|>`,
    `<|channel|>analysis<|message|>Maybe {"city":"Oslo"}?<|end|><|start|>assistant<|channel|>final<|message|>${GOOD}<|return|>`,
    `${GOOD}<|return|>`,
    `<|channel|>final<|message|>\`\`\`json\n${GOOD}\n\`\`\`<|return|>`,
  ])("%s", async (text) => {
    const result = await validateAnswer(trip, text);
    expect(result).toMatchObject({ action: "accept-after-extraction", text: GOOD, errors: [] });
    expect(result.warnings[0]).toBe("Harmony markup around the answer was removed.");
  });

  test("in XML", async () => {
    const note = await createValidator({
      xsd: '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="note" type="xs:string"/></xs:schema>',
    });
    const text = "<|channel|>final<|message|><note>Hi</note><|return|>";
    expect(await validateAnswer(note, text)).toMatchObject({
      action: "accept-after-extraction",
      text: "<note>Hi</note>",
    });
  });

  test("is judged by what is left, and markup inside of a value is a part of it", async () => {
    const wrong = await validateAnswer(
      trip,
      '<|channel|>final<|message|>{"city":"Bergen","days":40}<|return|>',
    );
    expect(wrong.action).toBe("retry");
    expect(wrong.errors[0]?.path).toBe("/days");
    const text = '{"city":"<|end|>","days":4}';
    expect(await validateAnswer(trip, text)).toMatchObject({ action: "accept", text });
  });
});
