/** From a guest's JSON to values that the agent can hold, print and merge without harm. */
import { isRecord } from "../core/record.ts";
import { isToolName } from "../core/registry.ts";
import type { ToolAnnotations, ToolOutput } from "../core/tool.ts";
import { DEEPEST_DATA, LIMIT_RANGES, MOST_TOOLS, type PluginLimits } from "./limits.ts";

/** A tool as a plugin defines it. */
export type GuestTool = {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown> | boolean;
  readonly timeoutMs: number;
  readonly annotations?: ToolAnnotations;
  readonly needsApproval?: boolean;
};

const LONGEST_DESCRIPTION = 16 * 1024;
const HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;

/**
 * Parses a guest's JSON. Keys that would change an object's prototype where it is copied are left out.
 *
 * @throws RangeError, SyntaxError with a sentence's end: "it …"
 */
export function parseGuestJson(text: string): unknown {
  if (depthOf(text) > DEEPEST_DATA) throw new RangeError(`nests data deeper than ${DEEPEST_DATA}`);
  return JSON.parse(text, (key, value) => (key === "__proto__" ? undefined : value));
}

/** Most brackets that are open at once; recursion over deeper data would exhaust the stack of its reader. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === BACKSLASH) at++;
      else if (unit === QUOTE) inString = false;
    } else if (unit === QUOTE) inString = true;
    else if (unit === OPEN_BRACKET || unit === OPEN_BRACE) deepest = Math.max(deepest, ++depth);
    else if (unit === CLOSE_BRACKET || unit === CLOSE_BRACE) depth--;
  }
  return deepest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** @throws Error with a sentence for what is no outcome, or one that says the call failed */
export function readOutcome(text: string): ToolOutput {
  const outcome = parseGuestJson(text);
  if (!isRecord(outcome)) throw new Error("it answered with what is no result.");
  if (typeof outcome["error"] === "string") throw new Error(outcome["error"]);
  const data = outcome["data"];
  const said = outcome["text"];
  return {
    text: typeof said === "string" ? said : (JSON.stringify(data) ?? "null"),
    ...(outcome["isError"] === true && { isError: true }),
    ...(data !== undefined && data !== null && { data }),
  };
}

/** @throws Error with a sentence naming the first thing that cannot be */
export function readTools(text: string, limits: PluginLimits): readonly GuestTool[] {
  const listed = parseGuestJson(text);
  if (!Array.isArray(listed) || listed.length > MOST_TOOLS) {
    throw new Error(`it defines more than ${MOST_TOOLS} tools.`);
  }
  if (listed.length === 0) {
    throw new Error(
      "its entry exports no tool; export what defineTool({ name, description, inputSchema, execute }) returns.",
    );
  }
  return listed.map((tool: unknown) => readTool(tool, limits));
}

function readTool(value: unknown, limits: PluginLimits): GuestTool {
  if (!isRecord(value)) throw new Error("it defines a tool that is no object.");
  const { name, description, inputSchema, timeoutMs, annotations, needsApproval } = value;
  if (typeof name !== "string" || !isToolName(name)) {
    throw new Error(
      "a tool's name must be a TypeScript identifier of at most 64 ASCII letters, digits, _ or $.",
    );
  }
  const refuse = (problem: string): never => {
    throw new Error(`tool ${name}: ${problem}`);
  };
  if (typeof description !== "string" || description.length > LONGEST_DESCRIPTION) {
    return refuse(`its description must be a text of at most ${LONGEST_DESCRIPTION} characters.`);
  }
  if (inputSchema !== undefined && typeof inputSchema !== "boolean" && !isRecord(inputSchema)) {
    return refuse("its inputSchema must be a JSON Schema.");
  }
  const [lowest, , highest] = LIMIT_RANGES.timeoutMs;
  const isTime = typeof timeoutMs === "number" && timeoutMs >= lowest && timeoutMs <= highest;
  if (timeoutMs !== undefined && !isTime) {
    return refuse(`timeoutMs must be a number from ${lowest} to ${highest}.`);
  }
  if (needsApproval !== undefined && typeof needsApproval !== "boolean") {
    return refuse("needsApproval must be true or false.");
  }
  return {
    name,
    description,
    inputSchema: inputSchema ?? { type: "object", properties: {}, additionalProperties: false },
    timeoutMs: isTime ? timeoutMs : limits.timeoutMs,
    ...(isRecord(annotations) && { annotations: hintsOf(annotations) }),
    ...(needsApproval === true && { needsApproval }),
  };
}

function hintsOf(annotations: Record<string, unknown>): ToolAnnotations {
  return Object.fromEntries(
    HINTS.filter((hint) => typeof annotations[hint] === "boolean").map((hint) => [
      hint,
      annotations[hint],
    ]),
  );
}
