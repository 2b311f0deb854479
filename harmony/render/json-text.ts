/** JSON values as text for the model. */

/** Values nested deeper are cut off: the call stack has an end. */
const MAX_DEPTH = 500;

/** Compact JSON as the reference prints it: like `JSON.stringify` but for the form of some numbers. */
export function jsonText(value: unknown, depth: number = 0): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value === "object" && value !== null) {
    if (depth > MAX_DEPTH) return "…";
    const text = (member: unknown): string => jsonText(member, depth + 1);
    if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${text(member)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** Shortest digits in Rust's layout: exponents from 1e16 up and below 1e-5, floats keep their `.0`. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (Number.isSafeInteger(value)) return String(value);
  const [mantissa, power] = value.toExponential().split("e") as [string, string];
  const exponent = Number(power);
  if (exponent >= 16 || exponent < -5) return `${mantissa}e${exponent}`;
  const text =
    exponent < 0
      ? value.toFixed(mantissa.replace(/[-.]/g, "").length - 1 - exponent)
      : String(value);
  return text.includes(".") ? text : `${text}.0`;
}

/** What ends a line for one reader or another; JSON text may hold the last three as they are. */
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/** `jsonText` without line ends, so that it stays inside of a `//` comment. */
export function jsonLine(value: unknown): string {
  return jsonText(value).replace(
    /[\u0085\u2028\u2029]/g,
    (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The lines of a text without their ends and the blanks in front of those. */
export function linesOf(text: string): string[] {
  return text.split(LINE_END).map((line) => line.trimEnd());
}

/** A text on one line: the lines that say something, joined by a blank. */
export function oneLine(text: string): string {
  return linesOf(text)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}
