/** Facts of a sentence into JSON of a given schema, and into XML of a given XSD. */
import type { Random } from "../random.ts";
import type { Draft } from "./draft.ts";
import { type Field, type FieldType, request, scene } from "./scenes.ts";

export function json(random: Random): Draft {
  const { root, text, fields } = scene(random);
  const schema: Record<string, unknown> = {};
  if (random.chance(0.25)) schema["title"] = root;
  schema["type"] = "object";
  schema["properties"] = Object.fromEntries(fields.map(({ name, type }) => [name, { type }]));
  schema["required"] = fields.map(({ name }) => name);
  if (random.chance(0.6)) schema["additionalProperties"] = false;
  return {
    prompt: request(random, text, "JSON"),
    schema,
    expect: {
      final_json: Object.fromEntries(fields.map(({ name, value }) => [name, value])),
      calls: [],
    },
  };
}

export function xml(random: Random): Draft {
  const { root, text, fields } = scene(random);
  return {
    prompt: request(random, text, "XML"),
    xsd: xsd(random, root, fields),
    expect: {
      final_contains: [`<${root}>`, ...fields.map(element)],
      calls: [],
    },
  };
}

const XSD_TYPES: Readonly<Record<FieldType, string>> = {
  string: "string",
  integer: "integer",
  number: "decimal",
  boolean: "boolean",
};

function xsd(random: Random, root: string, fields: readonly Field[]): string {
  const p = random.pick(["xs", "xs", "xsd"]);
  const lines = [
    `<${p}:schema xmlns:${p}="http://www.w3.org/2001/XMLSchema">`,
    `  <${p}:element name="${root}">`,
    `    <${p}:complexType>`,
    `      <${p}:sequence>`,
    ...fields.map(
      ({ name, type }) => `        <${p}:element name="${name}" type="${p}:${XSD_TYPES[type]}"/>`,
    ),
    `      </${p}:sequence>`,
    `    </${p}:complexType>`,
    `  </${p}:element>`,
    `</${p}:schema>`,
  ];
  if (random.chance(0.3)) lines.unshift('<?xml version="1.0" encoding="UTF-8"?>');
  return random.chance(0.5) ? lines.join("\n") : lines.map((line) => line.trim()).join("");
}

function element({ name, value }: Field): string {
  return `<${name}>${value}</${name}>`;
}
