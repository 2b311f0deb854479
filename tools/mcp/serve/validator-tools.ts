/** The validator as tools: what is wrong with a text that was to be JSON or XML of a schema. */
import type { JsonSchema } from "../../../harmony/index.ts";
import { placed } from "../../core/text.ts";
import type { Tool, ToolOutput } from "../../core/tool.ts";
import {
  createValidator,
  type ValidationResult,
  type ValidatorOptions,
} from "../../validator/index.ts";

const LIMIT_MS = 60_000;
const READ_ONLY = { readOnlyHint: true, idempotentHint: true, openWorldHint: false } as const;
const MOST_ERRORS = 50;

/** `validate_json` and `validate_xml`. */
export function validatorTools(): readonly Tool[] {
  return [
    {
      recipient: "functions.validate_json",
      description:
        "Checks a text against a JSON Schema (any draft) and says what is wrong with it, with the place of each error.",
      inputSchema: {
        type: "object",
        properties: {
          schema: { type: ["object", "boolean"], description: "The JSON Schema" },
          text: { type: "string", description: "The JSON to check, as a text" },
        },
        required: ["schema", "text"],
      },
      timeoutMs: LIMIT_MS,
      annotations: READ_ONLY,
      execute(input) {
        const { schema, text } = input as { schema: JsonSchema; text: string };
        return check({ jsonSchema: schema, extract: false }, text);
      },
    },
    {
      recipient: "functions.validate_xml",
      description:
        "Checks a text against an XML Schema (XSD 1.0) and says what is wrong with it, with the line of each error.",
      inputSchema: {
        type: "object",
        properties: {
          xsd: { type: "string", description: "The XML Schema, as a text" },
          text: { type: "string", description: "The XML to check, as a text" },
          root: { type: "string", description: "Name that the root element must have" },
        },
        required: ["xsd", "text"],
      },
      timeoutMs: LIMIT_MS,
      annotations: READ_ONLY,
      execute(input) {
        const { xsd, text, root } = input as { xsd: string; text: string; root?: string };
        return check({ xsd, ...(root !== undefined && { root }) }, text);
      },
    },
  ];
}

async function check(options: ValidatorOptions, text: string): Promise<ToolOutput> {
  const validator = await createValidator(options);
  const { action, errors, warnings } = await validator.validate(text);
  const isValid = action === "accept" || action === "accept-after-extraction";
  const structuredContent = {
    valid: isValid,
    errors: errors.slice(0, MOST_ERRORS).map((error) => ({ ...error })),
    warnings: [...validator.warnings, ...warnings],
  };
  return { text: isValid ? "It is valid." : sentences(errors), structuredContent };
}

function sentences(errors: ValidationResult["errors"]): string {
  const lines = errors.slice(0, MOST_ERRORS).map((error) => {
    const line = error.line === undefined ? "" : `line ${error.line}: `;
    return `- ${line}${placed(error)}`;
  });
  return ["It is not valid:", ...lines].join("\n");
}
