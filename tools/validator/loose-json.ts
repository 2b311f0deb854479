/**
 * JSON as other languages write it: single quotes, `None`, names without quotes, a comma too many,
 * comments, line breaks inside of a text. Only spellings with one meaning are rewritten; whether the
 * outcome is JSON, and complete, is for `scanJson` to say.
 */

/** What is rewritten, in words for people. */
export type LooseJson = { readonly text: string; readonly changes: readonly string[] };

/** @returns the text in the spelling of JSON; null where there is nothing to rewrite */
export function rewriteLooseJson(text: string): LooseJson | null {
  const changes = new Set<string>();
  let out = "";
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const unit = text[at] as string;
    if (unit === '"' || unit === "'") {
      const end = stringEnd(text, at);
      if (end < 0) return null;
      const inside = text.slice(at + 1, end - 1);
      if (unit === "'") changes.add("single quotes");
      if (CONTROL.test(inside)) changes.add("line breaks inside of a text");
      out += `"${escapeControls(unit === "'" ? fromSingleQuotes(inside) : inside)}"`;
      at = end;
      continue;
    }
    const comment = /^(?:\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)/.exec(rest)?.[0];
    if (comment !== undefined) {
      changes.add("comments");
      at += comment.length;
      continue;
    }
    const word = /^[A-Za-z_$][\w$]*/.exec(rest)?.[0];
    if (word !== undefined) {
      const isName = /^\s*:/.test(rest.slice(word.length)) && /[{,]\s*$/.test(out);
      const literal = Object.hasOwn(LITERALS, word) ? LITERALS[word] : undefined;
      if (isName) changes.add("names without quotes");
      else if (literal !== undefined) changes.add(word);
      out += isName ? JSON.stringify(word) : (literal ?? word);
      at += word.length;
      continue;
    }
    if ((unit === "}" || unit === "]") && /,\s*$/.test(out)) {
      changes.add("a comma before the end");
      out = out.replace(/,\s*$/, "");
    }
    out += unit;
    at++;
  }
  return changes.size === 0 ? null : { text: out, changes: [...changes] };
}

/** Python's words for what JSON has as well. */
const LITERALS: Readonly<Record<string, string>> = { None: "null", True: "true", False: "false" };

/** Where a string ends, its closing quote included; -1 where it does not. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === text[start]) return at + 1;
  }
  return -1;
}

function fromSingleQuotes(inside: string): string {
  return inside.replace(/\\x([0-9A-Fa-f]{2})|\\'|\\[\s\S]|"/g, (part, hex) => {
    if (hex !== undefined) return `\\u00${hex}`;
    if (part === "\\'") return "'";
    return part === '"' ? '\\"' : part;
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON wants escaped.
const CONTROL = /[\u0000-\u001f]/;

function escapeControls(inside: string): string {
  return inside.replace(new RegExp(CONTROL, "g"), (unit) => JSON.stringify(unit).slice(1, -1));
}
