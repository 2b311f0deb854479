/** A tool as the model reads it. */
import { schemaToType, type ToolSignature } from "../../harmony/index.ts";
import type { Tool } from "../../tools/index.ts";
import type { DeclaredTool } from "./declared-tools.ts";

export function signatureOf({ recipient, name, tool }: DeclaredTool): ToolSignature {
  const { description, inputSchema } = tool;
  return {
    name: withoutNamespace(recipient),
    ...(name !== recipient && { originalName: withoutNamespace(name) }),
    description,
    parameters: takesNothing(inputSchema) ? null : inputSchema,
  };
}

function withoutNamespace(recipient: string): string {
  return recipient.slice(recipient.indexOf(".") + 1);
}

/** What a schema may say beside its properties without asking for an argument. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  ...["type", "properties", "required", "additionalProperties"],
  ...["title", "description", "$schema", "$id"],
]);

/** Such a function is shown as `() => any`. */
function takesNothing(schema: Tool["inputSchema"]): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  const { type, properties = {}, additionalProperties = false } = schema;
  return (
    type === "object" &&
    additionalProperties === false &&
    Object.keys(properties ?? {}).length === 0 &&
    Object.keys(schema).every((key) => SAYS_NOTHING.has(key))
  );
}

/** The lines that declare a tool, as they stand in the prompt. */
export function signatureText(declared: DeclaredTool): string {
  const { name, description, parameters } = signatureOf(declared);
  const lines = description.split("\n").map((line) => `// ${line}\n`);
  const type =
    parameters === null || parameters === undefined ? "" : `_: ${schemaToType(parameters)}`;
  return `${lines.join("")}type ${name} = (${type}) => any;\n\n`;
}
