/** The classes of characters of EBNF: `[a-z]`, `[^"\\]`, `[#x20-#xD7FF]`. */
import type { Regex } from "../grammar.ts";
import type { Scanner } from "./scanner.ts";

type Range = readonly [from: number, to: number];

const LAST = 0x10ffff;

/** Any character. */
export const ANY_CHARACTER: Regex = { type: "set", ranges: [[0, LAST]] };

/** A class, its `[` read; moves behind its `]`. */
export function readCharClass(scanner: Scanner): Regex {
  const from = scanner.at - 1;
  const isNegative = scanner.takeText("^");
  const ranges: Range[] = [];
  while (!scanner.takeText("]")) {
    if (scanner.isAtEnd || scanner.next === "\n") throw scanner.error("The [ is not closed.", from);
    const low = readCharacter(scanner);
    const isRange = scanner.next === "-" && (scanner.text[scanner.at + 1] ?? "]") !== "]";
    if (!isRange) {
      ranges.push([low, low]);
      continue;
    }
    const at = scanner.at++;
    const high = readCharacter(scanner);
    if (high < low) throw scanner.error("The range goes backwards.", at);
    ranges.push([low, high]);
  }
  return { type: "set", ranges: isNegative ? complement(ranges) : ranges };
}

function readCharacter(scanner: Scanner): number {
  const code = readCodePoint(scanner);
  if (code !== undefined) return code;
  const char = scanner.next;
  scanner.at += char.length;
  return (char === "\\" ? scanner.escape() : char).codePointAt(0) ?? 0;
}

/** `#x20`, as the W3C writes characters; undefined where something else stands. */
export function readCodePoint(scanner: Scanner): number | undefined {
  const from = scanner.at;
  const found = scanner.take(/#x([0-9a-f]+)/iy);
  if (found === null) return undefined;
  const code = Number.parseInt(found[1] ?? "", 16);
  if (code > LAST) throw scanner.error(`${found[0]} is no character.`, from);
  return code;
}

function complement(ranges: readonly Range[]): Range[] {
  const gaps: Range[] = [];
  let next = 0;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return gaps;
}
