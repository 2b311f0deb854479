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
  const out: string[] = [];
  /** The last piece that is no blank, and where in `out` it stands. */
  let last = "";
  let lastAt = 0;
  const write = (piece: string): void => {
    if (piece.trim() !== "") {
      last = piece;
      lastAt = out.length;
    }
    out.push(piece);
  };
  for (let at = 0; at < text.length; ) {
    const unit = text[at] as string;
    if (unit === '"' || unit === "'") {
      const end = stringEnd(text, at);
      if (end < 0) return null;
      const inside = text.slice(at + 1, end - 1);
      if (unit === "'") changes.add("single quotes");
      if (CONTROL.test(inside)) changes.add("line breaks inside of a text");
      write(`"${escapeControls(unit === "'" ? fromSingleQuotes(inside) : inside)}"`);
      at = end;
      continue;
    }
    COMMENT.lastIndex = at;
    const comment = COMMENT.exec(text)?.[0];
    if (comment !== undefined) {
      changes.add("comments");
      at += comment.length;
      continue;
    }
    WORD.lastIndex = at;
    const [word, colon] = WORD.exec(text)?.slice(1) ?? [];
    if (word !== undefined) {
      const isName = colon !== undefined && (last === "{" || last === ",");
      const literal = Object.hasOwn(LITERALS, word) ? LITERALS[word] : undefined;
      if (isName) changes.add("names without quotes");
      else if (literal !== undefined) changes.add(word);
      write(isName ? JSON.stringify(word) : (literal ?? word));
      at += word.length;
      continue;
    }
    if ((unit === "}" || unit === "]") && last === ",") {
      changes.add("a comma before the end");
      out.splice(lastAt, 1);
    }
    write(unit);
    at++;
  }
  return changes.size === 0 ? null : { text: out.join(""), changes: [...changes] };
}

const COMMENT = /\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\//y;
/** A word, and the colon that makes it a name. */
const WORD = /([A-Za-z_$][\w$]*)(?=\s*(:)|)/y;

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
