/** The tools of a recorded turn, as far as a model is told about them: none of them can run. */
import type { Message, ToolSignature } from "../../../harmony/index.ts";
import type { Tool } from "../../../tools/index.ts";
import { DeclaredTools } from "../../calls/declared-tools.ts";
import type { ToolPin } from "../../context.ts";

/**
 * @param pins of the turn's settings
 * @param opening system and developer message, which say the schemas of functions
 * @param now tools that the program has; one with the recorded definition says its schema, which the opening does not
 *   have for builtin tools, and for those that the model finds by a search
 */
export function recordedTools(
  pins: readonly ToolPin[],
  opening: readonly Message[],
  now: readonly Tool[] = [],
): DeclaredTools {
  const { list, pins: ownPins } = new DeclaredTools(now);
  const current = new Map(
    list.map(({ name, tool }, at) => [`${name} ${ownPins[at]?.hash}`, tool] as const),
  );
  const signatures = new Map<string, ToolSignature>(
    opening.flatMap(({ content }) =>
      content.flatMap((part) =>
        part.type === "developer"
          ? (part.tools ?? []).flatMap(({ name, tools }) =>
              (tools ?? []).map((tool) => [`${name}.${tool.name}`, tool] as const),
            )
          : [],
      ),
    ),
  );
  return new DeclaredTools(
    pins.map((pin) =>
      toolOf(pin, signatures.get(pin.recipient), current.get(`${pin.name} ${pin.hash}`)),
    ),
  );
}

const NO_ARGUMENTS = { type: "object", properties: {}, additionalProperties: false } as const;

function toolOf(
  { recipient, name, execution }: ToolPin,
  signature: ToolSignature | undefined,
  current: Tool | undefined,
): Tool {
  return {
    recipient: name,
    description: signature?.description ?? current?.description ?? "",
    inputSchema: current?.inputSchema ?? schemaOf(recipient, signature),
    timeoutMs: 1,
    ...(execution === "local" && {
      execute: () => Promise.reject(new Error("A recorded tool does not run.")),
    }),
  };
}

/** Of a function as it was declared; a builtin tool without a known schema takes anything. */
function schemaOf(recipient: string, signature: ToolSignature | undefined): Tool["inputSchema"] {
  // Of the builtin tools python alone has no dot in its name, and takes raw text.
  if (!recipient.includes(".")) return null;
  if (signature === undefined) return true;
  return (signature.parameters ?? NO_ARGUMENTS) as Tool["inputSchema"];
}
