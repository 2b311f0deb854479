/**
 * Tools as the model sees them: the `# Tools` section of a system or developer message, with a
 * TypeScript-like signature for each function.
 */
import type { JsonSchema, ToolNamespace, ToolSignature } from "../message.ts";
import { linesOf, oneLine } from "./json-text.ts";
import { printType } from "./print-type.ts";
import { referenceSchemaToType } from "./reference-type.ts";
import { schemaToGraph } from "./schema-to-graph.ts";

/** How the section is written. */
export type SignatureStyle = {
  readonly typeOf: (schema: JsonSchema) => string;
  /** The lines of a description. */
  readonly lines: (text: string) => readonly string[];
  readonly name: (name: string) => string;
};

/**
 * A JSON Schema as the type of a tool's arguments: every parameter, with its description, default,
 * examples and limits. No text of the schema can end its comment or its line. Never throws; what has no
 * type is `any`.
 */
export function schemaToType(schema: JsonSchema): string {
  return printType(schemaToGraph(schema));
}

/** All that a schema says. */
export const FULL_STYLE: SignatureStyle = {
  typeOf: schemaToType,
  lines: (text) => (text === "" ? [] : linesOf(text.replace(/\r?\n$/, ""))),
  name: oneLine,
};

/** Exactly what the reference implementation prints. */
export const REFERENCE_STYLE: SignatureStyle = {
  typeOf: referenceSchemaToType,
  lines: referenceLines,
  name: (name) => name,
};

/** The `# Tools` section: a block for each namespace, in byte order of their keys. */
export function toolsSection(namespaces: readonly ToolNamespace[], style: SignatureStyle): string {
  const sorted = [...namespaces].sort((a, b) => compareUtf8(a.key ?? a.name, b.key ?? b.name));
  return ["# Tools", ...sorted.map((namespace) => namespaceBlock(namespace, style))].join("\n\n");
}

function namespaceBlock(
  { name: givenName, description, tools }: ToolNamespace,
  style: SignatureStyle,
): string {
  const name = style.name(givenName);
  const block = [`## ${name}\n`];
  for (const line of style.lines(description ?? "")) {
    block.push(tools.length > 0 ? `// ${line}` : line);
  }
  if (tools.length > 0) {
    block.push(`namespace ${name} {\n`);
    for (const tool of tools) block.push(...signatureLines(tool, style));
    block.push(`} // namespace ${name}`);
  }
  return block.join("\n");
}

function signatureLines(
  { name: givenName, originalName, description, parameters }: ToolSignature,
  style: SignatureStyle,
): string[] {
  const name = style.name(givenName);
  const described = style.lines(description).map((line) => `// ${line}`);
  const title = originalName === undefined ? [] : [`// ${oneLine(originalName)}`];
  return [
    ...title,
    ...(title.length > 0 && described.length > 0 ? ["//"] : []),
    ...described,
    parameters === null || parameters === undefined
      ? `type ${name} = () => any;\n`
      : `type ${name} = (_: ${style.typeOf(parameters)}) => any;\n`,
  ];
}

/** Lines without their ends; no last empty line, no line at all for "" (Rust's `str::lines`). */
function referenceLines(text: string): string[] {
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
