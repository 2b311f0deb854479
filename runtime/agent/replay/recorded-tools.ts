/** The tools of a recorded turn, as far as a model is told about them: none of them can run. */
import type { Message, ToolSignature } from "../../../harmony/index.ts";
import type { Tool } from "../../../tools/index.ts";
import { DeclaredTools } from "../../calls/declared-tools.ts";
import type { ToolPin } from "../../context.ts";

/**
 * @param pins of the turn's settings
 * @param opening system and developer message, which say the schemas
 */
export function recordedTools(
  pins: readonly ToolPin[],
  opening: readonly Message[],
): DeclaredTools {
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
  return new DeclaredTools(pins.map((pin) => toolOf(pin, signatures.get(pin.recipient))));
}

const NO_ARGUMENTS: Tool["inputSchema"] = { type: "object", properties: {} };

function toolOf({ recipient, name, execution }: ToolPin, signature?: ToolSignature): Tool {
  // Only builtin tools have no dot in their name, and of these python alone takes raw text.
  const schema = recipient.includes(".") ? (signature?.parameters ?? NO_ARGUMENTS) : null;
  return {
    recipient: name,
    description: signature?.description ?? "",
    inputSchema: schema as Tool["inputSchema"],
    timeoutMs: 1,
    ...(execution === "local" && {
      execute: () => Promise.reject(new Error("A recorded tool does not run.")),
    }),
  };
}
