/** Tools as the functions of a chat API: a name of letters, digits, `_` and `-`, and arguments that are JSON. */
import { allowedTools, isDemanded } from "../../calls/allowed-tools.ts";
import type { DeclaredTool, DeclaredTools } from "../../calls/declared-tools.ts";
import type { ModelRequest } from "../language-model.ts";

export type ChatFunction = {
  readonly name: string;
  readonly description: string;
  readonly parameters: unknown;
};

/** What a function call has to be: any or none, one of them, or this one. */
export type ChatToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** Of a tool whose input is one text. */
const TEXT_PARAMETERS = {
  type: "object",
  properties: { input: { type: "string" } },
  required: ["input"],
  additionalProperties: false,
} as const;

export class ToolNames {
  readonly #byName = new Map<string, DeclaredTool>();
  readonly #byRecipient = new Map<string, string>();

  constructor(tools: DeclaredTools) {
    for (const tool of tools.list) {
      const plain = tool.recipient
        .replace(/^functions\./, "")
        .replace(/[^A-Za-z0-9_-]/g, "_")
        .slice(0, 60);
      let name = plain;
      for (let n = 2; this.#byName.has(name); n++) name = `${plain}_${n}`;
      this.#byName.set(name, tool);
      this.#byRecipient.set(tool.recipient, name);
    }
  }

  /** One that is not declared any more keeps the name that it would have. */
  nameOf(recipient: string): string {
    const known = this.#byRecipient.get(recipient);
    if (known !== undefined) return known;
    const plain = recipient.replace(/^functions\./, "").replace(/[^A-Za-z0-9_-]/g, "_");
    return plain.slice(0, 64) || "unknown";
  }

  /** What the runtime addresses; a name that no tool has is told as it is. */
  recipientOf(name: string): string {
    return this.#byName.get(name)?.recipient ?? name;
  }

  /** The body of a call as arguments. */
  wrapped(recipient: string, body: string): string {
    const tool = this.#byName.get(this.nameOf(recipient));
    return tool?.tool.inputSchema === null ? JSON.stringify({ input: body }) : body || "{}";
  }

  /** Arguments as the body of a call. */
  unwrapped(name: string, text: string): string {
    if (this.#byName.get(name)?.tool.inputSchema !== null) return text.trim() === "" ? "{}" : text;
    try {
      const { input } = JSON.parse(text) as { input?: unknown };
      return typeof input === "string" ? input : text;
    } catch {
      return text;
    }
  }

  /** Those that may be called in this step. */
  functions({ tools, settings, transcript, toolChoice }: ModelRequest): readonly ChatFunction[] {
    const found = new Set(transcript.flatMap(({ declares }) => declares ?? []));
    const hidden = new Set(
      (settings.deferredTools ?? []).filter((recipient) => !found.has(recipient)),
    );
    return allowedTools(toolChoice, tools)
      .filter(({ recipient }) => !hidden.has(recipient))
      .map(({ recipient, tool }) => ({
        name: this.nameOf(recipient),
        description: [tool.description, tool.descriptionSuffix ?? ""].join("\n\n").trim(),
        parameters: tool.inputSchema ?? TEXT_PARAMETERS,
      }));
  }

  choice({ toolChoice }: ModelRequest, functions: readonly ChatFunction[]): ChatToolChoice {
    if (functions.length === 0 || toolChoice === "none") return "none";
    if (!isDemanded(toolChoice)) return "auto";
    const [only] = functions;
    return functions.length === 1 && only !== undefined ? { name: only.name } : "required";
  }
}
