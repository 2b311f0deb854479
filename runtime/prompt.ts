/** The messages a conversation begins with: what the model is, what it may call, what it is asked. */
import {
  browserNamespace,
  defaultSystemContent,
  type Message,
  pythonNamespace,
  type ReasoningEffort,
  type ResponseFormat,
  type ToolNamespace,
  type ToolSignature,
} from "../harmony/index.ts";
import { namespaceOf, type Tool, type ToolRegistry } from "../tools/index.ts";

export type Opening = {
  readonly tools: ToolRegistry;
  readonly effort: ReasoningEffort;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly instructions?: string | undefined;
  readonly responseFormat?: ResponseFormat | undefined;
};

/** The reference text leaves open whether the sandbox has a network; ours has none. */
const python: ToolNamespace = {
  ...pythonNamespace,
  description: (pythonNamespace.description ?? "").replace(
    "Internet access for this session is UNKNOWN. Depends on the cluster.",
    "Internet access for this session is disabled.",
  ),
};

/** The namespaces that the model was trained with; they stand in the system message. */
const BUILTIN: ReadonlyMap<string, ToolNamespace> = new Map([
  ["python", python],
  ["browser", browserNamespace],
]);

/**
 * System and developer message. The system message is always there, since models drop out of the
 * format without it; the developer message is there if it says anything.
 */
export function openingMessages(opening: Opening): readonly Message[] {
  const namespaces = new Set(opening.tools.list().map(({ recipient }) => namespaceOf(recipient)));
  const builtin = [...namespaces].flatMap((name) => {
    const trained = BUILTIN.get(name);
    return trained === undefined ? [] : [amended(trained, opening.tools.inNamespace(name))];
  });
  const declared = [...namespaces]
    .filter((name) => !BUILTIN.has(name))
    .map((name) => ({ name, tools: opening.tools.inNamespace(name).map(signatureOf) }));
  const { instructions, responseFormat } = opening;

  const system: Message = {
    role: "system",
    content: [
      defaultSystemContent({
        reasoningEffort: opening.effort,
        currentDate: opening.date,
        ...(builtin.length > 0 && { tools: builtin }),
      }),
    ],
  };
  if (!instructions && declared.length === 0 && responseFormat === undefined) return [system];
  const developer: Message = {
    role: "developer",
    content: [
      {
        type: "developer",
        ...(instructions && { instructions }),
        ...(declared.length > 0 && { tools: declared }),
        ...(responseFormat && { responseFormats: [responseFormat] }),
      },
    ],
  };
  return [system, developer];
}

/** What the model was trained with, and what is to be known here and now. */
function amended(trained: ToolNamespace, tools: readonly Tool[]): ToolNamespace {
  const suffixes = tools.flatMap(({ descriptionSuffix }) => descriptionSuffix ?? []);
  if (suffixes.length === 0) return trained;
  return { ...trained, description: [trained.description ?? "", ...suffixes].join("\n\n") };
}

export function userMessage(text: string): Message {
  return { role: "user", content: [{ type: "text", text }] };
}

function signatureOf(tool: Tool): ToolSignature {
  const { recipient, description, inputSchema } = tool;
  return {
    name: recipient.slice(recipient.indexOf(".") + 1),
    description,
    parameters: takesNothing(inputSchema) ? null : inputSchema,
  };
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
