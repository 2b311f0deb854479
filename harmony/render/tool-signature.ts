/**
 * Tools as the model sees them: TypeScript-like signatures made from JSON Schema. The printer follows
 * the reference implementation to the letter, oddities included, since this is the text gpt-oss was
 * trained on; what it cannot express is turned into what it can by `normaliseSchema` beforehand.
 */
import type { JsonSchema, ToolNamespace } from "../message.ts";

type SchemaObject = { readonly [key: string]: unknown };

/** Deeper schemas are printed as `any` from here on: nothing sensible nests so far. */
const MAX_DEPTH = 64;

/** Prints `schema` as a type. Never throws; what has no type is `any`. */
export function schemaToType(schema: JsonSchema): string {
  return typeOf(schema, "", 0);
}

/** The `# Tools` section: a block for each namespace, in byte order of their keys. */
export function toolsSection(
  namespaces: readonly ToolNamespace[],
  prepare: (schema: JsonSchema) => JsonSchema,
): string {
  const sorted = [...namespaces].sort((a, b) => compareUtf8(a.key ?? a.name, b.key ?? b.name));
  return ["# Tools", ...sorted.map((namespace) => namespaceBlock(namespace, prepare))].join("\n\n");
}

function namespaceBlock(
  { name, description, tools }: ToolNamespace,
  prepare: (schema: JsonSchema) => JsonSchema,
): string {
  const block = [`## ${name}\n`];
  for (const line of lines(description ?? "")) block.push(tools.length > 0 ? `// ${line}` : line);
  if (tools.length > 0) {
    block.push(`namespace ${name} {\n`);
    for (const tool of tools) {
      for (const line of lines(tool.description)) block.push(`// ${line}`);
      const { parameters } = tool;
      block.push(
        parameters === null || parameters === undefined
          ? `type ${tool.name} = () => any;\n`
          : `type ${tool.name} = (_: ${schemaToType(prepare(parameters))}) => any;\n`,
      );
    }
    block.push(`} // namespace ${name}`);
  }
  return block.join("\n");
}

/** Lines without their ends; no last empty line, no line at all for "" (Rust's `str::lines`). */
function lines(text: string): string[] {
  if (text === "") return [];
  const parts = text.split("\n");
  if (parts.at(-1) === "") parts.pop();
  return parts.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** Order of the UTF-8 bytes, which is the order of code points and not of UTF-16 units. */
function compareUtf8(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const order = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function typeOf(schema: unknown, indent: string, depth: number): string {
  if (!isObject(schema) || depth > MAX_DEPTH) return "any";
  if (Array.isArray(schema["oneOf"])) return unionType(schema["oneOf"], indent, depth);
  const type = schema["type"];
  if (Array.isArray(type)) {
    const names = type.filter((name) => typeof name === "string");
    if (names.length > 0) {
      return names.map((name) => (name === "integer" ? "number" : name)).join(" | ");
    }
    return "any";
  }
  switch (type) {
    case "object":
      return objectType(schema, indent, depth);
    case "string":
      return stringType(schema);
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return schema["items"] === undefined
        ? "Array<any>"
        : `${typeOf(schema["items"], indent, depth + 1)}[]`;
    default:
      return "any";
  }
}

function stringType(schema: SchemaObject): string {
  const values = Array.isArray(schema["enum"]) ? schema["enum"] : [];
  const strings = values.filter((value) => typeof value === "string");
  return strings.length > 0 ? strings.map((value) => `"${value}"`).join(" | ") : "string";
}

/** `oneOf` anywhere but directly under a property: starts on a new line. */
function unionType(variants: readonly unknown[], indent: string, depth: number): string {
  return variants
    .map((variant) => {
      const comments = [
        ...(isObject(variant) && typeof variant["description"] === "string"
          ? [variant["description"]]
          : []),
        // The one place where the default of an enum stays in quotes.
        ...defaultComment(variant, "quoted"),
      ];
      return `\n${indent} | ${nullableType(variant, `${indent}   `, depth)}${trailing(comments)}`;
    })
    .join("");
}

function objectType(schema: SchemaObject, indent: string, depth: number): string {
  let out = "";
  if (typeof schema["description"] === "string") out += `${indent}// ${schema["description"]}\n`;
  out += "{\n";
  const properties = schema["properties"];
  if (isObject(properties)) {
    const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
    for (const [key, value] of Object.entries(properties)) {
      const name = required.has(key) ? key : `${key}?`;
      out += property(name, value, indent, depth);
    }
  }
  return `${out}${indent}}`;
}

function property(name: string, value: unknown, indent: string, depth: number): string {
  const schema: SchemaObject = isObject(value) ? value : {};
  const { title, description, examples, oneOf } = schema;
  let out = "";
  if (typeof title === "string") out += `${indent}// ${title}\n${indent}//\n`;
  if (oneOf === undefined && typeof description === "string") {
    out += `${indent}// ${description}\n`;
  }
  if (Array.isArray(examples) && examples.length > 0) {
    out += `${indent}// Examples:\n`;
    for (const example of examples) {
      if (typeof example === "string") out += `${indent}// - "${example}"\n`;
    }
  }
  if (Array.isArray(oneOf)) return out + unionProperty(name, schema, oneOf, indent, depth);
  const comment = oneOf === undefined ? defaultComment(schema, "bare") : [];
  return `${out}${indent}${name}: ${nullableType(value, `${indent}    `, depth)},${trailing(comment)}\n`;
}

function unionProperty(
  name: string,
  schema: SchemaObject,
  variants: readonly unknown[],
  indent: string,
  depth: number,
): string {
  const description = typeof schema["description"] === "string" ? schema["description"] : undefined;
  const first = variants[0];
  // Equal to the first variant's, it is left to the variant, which then leaves it out as well.
  const shown =
    description !== undefined && !(isObject(first) && first["description"] === description);
  let out = shown ? `${indent}// ${description}\n` : "";
  for (const comment of defaultComment(schema, "bare")) out += `${indent}// ${comment}\n`;
  out += `${indent}${name}:\n`;
  variants.forEach((variant, at) => {
    const own = isObject(variant) ? variant["description"] : undefined;
    const comments: string[] = [];
    if (!(at === 0 && shown) && typeof own === "string" && own !== description) comments.push(own);
    comments.push(...defaultComment(variant, "bare"));
    out += `${indent} | ${nullableType(variant, `${indent}   `, depth)}${trailing(comments)}\n`;
  });
  return `${out}${indent},\n`;
}

function nullableType(schema: unknown, indent: string, depth: number): string {
  const type = typeOf(schema, indent, depth + 1);
  const nullable = isObject(schema) && schema["nullable"] === true;
  return nullable && !type.includes("null") ? `${type} | null` : type;
}

function trailing(comments: readonly string[]): string {
  return comments.length > 0 ? ` // ${comments.join(" ")}` : "";
}

/** `default: …` if the schema has one; the default of an enum is quoted or bare. */
function defaultComment(schema: unknown, enumDefault: "quoted" | "bare"): string[] {
  if (!isObject(schema) || schema["default"] === undefined) return [];
  const value = schema["default"];
  if (typeof value !== "string") return [`default: ${jsonText(value)}`];
  const isEnum = Array.isArray(schema["enum"]) && schema["enum"].length > 0;
  if (!isEnum) return [`default: "${value}"`];
  return [enumDefault === "bare" ? `default: ${value}` : `default: ${JSON.stringify(value)}`];
}

/** Compact JSON as the reference prints it: like `JSON.stringify` but for the form of some numbers. */
export function jsonText(value: unknown): string {
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (isObject(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** Shortest digits in Rust's layout: exponents from 1e16 up and below 1e-5, floats keep their `.0`. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (Number.isSafeInteger(value)) return String(value);
  const [mantissa, power] = value.toExponential().split("e") as [string, string];
  const exponent = Number(power);
  if (exponent >= 16 || exponent < -5) return `${mantissa}e${exponent}`;
  const text =
    exponent < 0
      ? value.toFixed(mantissa.replace(/[-.]/g, "").length - 1 - exponent)
      : String(value);
  return text.includes(".") ? text : `${text}.0`;
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
