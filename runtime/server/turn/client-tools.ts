/**
 * Tools that the client of an API carries out: how the model knows them, and by which names they go back.
 * The model reads a function as `type NAME = (…) => any`, so a name that is no identifier is made one.
 */
import { createHash } from "node:crypto";
import type { JsonSchema } from "../../../harmony/index.ts";
import { type InputFormat, isToolName, type Tool } from "../../../tools/index.ts";

/** A tool as a request declares it. */
export type ClientTool = {
  readonly name: string;
  /** Of a tool in a namespace; both names go back to the client as they came. */
  readonly namespace?: string | null | undefined;
  readonly namespaceDescription?: string | null | undefined;
  readonly description?: string | null | undefined;
  /** JSON Schema of the arguments. Absent: any object. */
  readonly parameters?: JsonSchema | null | undefined;
  readonly strict?: boolean | null | undefined;
  /** The arguments are a text of the tool's own, not JSON (a patch, a query). */
  readonly isCustom?: boolean;
  /** Of a custom tool: the texts that it takes. Absent: any. */
  readonly format?: InputFormat;
};

/** Functions of these names would be taken for the tools that gpt-oss was trained with. */
const TRAINED: ReadonlySet<string> = new Set(["python", "browser", "container", "bash"]);
/** Declared under these names a client's tools are the ones that gpt-oss was trained with. */
const TRAINED_TOOLS: ReadonlySet<string> = new Set([
  "browser.search",
  "browser.open",
  "browser.find",
]);
const MAX_NAME_LENGTH = 64;
const MAX_KNOWN_TOOLS = 1024;
const ANY_ARGUMENTS: JsonSchema = { type: "object" };
const TEXT_ARGUMENTS: JsonSchema = { type: "string" };
/** Nothing is executed, so nothing can take long. */
const UNUSED_TIMEOUT_MS = 60_000;

export class ClientTools {
  readonly tools: readonly Tool[];
  readonly #byRecipient = new Map<string, ClientTool>();
  readonly #recipients = new Map<string, string>();

  /**
   * @param declared in the order in which the model reads them; of two with the same name the last counts
   * @param taken recipients of tools that are carried out here
   */
  constructor(declared: readonly ClientTool[], taken: readonly string[] = []) {
    const names = new Set(taken);
    const last = new Map(declared.map((tool) => [keyOf(tool.namespace, tool.name), tool]));
    // Names that are fit as they are keep them, also where another name becomes the same.
    const isKept = (tool: ClientTool): boolean => fitRecipient(tool) === plainRecipient(tool);
    for (const tool of last.values()) if (isKept(tool)) names.add(fitRecipient(tool));
    this.tools = [...last].map(([key, tool]) => {
      const recipient =
        isKept(tool) && !taken.includes(fitRecipient(tool))
          ? fitRecipient(tool)
          : unused(fitRecipient(tool), names);
      names.add(recipient);
      this.#byRecipient.set(recipient, tool);
      this.#recipients.set(key, recipient);
      return toolOf(recipient, tool);
    });
  }

  /** The tool that the model addresses so; undefined for one that is not the client's. */
  get(recipient: string): ClientTool | undefined {
    return this.#byRecipient.get(recipient);
  }

  /** What the model addresses for a name, also of a tool that is not declared any more. */
  recipientOf(name: string, namespace: string | null = null): string {
    return this.#recipients.get(keyOf(namespace, name)) ?? fitRecipient({ name, namespace });
  }
}

function keyOf(namespace: string | null | undefined, name: string): string {
  return JSON.stringify([namespace ?? null, name]);
}

type Named = Pick<ClientTool, "name" | "namespace">;

function plainRecipient({ name, namespace }: Named): string {
  return TRAINED_TOOLS.has(name) ? name : `${namespace ?? "functions"}.${name}`;
}

/** `get-weather` → `functions.get_weather`; `python` → `functions.python_tool`. */
function fitRecipient({ name, namespace }: Named): string {
  if (!namespace && TRAINED_TOOLS.has(name)) return name;
  const fit = identifier(name);
  const space = identifier(namespace ?? "functions");
  const isTaken = TRAINED.has(space);
  return `${isTaken ? `${space}_tools` : space}.${TRAINED.has(fit) ? `${fit}_tool` : fit}`;
}

function identifier(text: string): string {
  if (isToolName(text) && text.length <= MAX_NAME_LENGTH) return text;
  const plain = text.replace(/[\s.\-/:]+/g, "_").replace(/[^A-Za-z0-9_$]/g, "");
  const named = plain === "" ? "tool" : plain;
  return (/^[0-9]/.test(named) ? `_${named}` : named).slice(0, MAX_NAME_LENGTH);
}

function unused(recipient: string, taken: ReadonlySet<string>): string {
  let candidate = recipient;
  for (let n = 2; taken.has(candidate); n++) candidate = `${recipient}_${n}`;
  return candidate;
}

/**
 * Requests of a conversation declare the same tools again and again; what was compiled of a schema is kept by
 * the object.
 */
const known = new Map<string, Tool>();

function toolOf(recipient: string, declared: ClientTool): Tool {
  const { description, namespaceDescription, parameters, strict } = declared;
  const { isCustom = false, format } = declared;
  const definition = JSON.stringify([
    ...[recipient, description, parameters, strict, isCustom, format],
    namespaceDescription,
  ]);
  const key = createHash("sha256").update(definition).digest("base64");
  const found = known.get(key);
  known.delete(key);
  const tool = found ?? {
    recipient,
    description: description ?? "",
    ...(namespaceDescription && { namespaceDescription }),
    inputSchema: isCustom ? TEXT_ARGUMENTS : (parameters ?? ANY_ARGUMENTS),
    timeoutMs: UNUSED_TIMEOUT_MS,
    // The body of a custom tool is the text itself; as JSON it would have to be quoted.
    ...(isCustom && { strict: false }),
    ...(isCustom && format && { inputFormat: format }),
  };
  known.set(key, tool);
  if (known.size > MAX_KNOWN_TOOLS) known.delete(known.keys().next().value as string);
  return tool;
}
