import { expect, test } from "vitest";
import { createValidator } from "../../tools/index.ts";
import { readYamlDocuments } from "../../tools/validator/yaml-documents.ts";

test("YAML is read as the JSON values it stands for", () => {
  const read = readYamlDocuments('a: 1\nday: 2026-01-02\nlist: [x, null, ~]\n---\n- "1"\n');
  expect(read).toEqual({
    documents: [{ a: 1, day: "2026-01-02", list: ["x", null, null] }, ["1"]],
  });
});

test("what is no YAML, or nothing that JSON can say, is refused with its place", () => {
  expect(readYamlDocuments("a: 1\na: 2\n")).toEqual({
    problem: { message: expect.stringContaining("duplicated mapping key"), line: 2 },
  });
  expect(readYamlDocuments("")).toEqual({ problem: { message: expect.stringContaining("empty") } });
  expect(readYamlDocuments("x: .inf")).toEqual({
    problem: { message: "Infinity is a number of YAML that JSON does not have" },
  });
});

test("aliases that repeat each other are refused before they are written out", () => {
  const levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let at = 1; at < 12; at++) {
    levels.push(
      `a${at}: &a${at} [${Array(10)
        .fill(`*a${at - 1}`)
        .join(", ")}]`,
    );
  }
  expect(readYamlDocuments(levels.join("\n"))).toEqual({
    problem: { message: "the text stands for more than 1000000 values, aliases written out" },
  });
  expect(readYamlDocuments("a: &a [*a]")).toEqual({
    problem: { message: "the value is nested deeper than 256 levels" },
  });
});

test("each document of a YAML text gets a verdict, each text of many as well", async () => {
  const validator = await createValidator({
    jsonSchema: { type: "object", properties: { age: { type: "integer" } }, required: ["age"] },
    extract: false,
  });
  const verdicts = await validator.validateYaml("age: 3\n---\nage: old\n");
  expect(verdicts.map(({ errors }) => errors.length)).toEqual([0, 1]);
  const texts = ['{"age":1}', '{"age":1.5}', "{", '{"age":2}'];
  const many = await validator.validateAll(texts);
  const single = await Promise.all(texts.map((text) => validator.validate(text)));
  expect(many).toEqual(
    single.map(({ action, warnings, errors }) => ({ action, warnings, errors })),
  );
});
