/**
 * Taking away what models put around an answer: a byte order mark, one code fence, prose. Only what can
 * be taken away without a choice is; what is taken is told as a warning.
 */

/** A language's own knowledge of where an answer begins and ends in a text. */
export type Language = {
  readonly name: string;
  /** The one document in a text with prose around it; undefined when there is none, or more than one. */
  readonly findInProse: (
    text: string,
  ) => { readonly start: number; readonly end: number } | undefined;
};

export type Extraction = { readonly text: string; readonly warnings: readonly string[] };

/**
 * Every stage of unwrapping, the text as it came first, each with the warnings that it would be accepted
 * under. The caller takes the first that is whole.
 */
export function* unwrap(text: string, language: Language): Generator<Extraction> {
  let current: Extraction = { text, warnings: [] };
  yield current;
  const steps = [withoutInvisible, withoutFence, withoutProse(language)];
  for (const step of steps) {
    const next = step(current.text);
    if (next === undefined) continue;
    current = { text: next.text, warnings: [...current.warnings, next.warning] };
    yield current;
  }
}

type Step = { readonly text: string; readonly warning: string } | undefined;

const INVISIBLE = /[\s\u200B-\u200D\u2060\uFEFF]/;

/** Byte order marks, zero-width characters and exotic spaces at the ends. */
function withoutInvisible(text: string): Step {
  // A regular expression for the end would try every blank of a long run in the middle.
  let start = 0;
  let end = text.length;
  while (start < end && INVISIBLE.test(text[start] as string)) start++;
  while (end > start && INVISIBLE.test(text[end - 1] as string)) end--;
  const stripped = text.slice(start, end);
  if (stripped === text) return undefined;
  return { text: stripped, warning: "Invisible characters around the answer were removed." };
}

/** The content of the only code block; its closing fence may be missing. */
function withoutFence(text: string): Step {
  const fences = [...text.matchAll(/^[ \t]*(?:```|~~~)|(?:```|~~~)[ \t]*$/gm)];
  const [open, close] = fences;
  if (open === undefined || fences.length > 2) return undefined;
  const outside =
    text.slice(0, open.index) + (close ? text.slice(close.index + close[0].length) : "");
  // Another document outside of the block would be a choice.
  if (/[{<]/.test(outside)) return undefined;
  const inside = text.slice(open.index + open[0].length, close?.index);
  const body = inside.replace(/^[\w+-]*[ \t]*\r?\n|^[\w+-]+[ \t]+/, "").trim();
  const warning = close
    ? "A code fence around the answer was removed."
    : "A code fence before the answer was removed; its end was missing.";
  return { text: body, warning };
}

/** More than one code block: taking one of them would be a choice. */
export function hasSeveralBlocks(text: string): boolean {
  return [...text.matchAll(/^[ \t]*(?:```|~~~)/gm)].length > 2;
}

function withoutProse(language: Language): (text: string) => Step {
  return (text) => {
    const found = language.findInProse(text);
    if (found === undefined) return undefined;
    const around = [text.slice(0, found.start).trim(), text.slice(found.end).trim()];
    if (around.every((part) => part === "")) return undefined;
    // Only words are prose; a stray bracket or quote is part of something that went wrong.
    if (!around.every((part) => part === "" || isProse(part))) return undefined;
    return {
      text: text.slice(found.start, found.end),
      warning: `Text around the ${language.name} was removed.`,
    };
  };
}

/** Words, or marks of Markdown around the value. */
function isProse(text: string): boolean {
  if (/^[\s*_`~>#-]+$/.test(text)) return true;
  return (
    /\p{L}/u.test(text) && !/[{}[\]]/.test(text) && !/^[,:"]/.test(text) && !/[,:]\s*"$/.test(text)
  );
}
