/**
 * Arguments that are not as they should be, and what they can only have meant: text behind the JSON, a
 * description of the call around it, a bare text where a tool takes one text. Each is a reading that
 * the caller holds against the tool's schema; JSON that is cut off or broken is never mended, since
 * half of an argument may do other damage than the whole.
 */
import type { Issue, JsonSchema } from "../../harmony/index.ts";
import { scanJson, whitespaceEnd } from "../validator/index.ts";
import type { Tool } from "./tool.ts";

export type Reading = {
  readonly text: string;
  readonly issues: readonly Issue[];
};

/** Keys under which models wrap the arguments. */
const WRAPPERS: readonly string[] = ["arguments", "args", "parameters", "input"];
/** What else such a wrapper says. */
const ABOUT_CALL: ReadonlySet<string> = new Set(["name", "tool", "recipient", "type", "id"]);

/** Readings of a text that is not valid as it stands, the likeliest first; most texts have none. */
export function readings(text: string, tool: Tool): readonly Reading[] {
  const first = firstValue(text);
  if (first === null) return bareText(text, tool.inputSchema);
  const trailing: Issue[] =
    first.rest === ""
      ? []
      : [
          {
            code: "trailing_text_after_json",
            detail: "Text behind the arguments was dropped",
            dropped: first.rest,
          },
        ];
  const value: unknown = JSON.parse(first.text);
  const found: Reading[] = trailing.length === 0 ? [] : [{ text: first.text, issues: trailing }];
  const inner = unwrapped(value, tool.recipient);
  if (inner !== null) {
    const detail = "The arguments were taken out of a description of the call";
    found.push({ text: inner, issues: [...trailing, { code: "args_unwrapped", detail }] });
  }
  // "ls" as a JSON string is the same as without quotes.
  if (typeof value === "string" && first.rest === "") {
    found.push(...bareText(value, tool.inputSchema));
  }
  return found;
}

/** What is wrong with a text that has no valid reading, as far as it is not the schema's to say. */
export function flawsOf(text: string): readonly Issue[] {
  const scan = scanJson(text);
  switch (scan.status) {
    case "truncated":
      return [{ code: "incomplete_json", detail: "The arguments end before their JSON does" }];
    case "broken":
      return [{ code: "args_not_json", detail: "The arguments are not JSON" }];
    case "complete":
      return whitespaceEnd(text, scan.end) === text.length
        ? []
        : [{ code: "trailing_text_after_json", detail: "Text follows the arguments" }];
  }
}

/** The first JSON value, when it is whole and says what it seems to say, and what follows it. */
function firstValue(text: string): { readonly text: string; readonly rest: string } | null {
  const scan = scanJson(text);
  if (scan.status !== "complete" || scan.problems.length > 0) return null;
  return { text: text.slice(0, scan.end), rest: text.slice(whitespaceEnd(text, scan.end)) };
}

/** The arguments inside of `{"name": "f", "arguments": {…}}`, when nothing else is said and f is the tool. */
function unwrapped(value: unknown, recipient: string): string | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  const wrapped = entries.filter(([key]) => WRAPPERS.includes(key));
  const [only] = wrapped;
  if (only === undefined || wrapped.length > 1) return null;
  for (const [key, about] of entries) {
    if (key === only[0]) continue;
    if (!ABOUT_CALL.has(key)) return null;
    const names = key === "name" || key === "tool" || key === "recipient";
    if (names && about !== recipient && `functions.${String(about)}` !== recipient) return null;
  }
  // Some interfaces carry arguments as a text of JSON.
  if (typeof only[1] === "string") return only[1];
  return JSON.stringify(only[1]) ?? null;
}

/** A text that is no JSON, as the only argument of a tool that takes one text and nothing else. */
function bareText(text: string, schema: JsonSchema | null): readonly Reading[] {
  // What begins like JSON or like markup was meant as such.
  if (typeof schema !== "object" || schema === null || /^\s*["{[`<]/.test(text)) return [];
  const { properties, required } = schema;
  if (typeof properties !== "object" || properties === null) return [];
  const [only, ...others] = Object.entries(properties as Record<string, unknown>);
  if (only === undefined || others.length > 0) return [];
  const [name, property] = only;
  const isText = (property as { type?: unknown } | null)?.type === "string";
  if (!isText || !Array.isArray(required) || !required.includes(name)) return [];
  const issue: Issue = {
    code: "args_not_json",
    detail: `The bare text was taken as ${JSON.stringify(name)}, the only argument`,
  };
  return [{ text: JSON.stringify({ [name]: text }), issues: [issue] }];
}
