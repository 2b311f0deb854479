/**
 * Arguments that are not as they should be, and what they can only have meant: text around the JSON, a
 * description of the call around it, JSON in the spelling of another language, a bare text where a tool
 * takes one text. Each is a reading that the caller holds against the tool's schema; JSON that is cut off
 * is never mended, since half of an argument may do other damage than the whole.
 */
import type { Issue, JsonSchema } from "../../harmony/index.ts";
import { plainName } from "../core/nearest-names.ts";
import { isRecord } from "../core/record.ts";
import { nameOf } from "../core/registry.ts";
import { unwrapJson } from "../validator/json-answer.ts";
import { scanJson, whitespaceEnd } from "../validator/json-text.ts";
import { rewriteLooseJson } from "../validator/loose-json.ts";

/** The tool that is called, as far as it matters to the text. */
type Addressed = { readonly recipient: string; readonly schema: JsonSchema };

export type Reading = {
  readonly text: string;
  readonly issues: readonly Issue[];
};

/** Keys under which models wrap the arguments. */
const WRAPPERS: readonly string[] = ["arguments", "args", "parameters", "params", "input"];
/** What else such a wrapper says. */
const NAMES_TOOL: ReadonlySet<string> = new Set([
  ...["name", "tool", "tool_name", "function", "recipient"],
]);
const ABOUT_CALL: ReadonlySet<string> = new Set([...NAMES_TOOL, "type", "id", "call_id"]);

/** Readings of a text that is not valid as it stands, the likeliest first; most texts have few. */
export function* readings(text: string, recipient: string, schema: JsonSchema): Generator<Reading> {
  const tool: Addressed = { recipient, schema };
  for (const reading of wholeValues(text, tool)) {
    if (reading.text !== text) yield reading;
    const value: unknown = JSON.parse(reading.text);
    for (const inner of insideOf(value, tool)) {
      yield { text: inner.text, issues: [...reading.issues, ...inner.issues] };
    }
    // "ls" as a JSON string is the same as without quotes.
    if (typeof value === "string" && reading.text === text.trim()) yield* bareText(value, tool);
  }
  yield* bareText(text, tool);
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

/** Texts that are one whole value of JSON each. */
function* wholeValues(text: string, tool: Addressed): Generator<Reading> {
  const first = firstValue(text);
  if (first !== null) {
    if (first.rest === "") yield { text: first.text, issues: [] };
    // Two different sets of arguments: taking one would be a choice.
    else if (!setsParameter(first.rest, tool) || first.rest === first.text) {
      const detail = "Text behind the arguments was dropped";
      const issue: Issue = { code: "trailing_text_after_json", detail, dropped: first.rest };
      yield { text: first.text, issues: [issue] };
    }
    return;
  }
  const exact = withDigitsAsText(text);
  if (exact !== null) {
    const detail = "An integer with more digits than a number can keep was read as a text";
    yield { text: exact, issues: [{ code: "args_coerced", detail }] };
    return;
  }
  const candidates = [text, insideOfCall(text, tool), insideOfQuotes(text), unescaped(text)];
  for (const candidate of candidates) {
    if (candidate === null) continue;
    for (const { text: inside } of unwrapJson(candidate)) {
      const rewritten = rewriteLooseJson(inside);
      for (const one of [inside, rewritten?.text]) {
        if (one === undefined || one === text || !isWholeValue(one)) continue;
        // An object in the middle of a text may be a part of what it says.
        if (inside !== candidate && !speaksOfTool(one, tool)) continue;
        const issues: Issue[] = [];
        if (inside !== text) {
          const detail = "What stood around the arguments was dropped";
          issues.push({ code: "args_unwrapped", detail });
        }
        if (one !== inside) {
          const detail = `The arguments are not JSON: they have ${rewritten?.changes.join(", ")}`;
          issues.push({ code: "args_not_json", detail });
        }
        yield { text: one, issues };
      }
    }
  }
}

/** The first JSON value, when it is whole and says what it seems to say, and what follows it. */
function firstValue(text: string): { readonly text: string; readonly rest: string } | null {
  const scan = scanJson(text);
  if (scan.status !== "complete" || scan.problems.length > 0) return null;
  return { text: text.slice(0, scan.end).trim(), rest: text.slice(whitespaceEnd(text, scan.end)) };
}

function isWholeValue(text: string): boolean {
  const first = firstValue(text);
  return first !== null && first.rest === "";
}

/** `f({"query": "eel"})` */
function insideOfCall(text: string, tool: Addressed): string | null {
  const call = /^([\w.$-]+)\s*\(([\s\S]*)\)\s*;?$/.exec(text.trim());
  return call !== null && isNameOf(tool, call[1]) ? (call[2] ?? null) : null;
}

/** Quotes of prose, or of Markdown, around the whole. */
function insideOfQuotes(text: string): string | null {
  const quoted = /^(?:`([^`]*)`|“([^“”]*)”)$/.exec(text.trim());
  return quoted?.[1] ?? quoted?.[2] ?? null;
}

/** `{\"query\": \"eel\"}`: written as it would stand inside of a text. */
function unescaped(text: string): string | null {
  if (!/^\s*\{\s*\\"/.test(text)) return null;
  try {
    const lines = text
      .trim()
      .replaceAll("\n", "\\n")
      .replaceAll("\r", "\\r")
      .replaceAll("\t", "\\t");
    const inside: unknown = JSON.parse(`"${lines}"`);
    return typeof inside === "string" ? inside : null;
  } catch {
    return null;
  }
}

/** The same JSON with integers that would lose digits in quotes; null where there are none. */
function withDigitsAsText(text: string): string | null {
  const scan = scanJson(text);
  const isWhole = scan.status === "complete" && whitespaceEnd(text, scan.end) === text.length;
  if (!isWhole || scan.problems.length === 0) return null;
  if (!scan.problems.every(({ losesDigits }) => losesDigits)) return null;
  // From the end, so that the offsets before stay what they are.
  return scan.problems.toReversed().reduce((changed, { offset }) => {
    const end = offset + (/^-?\d+/.exec(changed.slice(offset))?.[0].length ?? 0);
    return `${changed.slice(0, offset)}"${changed.slice(offset, end)}"${changed.slice(end)}`;
  }, text);
}

/** An object with one of the tool's own parameters, or that wraps the arguments. */
function speaksOfTool(json: string, tool: Addressed): boolean {
  const value: unknown = JSON.parse(json);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  const names = parametersOf(tool);
  if (names.length === 0) return keys.length === 0;
  const plain = new Set([...names, ...WRAPPERS].map(plainName));
  return keys.some((key) => plain.has(plainName(key)));
}

/** The arguments inside of what a model puts around them. */
function* insideOf(value: unknown, tool: Addressed): Generator<Reading> {
  const issue = (detail: string): readonly Issue[] => [{ code: "args_unwrapped", detail }];
  if (isNothing(value)) {
    yield { text: "{}", issues: issue("Nothing was written where an object of arguments belongs") };
  }
  if (Array.isArray(value) && value.length === 1 && isRecord(value[0])) {
    const detail = "The arguments were taken out of a list";
    yield { text: JSON.stringify(value[0]), issues: issue(detail) };
  }
  const inner = unwrapped(value, tool);
  if (inner !== null) {
    yield {
      text: inner,
      issues: issue("The arguments were taken out of a description of the call"),
    };
  }
}

const isNothing = (value: unknown): boolean =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0);

/**
 * The arguments inside of `{"name": "f", "arguments": {…}}` or `{"f": {…}}`, when nothing else is said and
 * f is the tool.
 */
function unwrapped(value: unknown, tool: Addressed): string | null {
  if (!isRecord(value)) return null;
  const entries = Object.entries(value);
  const wrapped = entries.filter(([key]) => WRAPPERS.includes(key) || isNameOf(tool, key));
  const [only] = wrapped;
  if (only === undefined || wrapped.length > 1) return null;
  for (const [key, about] of entries) {
    if (key === only[0]) continue;
    if (!ABOUT_CALL.has(key)) return null;
    if (NAMES_TOOL.has(key) && !isNameOf(tool, about)) return null;
  }
  // Some interfaces carry arguments as a text of JSON.
  if (typeof only[1] === "string") return isWholeValue(only[1]) ? only[1] : null;
  return JSON.stringify(only[1]) ?? null;
}

function isNameOf(tool: Addressed, name: unknown): boolean {
  return name === tool.recipient || name === nameOf(tool.recipient);
}

/** A text that is no JSON, as the only argument of a tool that takes one text and nothing else. */
function* bareText(text: string, tool: Addressed): Generator<Reading> {
  const name = onlyText(tool.schema);
  // What begins like JSON or like markup was meant as such.
  if (name === null || /^\s*(?:["'{[`<]|(?:null|None|undefined)\s*$)/.test(text)) return;
  if (setsParameter(text, tool)) return;
  const detail = `The bare text was taken as ${JSON.stringify(name)}, the only argument`;
  yield { text: JSON.stringify({ [name]: text }), issues: [{ code: "args_not_json", detail }] };
}

/** Somewhere in the text one of the parameters is set, in JSON or something like it. */
function setsParameter(text: string, tool: Addressed): boolean {
  return parametersOf(tool).some((parameter) => {
    const name = parameter.replace(/[^\w]/g, "\\$&");
    const quoted = `\\\\?["'“”‘’\`]${name}\\\\?["'“”‘’\`]`;
    return new RegExp(`${quoted}\\s*:|[{,]\\s*${name}\\s*:|^\\s*${name}\\s*[:=]`, "i").test(text);
  });
}

/** The one parameter of a tool that takes a text and nothing else. */
function onlyText(schema: JsonSchema): string | null {
  if (!isRecord(schema)) return null;
  const { properties, required } = schema;
  if (!isRecord(properties)) return null;
  const [only, ...others] = Object.entries(properties);
  if (only === undefined || others.length > 0) return null;
  const [name, property] = only;
  const isText = (property as { type?: unknown } | null)?.type === "string";
  return isText && Array.isArray(required) && required.includes(name) ? name : null;
}

function parametersOf({ schema }: Addressed): readonly string[] {
  const properties = isRecord(schema) ? schema["properties"] : undefined;
  return isRecord(properties) ? Object.keys(properties) : [];
}
