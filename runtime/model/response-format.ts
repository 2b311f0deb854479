/** How the model is told what its answer must be, under `# Response Formats` of the developer message. */
import type { ResponseFormat } from "../../harmony/index.ts";
import { xmlSchemaText } from "../../tools/index.ts";
import type { OutputFormat } from "../context.ts";

/**
 * Characters of a schema that the model is shown whole: some 4,000 tokens. Of a longer one it is shown what
 * it needs to write a value, without what only explains.
 */
const MAX_SHOWN = 16_000;

export function responseFormat(output: OutputFormat): ResponseFormat {
  return { name: "response", ...described(output) };
}

function described(output: OutputFormat): {
  readonly description: string;
  readonly schema: string;
} {
  switch (output.type) {
    case "json":
      return {
        description:
          "The final message must be JSON that is valid against this JSON Schema, and nothing else.",
        schema: jsonSchemaText(output.schema),
      };
    case "xml":
      return {
        description:
          "The final message must be an XML document that is valid against this XML Schema (XSD), and nothing else." +
          (output.root === undefined ? "" : ` Its root element is <${output.root}>.`),
        schema: xsdText(xmlSchemaText(output)),
      };
    case "choice":
      return {
        description: "The final message must be exactly one of these texts, and nothing else.",
        schema: JSON.stringify(output.choices),
      };
    case "regex":
      return {
        description:
          "The final message must match this regular expression from its first to its last character.",
        schema: output.pattern,
      };
    case "grammar":
      return {
        description: `The final message must be a text of this grammar (${output.syntax === "lark" ? "Lark" : "EBNF"}), and nothing else.`,
        schema: output.text.trim(),
      };
  }
}

function jsonSchemaText(schema: unknown): string {
  const whole = JSON.stringify(schema);
  if (whole.length <= MAX_SHOWN) return whole;
  const isNoted = new Set([
    "title",
    "description",
    "examples",
    "$comment",
    "default",
    "deprecated",
  ]);
  // A property may be called like a keyword: under `properties` names are names.
  const lean = (value: unknown, isNames: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => lean(item, false));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => isNames || !isNoted.has(key))
        .map(([key, held]) => [
          key,
          key === "enum" || key === "const" ? held : lean(held, !isNames && NAMES.has(key)),
        ]),
    );
  };
  return JSON.stringify(lean(schema, false));
}

/** Keywords that hold schemas by names. */
const NAMES: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
  "definitions",
  "$defs",
]);

function xsdText(xsd: string): string {
  if (xsd.length <= MAX_SHOWN) return xsd;
  return xsd
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/<((?:\w+:)?annotation)\b[^>]*>[\s\S]*?<\/\1>/g, "")
    .replace(/\n\s+/g, "\n")
    .trim();
}
