/** Cutting a text that is too long for the model's context, so that the model knows what it lacks. */

export type Truncation = {
  readonly text: string;
  /** Set when something was cut; tokens of the text before and after. */
  readonly truncated?: { readonly fromTokens: number; readonly toTokens: number };
};

/** Beyond this many UTF-16 units per token of the limit the middle is dropped before anything is counted. */
const UNITS_PER_TOKEN_LIMIT = 64;
/** A token covers at least one UTF-8 byte, and a UTF-16 unit takes at most three. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * Keeps the head and the tail of a text within `limit` tokens and says in between what was cut.
 * Cuts at line ends where a line end is near, never inside a surrogate pair. The head gets two thirds:
 * the beginning says what the text is, the end is where errors and totals stand.
 *
 * @param limit  tokens, the notice included; when it is too small for the notice, only the notice is left
 */
export function truncateToTokens(
  text: string,
  limit: number,
  countTokens: (text: string) => number,
): Truncation {
  if (text.length * MAX_BYTES_PER_UNIT <= limit) return { text };
  // Counting megabytes to keep kilobytes is waste, and a hostile tool's output may be that long.
  const countable = text.length <= limit * UNITS_PER_TOKEN_LIMIT;
  const fromTokens = countable ? countTokens(text) : estimateTokens(text, countTokens);
  if (countable && fromTokens <= limit) return { text };

  const lines = countLines(text);
  // The longest notice this text can get, so that the parts can be sized before it is known.
  const available = Math.max(0, limit - countTokens(notice(fromTokens, lines, !countable)) - 2);
  const head = fitting(text, Math.ceil((available * 2) / 3), countTokens, "head");
  const tail = fitting(text.slice(head.length), Math.floor(available / 3), countTokens, "tail");
  const kept = countTokens(head) + countTokens(tail);
  const cutLines = Math.max(0, lines - countLines(head) - countLines(tail));
  const cut = `${head}${notice(fromTokens - kept, cutLines, !countable)}${tail}`;
  return { text: cut, truncated: { fromTokens, toTokens: countTokens(cut) } };
}

function notice(tokens: number, lines: number, estimated: boolean): string {
  const amount = `${estimated ? "about " : ""}${tokens} tokens`;
  const inLines = lines > 1 ? ` (${lines} lines)` : "";
  return `\n[... ${amount}${inLines} cut here; only the beginning and the end are shown ...]\n`;
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** Tokens of a text too long to count, from a sample of its beginning, middle and end. */
function estimateTokens(text: string, countTokens: (text: string) => number): number {
  const size = 4096;
  const middle = Math.floor(text.length / 2);
  const samples = [text.slice(0, size), text.slice(middle, middle + size), text.slice(-size)];
  const units = samples.reduce((sum, sample) => sum + sample.length, 0);
  const tokens = samples.reduce((sum, sample) => sum + countTokens(sample), 0);
  return Math.ceil((tokens / units) * text.length);
}

/** The longest prefix (or suffix) of at most `tokens` tokens, by bisection on its length. */
function fitting(
  text: string,
  tokens: number,
  countTokens: (text: string) => number,
  end: "head" | "tail",
): string {
  const part = (units: number): string =>
    end === "head" ? text.slice(0, units) : text.slice(text.length - units);
  let low = 0;
  let high = Math.min(text.length, tokens * UNITS_PER_TOKEN_LIMIT);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countTokens(part(middle)) <= tokens) low = middle;
    else high = middle - 1;
  }
  return end === "head" ? trimHead(part(low)) : trimTail(part(low));
}

/** Share of a part that may be given up so that it ends at a line end. */
const LINE_SLACK = 0.2;

function trimHead(head: string): string {
  const line = head.lastIndexOf("\n");
  if (line >= head.length * (1 - LINE_SLACK) && line > 0) return head.slice(0, line);
  return isHighSurrogate(head.charCodeAt(head.length - 1)) ? head.slice(0, -1) : head;
}

function trimTail(tail: string): string {
  const line = tail.indexOf("\n");
  if (line >= 0 && line <= tail.length * LINE_SLACK) return tail.slice(line + 1);
  return isLowSurrogate(tail.charCodeAt(0)) ? tail.slice(1) : tail;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
