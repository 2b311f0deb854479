/**
 * JSON Schema as a TypeScript-like type, exactly as the reference implementation prints it: unknown
 * keywords are left out, comments of several lines are not marked, values are not escaped. Use it for
 * comparison with the reference; `schemaToType` prints what a schema says.
 */
import type { JsonSchema } from "../message.ts";
import { jsonText } from "./json-text.ts";

type SchemaObject = { readonly [key: string]: unknown };

/** Deeper schemas are printed as `any` from here on: nothing sensible nests so far. */
const MAX_DEPTH = 64;

/** Prints `schema` as the reference does. Never throws; what has no type is `any`. */
export function referenceSchemaToType(schema: JsonSchema): string {
  return typeOf(schema, "", 0);
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

function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
