/**
 * What a model sends as a cell, and the code that it means. A body is unwrapped only where it could not be
 * run as it is, or where it is one JSON object whose only text is said to be code.
 */

/** What models call the code where they send it as JSON, as functions want their arguments. */
const CODE_KEYS: ReadonlySet<string> = new Set(["code", "input", "source", "script", "cell"]);
/** Keys that may stand beside the code, and say nothing that matters here. */
const LANGUAGE_KEYS: ReadonlySet<string> = new Set(["language", "lang"]);

/** The first line of a fence. No Python begins with a backtick; with tildes some does. */
const FENCE = /^(`{3,}|~{3,})[^`\n]*\n/;
/** Everything in backticks on one line. */
const INLINE = /^(`+)([^`\n]+)\1$/;
/** A line that names the language, as of a fence that was lost. As code it could only fail. */
const LANGUAGE_LINE = /^(?:python3?|py)[ \t]*\r?\n(?=.*\S)/s;
const INDENT = /^[ \t]+/;

/** @param body  of the call, as the model wrote it */
export function cellSource(body: string): string {
  const code = codeOfJson(body);
  const plain = withoutFence(code ?? body);
  return withoutIndent(plain.replace(LANGUAGE_LINE, ""));
}

/** The text of `{"code": "…"}`; undefined for every other body. */
function codeOfJson(body: string): string | undefined {
  if (!body.trimStart().startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const entries = Object.entries(value as object).filter(([key]) => !LANGUAGE_KEYS.has(key));
  const [[key, code] = ["", undefined]] = entries;
  return entries.length === 1 && CODE_KEYS.has(key) && typeof code === "string" ? code : undefined;
}

/** Without one fence around everything. A fence of backticks may lack its end. */
function withoutFence(text: string): string {
  const trimmed = text.trim();
  const inline = INLINE.exec(trimmed)?.[2];
  if (inline !== undefined) return inline;
  const [opening = "", fence = ""] = FENCE.exec(trimmed) ?? [];
  if (opening === "") return text;
  const lines = trimmed.slice(opening.length).split("\n");
  if (lines.at(-1)?.trim() === fence) return lines.slice(0, -1).join("\n");
  // What stands behind a fence is left to Python's own error.
  const isOpen = fence.startsWith("`") && !lines.some((line) => line.trim() === fence);
  return isOpen ? lines.join("\n") : text;
}

/** A first line that is indented could not be run; its indent is taken away from every line that has it. */
function withoutIndent(text: string): string {
  const lines = text.split("\n");
  const first = lines.find((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  const [indent = ""] = INDENT.exec(first ?? "") ?? [];
  if (indent === "") return text;
  return lines
    .map((line) =>
      line.startsWith(indent) ? line.slice(indent.length) : line.replace(/^[ \t]+(?=#)/, ""),
    )
    .join("\n");
}
