/** What of a tool's definition is other than it was, line by line. */
import type { ToolSnapshot } from "./store.ts";

/** Beyond this many lines the two are not compared line by line. */
const MAX_LINES = 2_000;

/** Lines that begin with `- ` were there before, lines with `+ ` are new; of the rest only the neighbours are shown. */
export function describeChange(before: ToolSnapshot, now: ToolSnapshot): string {
  return difference(linesOf(before), linesOf(now)).join("\n");
}

function linesOf(definition: ToolSnapshot): readonly string[] {
  const { description, descriptionSuffix, inputSchema, annotations = {} } = definition;
  return [
    ...description.split("\n").map((line) => `description: ${line}`),
    ...(descriptionSuffix ?? "")
      .split("\n")
      .flatMap((line) => (line === "" ? [] : `added: ${line}`)),
    ...Object.entries(annotations)
      .map(([hint, value]) => `${hint}: ${JSON.stringify(value)}`)
      .sort(),
    ...`schema: ${JSON.stringify(inputSchema, null, 2)}`.split("\n"),
  ];
}

function difference(before: readonly string[], now: readonly string[]): readonly string[] {
  if (before.length > MAX_LINES || now.length > MAX_LINES) {
    return [...before.map((line) => `- ${line}`), ...now.map((line) => `+ ${line}`)];
  }
  const common = longestCommon(before, now);
  const lines: string[] = [];
  let [a, b] = [0, 0];
  while (a < before.length || b < now.length) {
    const left = before[a];
    const right = now[b];
    if (left !== undefined && left === right) {
      lines.push(`  ${left}`);
      a++;
      b++;
    } else if (
      left !== undefined &&
      (right === undefined || at(common, a + 1, b) >= at(common, a, b + 1))
    ) {
      lines.push(`- ${left}`);
      a++;
    } else {
      lines.push(`+ ${right}`);
      b++;
    }
  }
  const isChange = (line: string | undefined): boolean =>
    line !== undefined && !line.startsWith("  ");
  return lines.filter(
    (line, i) => isChange(line) || isChange(lines[i - 1]) || isChange(lines[i + 1]),
  );
}

const at = (table: readonly Uint16Array[], a: number, b: number): number => table[a]?.[b] ?? 0;

/** The length of the longest common subsequence of what follows each pair of places. */
function longestCommon(before: readonly string[], now: readonly string[]): readonly Uint16Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let a = before.length - 1; a >= 0; a--) {
    for (let b = now.length - 1; b >= 0; b--) {
      const row = table[a] as Uint16Array;
      row[b] =
        before[a] === now[b]
          ? at(table, a + 1, b + 1) + 1
          : Math.max(at(table, a + 1, b), at(table, a, b + 1));
    }
  }
  return table;
}
