import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createValidator, type ValidationResult, type Validator } from "../../tools/index.ts";
import { placeOf, scanJson } from "../../tools/validator/json-text.ts";
import { scanXml } from "../../tools/validator/xml-text.ts";
import { JSON_ANSWERS, TRIP_SCHEMA, XML_ANSWERS, XSD } from "./answers.ts";

/** A text, what is done with it, and what the model would be told, for a reader. */
async function report(validator: Validator, answers: Record<string, string>): Promise<string> {
  const parts: string[] = [];
  for (const [name, text] of Object.entries(answers)) {
    const shown = text.length > 300 ? `${text.slice(0, 60)}… (${text.length} characters)` : text;
    const result = await validator.validate(text);
    parts.push(
      `## ${name}`,
      visible(shown),
      `--> ${result.action}`,
      outcome(validator, result),
      "",
    );
  }
  return parts.join("\n");
}

function outcome(validator: Validator, result: ValidationResult): string {
  if (result.text === undefined) return validator.feedback(result);
  const value = result.value === undefined ? result.text : JSON.stringify(result.value);
  return [visible(value), ...result.warnings.map((warning) => `(${warning})`)].join("\n");
}

/** Characters that a reader could not see, or that no text file can hold. */
function visible(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hidden = (code < 0x20 && code !== 0x0a) || code === 0xfeff || !character.isWellFormed();
    return hidden ? `\\u${code.toString(16).padStart(4, "0")}` : character;
  }).join("");
}

describe("JSON answers", () => {
  test("are judged as the golden file says", async () => {
    const validator = await createValidator({ jsonSchema: TRIP_SCHEMA });
    await expect(await report(validator, JSON_ANSWERS)).toMatchFileSnapshot(
      "../golden/answers/json.md",
    );
  });

  test("without extraction even a fence is refused", async () => {
    const validator = await createValidator({ jsonSchema: TRIP_SCHEMA, extract: false });
    expect((await validator.validate('{"city":"Oslo","days":3}')).action).toBe("accept");
    for (const text of [
      '```json\n{"city":"Oslo","days":3}\n```',
      '\ufeff{"city":"Oslo","days":3}',
    ]) {
      expect((await validator.validate(text)).action).toBe("retry");
    }
  });

  test("a text that is too long is refused unread", async () => {
    const validator = await createValidator({ jsonSchema: true });
    const result = await validator.validate(`"${"x".repeat(5_000_000)}"`);
    expect(result.errors[0]?.message).toContain("longer than");
  });

  test("every cut of a valid answer is known as cut, or is valid itself", async () => {
    const validator = await createValidator({ jsonSchema: { type: "object" } });
    const whole = '{"a":[1,-2.5e3,true,null,"x\\u00e9\\n"],"b":{"c":""}}';
    for (let end = 1; end < whole.length; end++) {
      const { action } = await validator.validate(whole.slice(0, end));
      expect([whole.slice(0, end), action]).toEqual([whole.slice(0, end), "continue-or-retry"]);
    }
  });
});

describe("the JSON reader", () => {
  test("agrees with JSON.parse on what is JSON", () => {
    const structural = fc.constantFrom(..."{}[]:,\"\\ \n-+.0129eEtrufalsn'/");
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string({ unit: structural, maxLength: 12 })), (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        const scan = scanJson(text);
        const whole = scan.status === "complete" && text.slice(scan.end).trim() === "";
        expect([text, whole]).toEqual([text, valid]);
      }),
      { numRuns: 5000 },
    );
  });

  test("calls no beginning of JSON broken", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, cut) => {
        const beginning = text.slice(0, cut % (text.length + 1));
        expect(scanJson(beginning).status).not.toBe("broken");
      }),
      { numRuns: 2000 },
    );
  });

  test("places count lines and columns from 1", () => {
    expect(placeOf("a\nbc", 3)).toEqual({ line: 2, column: 2 });
    expect(placeOf("", 0)).toEqual({ line: 1, column: 1 });
  });
});

describe("JSON Schema", () => {
  const verdict = async (schema: unknown, value: unknown, draft?: "draft-04" | "draft-07") => {
    const options = { jsonSchema: schema as boolean, ...(draft && { draft }) };
    return (await (await createValidator(options)).validateValue(value)).action === "accept";
  };

  test.each([
    ["true takes anything", true, 5, true],
    ["false takes nothing", false, 5, false],
    ["inherited properties do not count", { required: ["toString"] }, {}, false],
    [
      "__proto__ is a property",
      { additionalProperties: false },
      JSON.parse('{"__proto__":1}'),
      false,
    ],
    [
      "__proto__ may have a schema",
      JSON.parse('{"properties":{"__proto__":{"type":"string"}}}'),
      JSON.parse('{"__proto__":1}'),
      false,
    ],
    ["formats are asserted", { format: "date" }, "2026-02-30", false],
    ["lengths count characters", { maxLength: 1 }, "😀", true],
    ["decimal multiples", { multipleOf: 0.1 }, 0.3, true],
    ["decimal non-multiples", { multipleOf: 0.1 }, 0.35, false],
    ["1.0 is an integer", { type: "integer" }, 1.0, true],
    [
      "exclusiveMinimum of draft-04",
      { $schema: "http://json-schema.org/draft-04/schema#", minimum: 5, exclusiveMinimum: true },
      5,
      false,
    ],
    [
      "exclusiveMinimum: false of draft-04",
      { $schema: "http://json-schema.org/draft-04/schema#", minimum: 5, exclusiveMinimum: false },
      5,
      true,
    ],
    [
      "id of draft-04",
      {
        $schema: "http://json-schema.org/draft-04/schema#",
        id: "http://x/y",
        properties: { id: { type: "string" } },
      },
      { id: 1 },
      false,
    ],
    [
      "tuples of draft-07",
      { $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: "string" }] },
      [1],
      false,
    ],
    ["tuples without a draft", { items: [{ type: "string" }] }, [1], false],
    [
      "a $ref stands alone in draft-07",
      {
        $schema: "http://json-schema.org/draft-07/schema#",
        definitions: { s: { type: "string" } },
        properties: { a: { $ref: "#/definitions/s", maxLength: 1 } },
      },
      { a: "xx" },
      true,
    ],
    [
      "a $ref has company in 2020-12",
      { $defs: { s: { type: "string" } }, properties: { a: { $ref: "#/$defs/s", maxLength: 1 } } },
      { a: "xx" },
      false,
    ],
    [
      "unevaluatedProperties of 2019-09",
      {
        $schema: "https://json-schema.org/draft/2019-09/schema",
        allOf: [{ properties: { a: true } }],
        unevaluatedProperties: false,
      },
      { b: 1 },
      false,
    ],
    [
      "prefixItems of 2020-12",
      { prefixItems: [{ type: "string" }], items: false },
      ["a", 1],
      false,
    ],
    ["nullable without a type", { nullable: true, enum: ["a"] }, "a", true],
    ["an older regular expression", { pattern: "^\\_a$" }, "_a", true],
    [
      "recursion",
      {
        $ref: "#/$defs/n",
        $defs: {
          n: { properties: { k: { items: { $ref: "#/$defs/n" } }, v: { type: "number" } } },
        },
      },
      { k: [{ k: [{ v: "x" }] }] },
      false,
    ],
  ])("%s", async (_, schema, value, valid) => {
    expect(await verdict(schema, value)).toBe(valid);
  });

  test.each([
    ["$async", { $async: true }, "$async"],
    ["$async anywhere", { properties: { a: { anyOf: [{ $async: true }] } } }, "$async"],
    [
      "a foreign reference",
      { items: { $ref: "https://example.org/s.json" } },
      "the $ref https://example.org/s.json at /items leads out of it, and nothing is loaded",
    ],
    [
      "a reference to nothing",
      { properties: { a: { $ref: "#/$defs/x" } } },
      "the $ref #/$defs/x at /properties/a leads to nothing in it",
    ],
    ["alternatives that double", doubled(60), "more than 20000 alternatives at one place"],
    [
      "a part that refers to itself",
      { properties: { a: { anyOf: [{ $ref: "#/properties/a" }, true] } } },
      "refers to itself without end",
    ],
    ["a reference to itself", { $ref: "#" }, "refers to itself without end"],
    [
      "an unknown type",
      { type: "strin" },
      '/type must be one of array, boolean, integer, null, number, object, string, found "strin"',
    ],
    ["a pattern that is none", { pattern: "(" }, "cannot be used"],
    ["a list", [], "found an array"],
    ["a text", "x", 'found "x"'],
    ["null", null, "found null"],
    ["nothing", undefined, "found undefined"],
    ["what is no JSON", { a: 1n }, "is no JSON"],
    ["endless depth", nested(500), "nested deeper than 200 levels"],
    ["endless length", { description: "x".repeat(2_000_000) }, "at most 1048576 are accepted"],
  ])("refuses %s in one sentence", async (_, schema, message) => {
    const made = createValidator({ jsonSchema: schema as boolean });
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toMatchObject({ code: "CHORALE_SCHEMA" });
  });

  test("equal items are found among many objects, and none where there is none", async () => {
    const validator = await createValidator({ jsonSchema: { uniqueItems: true } });
    const items = Array.from({ length: 30_000 }, (_, n) => ({ n, name: `item ${n % 7}` }));
    expect((await validator.validateValue(items)).action).toBe("accept");
    const twice = [...items, { name: "item 0", n: 0 }];
    expect((await validator.validateValue(twice)).errors).toEqual([
      { message: "items must be different: 0 and 30000 are equal" },
    ]);
  });

  test("what is not enforced is a warning", async () => {
    const validator = await createValidator({
      jsonSchema: {
        $schema: "https://example.org/own",
        properties: { a: { format: "colour" } },
        id: "x",
        minimun: 5,
      },
    });
    expect(validator.warnings.join("\n")).toMatch(
      /dialect https:\/\/example.org\/own is not known/,
    );
    expect(validator.warnings.join("\n")).toMatch(
      /The format colour at \/properties\/a is not known/,
    );
    expect(validator.warnings.join("\n")).toMatch(/keyword "id" is ignored/);
    expect(validator.warnings.join("\n")).toMatch(/keyword minimun at the root is not known/);
  });

  test("a validator that was put away to make room is compiled again", async () => {
    const first = await createValidator({ jsonSchema: { const: "first" } });
    for (let i = 0; i < 70; i++) await createValidator({ jsonSchema: { const: i } });
    expect((await first.validateValue("first")).action).toBe("accept");
    expect((await first.validateValue("x")).action).toBe("retry");
  });

  test("what never comes to an end is given up, and delays no other text", async () => {
    const endless = await createValidator({ jsonSchema: { pattern: "^(a+)+$" } });
    let isGivenUp = false;
    const bomb = endless.validateValue(`${"a".repeat(60)}!`).finally(() => {
      isGivenUp = true;
    });
    const other = await createValidator({ jsonSchema: { const: 1 } });
    expect((await other.validateValue(1)).action).toBe("accept");
    expect((await endless.validateValue("aaa")).action).toBe("accept");
    expect(isGivenUp).toBe(false);
    expect(await bomb).toMatchObject({
      action: "retry",
      errors: [{ message: "checking it was given up: it took longer than 5 s" }],
    });
  });
});

/** Each definition offers the next one twice. */
function doubled(depth: number): unknown {
  const names = Array.from({ length: depth }, (_, i) => `d${i}`);
  const next = (i: number) => ({ $ref: `#/$defs/d${i + 1}` });
  const $defs = Object.fromEntries(names.map((name, i) => [name, { anyOf: [next(i), next(i)] }]));
  return { $ref: "#/$defs/d0", $defs: { ...$defs, [`d${depth}`]: { type: "string" } } };
}

function nested(depth: number): unknown {
  let schema: unknown = {};
  for (let i = 0; i < depth; i++) schema = { not: schema };
  return schema;
}

describe("violations", () => {
  const messages = async (schema: object, value: unknown): Promise<string[]> => {
    const validator = await createValidator({ jsonSchema: schema as Record<string, unknown> });
    const { errors } = await validator.validateValue(value);
    return errors.map(({ path = "", message }) => `${path}: ${message}`);
  };
  const shapes = {
    $defs: {
      circle: {
        type: "object",
        properties: { kind: { const: "circle" }, r: { type: "number" } },
        required: ["kind", "r"],
        additionalProperties: false,
      },
      box: {
        type: "object",
        properties: {
          kind: { const: "box" },
          inner: { oneOf: [{ $ref: "#/$defs/circle" }, { $ref: "#/$defs/box" }] },
        },
        required: ["kind"],
        additionalProperties: false,
      },
    },
    oneOf: [{ $ref: "#/$defs/circle" }, { $ref: "#/$defs/box" }],
  };

  test.each([
    [
      "the alternative with the tag is meant",
      shapes,
      { kind: "circle", radius: 1 },
      [': missing "r"', ': unknown "radius"; allowed: "kind", "r"'],
    ],
    [
      "also within an alternative",
      shapes,
      { kind: "box", inner: { kind: "circle", r: "1" } },
      ['/inner/r: must be number, got string "1"; remove the quotes'],
    ],
    ["no alternative has the type", shapes, 5, [": must fit one of 2 alternatives, got number 5"]],
    [
      "alternatives of plain types are a list",
      { anyOf: [{ type: "string" }, { type: "null" }] },
      5,
      [": must be string or null, got number 5; write it in quotes"],
    ],
    [
      "more than one fits",
      { oneOf: [{ type: "integer" }, { minimum: 2 }] },
      3,
      [": must fit exactly one alternative, fits 2, got number 3"],
    ],
    [
      "alternatives that are values are a list of values",
      { properties: { unit: { oneOf: [{ const: "km", title: "Kilometre" }, { const: "mile" }] } } },
      { unit: "miles" },
      ['/unit: must be one of "km", "mile", got "miles" (did you mean "mile"?)'],
    ],
    [
      "very many alternatives are told as a whole",
      { anyOf: Array.from({ length: 500 }, (_, n) => ({ required: [`p${n}`], type: "object" })) },
      {},
      [": must fit one of 500 alternatives, got object {}"],
    ],
    [
      "a nearby name",
      { enum: ["celsius", "kelvin"] },
      "celcius",
      [': must be one of "celsius", "kelvin", got "celcius" (did you mean "celsius"?)'],
    ],
    [
      "JSON in a string",
      { type: "object" },
      "{}",
      [': must be object, got string "{}"; write the value itself, not JSON inside of a string'],
    ],
    [
      "a long value is cut",
      { type: "number" },
      "x".repeat(500),
      [`: must be number, got string "${"x".repeat(76)}...; write a number`],
    ],
    [
      "one line per mistake",
      { properties: { a: { minLength: 3, pattern: "^b" } } },
      { a: "c" },
      ['/a: must have at least 3 characters, got "c"', '/a: must match the pattern ^b, got "c"'],
    ],
    [
      "then, without its if",
      JSON.parse('{"if":{"required":["a"]},"then":{"required":["b"]}}'),
      { a: 1 },
      [': missing "b"'],
    ],
    [
      "pairs that are equal",
      { uniqueItems: true },
      [1, 2, 1],
      [": items must be different: 0 and 2 are equal"],
    ],
  ])("%s", async (_, schema, value, expected) => {
    expect(await messages(schema, value)).toEqual(expected);
  });

  test("at most ten mistakes are told", async () => {
    const value = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`p${i}`, i]));
    const told = await messages({ additionalProperties: { type: "string" } }, value);
    expect(told).toHaveLength(11);
    expect(told.at(-1)).toBe(": and 5 more mistakes");
  });
});

describe("XML answers", () => {
  test("are judged as the golden file says", async () => {
    const validator = await createValidator({ xsd: XSD });
    await expect(await report(validator, XML_ANSWERS)).toMatchFileSnapshot(
      "../golden/answers/xml.md",
    );
  });

  test("the root may be demanded", async () => {
    const validator = await createValidator({ xsd: XSD, root: "note" });
    expect((await validator.validate("<memo>x</memo>")).errors).toEqual([
      { message: "the root element must be <note>, found <memo>", line: 1 },
    ]);
    expect((await (await createValidator({ xsd: XSD })).validate("<memo>x</memo>")).action).toBe(
      "accept",
    );
  });

  test("every cut of a valid answer is known as cut", async () => {
    const validator = await createValidator({ xsd: XSD });
    const whole = '<note lang="en"><to>Ann</to><!-- c --><body><![CDATA[a < b]]></body></note>';
    for (let end = 2; end < whole.length; end++) {
      const { action } = await validator.validate(whole.slice(0, end));
      expect([whole.slice(0, end), action]).toEqual([whole.slice(0, end), "continue-or-retry"]);
    }
  });

  test.each([
    ["no XML", "hello", "line 1: Start tag expected"],
    ["XML that is no schema", "<a/>", "is not a schema document"],
    ["a cut schema", XSD.slice(0, 200), "cannot be used: the XSD, line"],
    [
      "an unknown type",
      XSD.replace("xs:string", "xs:strin"),
      "does not resolve to a(n) type definition",
    ],
    [
      "a foreign file",
      XSD.replace(/(<xs:schema[^>]*>)/, '$1<xs:include schemaLocation="file:///etc/passwd"/>'),
      "the XSD includes file:///etc/passwd, and only files below the folder of the XSD are read",
    ],
    ["a DOCTYPE", `<!DOCTYPE x>${XSD}`, "has a DOCTYPE"],
    ["nothing", "", "cannot be used"],
  ])("an XSD that is %s is refused in one sentence", async (_, xsd, message) => {
    const made = createValidator({ xsd });
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toMatchObject({ code: "CHORALE_SCHEMA" });
  });

  test("many documents do not fill the memory", async () => {
    const validator = await createValidator({ xsd: XSD });
    for (let i = 0; i < 500; i++) {
      const body = i % 2 ? "<body>x</body>" : "";
      await validator.validate(`<note><to>${"y".repeat(10_000)}</to>${body}</note>`);
    }
    expect((await validator.validate("<note><to/><body/></note>")).action).toBe("accept");
  });
});

describe("the look over XML", () => {
  test.each([
    ["<a/>", false, false, 0],
    ["<a><b/></a>", false, false, 1],
    ["<a b='>'>", false, true, 1],
    ["<a></b>", false, false, 1],
    ["<!DOCTYPE a><a/>", true, false, 0],
    ["<!-- <!DOCTYPE a> --><a/>", false, false, 0],
    ["<a><![CDATA[<!DOCTYPE x>]]></a>", false, false, 1],
    ["<?xml version='1.0'", false, true, 0],
    ['<a b="', false, true, 0],
    ["plain", false, false, 0],
  ])("%s", (text, doctype, unfinished, depth) => {
    expect(scanXml(text)).toEqual({ doctype, unfinished, depth });
  });

  test("comes to an end on any text", () => {
    const units = fc.constantFrom(..."<>/!?-[]CDATA\"' a");
    fc.assert(
      fc.property(fc.string({ unit: units, maxLength: 60 }), (text) => {
        expect(scanXml(text).depth).toBeLessThan(60);
      }),
      { numRuns: 2000 },
    );
  });
});
