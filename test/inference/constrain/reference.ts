/** What a grammar accepts, the plain and slow way: all ends that each rule can have, until nothing changes. */
import type { Grammar, Regex } from "../../../inference/index.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function accepts({ terminals, rules, root }: Grammar, text: Uint8Array): boolean {
  const table = rules.map(() => Array.from({ length: text.length + 1 }, () => new Set<number>()));
  const ofTerminal = terminals.map((regex) =>
    Array.from({ length: text.length + 1 }, (_, at) => regexEnds(regex, text, at)),
  );
  for (let changed = true; changed; ) {
    changed = false;
    for (const [rule, alternatives] of rules.entries()) {
      for (let at = 0; at <= text.length; at++) {
        for (const symbols of alternatives) {
          let ends = new Set([at]);
          for (const one of symbols) {
            const of = "rule" in one ? table[one.rule] : ofTerminal[one.terminal];
            ends = new Set([...ends].flatMap((end) => [...(of?.[end] ?? [])]));
          }
          const known = table[rule]?.[at] as Set<number>;
          for (const end of ends) {
            if (known.has(end)) continue;
            known.add(end);
            changed = true;
          }
        }
      }
    }
  }
  return table[root]?.[0]?.has(text.length) ?? false;
}

/** Where matches that begin at `at` end. */
function regexEnds(regex: Regex, text: Uint8Array, at: number): Set<number> {
  switch (regex.type) {
    case "bytes":
      return regex.bytes.every((byte, index) => text[at + index] === byte)
        ? new Set([at + regex.bytes.length])
        : new Set();
    case "set": {
      for (let end = at + 1; end <= Math.min(at + 4, text.length); end++) {
        const scalar = decoded(text.subarray(at, end))?.codePointAt(0);
        if (scalar === undefined) continue;
        const isIn = regex.ranges.some(([from, to]) => scalar >= from && scalar <= to);
        return new Set(isIn ? [end] : []);
      }
      return new Set();
    }
    case "concat":
      return regex.parts.reduce(
        (ends, part) => {
          const next = new Set<number>();
          for (const end of ends) for (const one of regexEnds(part, text, end)) next.add(one);
          return next;
        },
        new Set([at]),
      );
    case "alternatives":
      return new Set(regex.options.flatMap((option) => [...regexEnds(option, text, at)]));
    case "repeat": {
      const found = new Set<number>();
      let ends = new Set([at]);
      // More rounds than bytes add nothing but empty matches.
      const rounds = Math.min(regex.max ?? Number.POSITIVE_INFINITY, regex.min + text.length + 1);
      for (let count = 0; count <= rounds && ends.size > 0; count++) {
        if (count >= regex.min) for (const end of ends) found.add(end);
        ends = new Set([...ends].flatMap((end) => [...regexEnds(regex.item, text, end)]));
      }
      return found;
    }
    case "and":
      return regex.parts
        .map((part) => regexEnds(part, text, at))
        .reduce((all, ends) => all.intersection(ends));
    case "not": {
      const ends = regexEnds(regex.item, text, at);
      const found = new Set<number>();
      for (let end = at; end <= text.length; end++) {
        if (!ends.has(end) && decoded(text.subarray(at, end)) !== undefined) found.add(end);
      }
      return found;
    }
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
