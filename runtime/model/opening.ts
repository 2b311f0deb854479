/** The messages a conversation begins with: what the model is, what it may call, what it is asked. */
import {
  browserNamespace,
  defaultSystemContent,
  type Message,
  pythonNamespace,
  type ToolNamespace,
} from "../../harmony/index.ts";
import { namespaceOf } from "../../tools/index.ts";
import type { DeclaredTool, DeclaredTools } from "../calls/declared-tools.ts";
import { signatureOf } from "../calls/signature.ts";
import type { TurnSettings } from "../context.ts";
import { responseFormat } from "./response-format.ts";

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
export function openingMessages(settings: TurnSettings, tools: DeclaredTools): readonly Message[] {
  const deferred = new Set(settings.deferredTools);
  const isOffered = ({ recipient }: DeclaredTool): boolean => !deferred.has(recipient);
  const offered = settings.toolChoice === "none" ? [] : tools.list.filter(isOffered);
  const namespaces = new Set(offered.map(({ recipient }) => namespaceOf(recipient)));
  const builtin = [...namespaces].flatMap((name) => {
    const trained = BUILTIN.get(name);
    return trained === undefined
      ? []
      : [amended(trained, tools.inNamespace(name).filter(isOffered))];
  });
  const declared = [...namespaces]
    .filter((name) => !BUILTIN.has(name))
    .map((name): ToolNamespace => {
      const held = tools.inNamespace(name).filter(isOffered);
      const description = held.find(({ tool }) => tool.namespaceDescription)?.tool;
      return {
        name,
        ...(description && { description: description.namespaceDescription ?? null }),
        tools: held.map(signatureOf),
      };
    });
  const { instructions, system, output } = settings;

  const opening: Message = {
    role: "system",
    content: [
      defaultSystemContent({
        reasoningEffort: settings.effort,
        currentDate: settings.date,
        ...(system.identity !== undefined && { modelIdentity: system.identity }),
        ...(system.knowledgeCutoff !== undefined && { knowledgeCutoff: system.knowledgeCutoff }),
        ...(builtin.length > 0 && { tools: builtin }),
      }),
    ],
  };
  if (!instructions && declared.length === 0 && output === null) return [opening];
  const developer: Message = {
    role: "developer",
    content: [
      {
        type: "developer",
        ...(instructions && { instructions }),
        ...(declared.length > 0 && { tools: declared }),
        ...(output !== null && { responseFormats: [responseFormat(output)] }),
      },
    ],
  };
  return [opening, developer];
}

/** What the model was trained with, and what is to be known here and now. */
function amended(trained: ToolNamespace, tools: readonly DeclaredTool[]): ToolNamespace {
  const suffixes = tools.flatMap(({ tool }) => tool.descriptionSuffix ?? []);
  if (suffixes.length === 0) return trained;
  return { ...trained, description: [trained.description ?? "", ...suffixes].join("\n\n") };
}

export function userMessage(text: string): Message {
  return { role: "user", content: [{ type: "text", text }] };
}
