/**
 * robots.txt (RFC 9309, with the Crawl-delay that many files have). Libraries for it are not used: none that was
 * looked at bounds the time that a hostile file takes, and they differ from the RFC in groups and encodings.
 */

export type RobotsRules = {
  /** @param path  with its query, as a URL has it */
  isAllowed(path: string): boolean;
  /** Seconds between two requests; null where none are named. */
  readonly crawlDelay: number | null;
};

type Rule = { readonly pattern: Pattern; readonly isAllowed: boolean };

/** Literal pieces between stars, in the order in which they have to be found. */
type Pattern = {
  readonly pieces: readonly string[];
  readonly isAnchored: boolean;
  /** Octets as they are written; of two rules the longer one counts. */
  readonly length: number;
};

type Group = {
  readonly agents: Set<string>;
  readonly rules: Rule[];
  crawlDelay: number | null;
};

/** The RFC's least that has to be read; what follows is not. */
const MOST_CHARACTERS = 500 * 1024;
const TOKEN = /^[a-z_-]+/i;

/**
 * @param text  of the file, which may be anything
 * @param product  the program's name, as its user agent begins
 */
export function parseRobots(text: string, product: string): RobotsRules {
  const groups = readGroups(text.slice(0, MOST_CHARACTERS));
  const name = TOKEN.exec(product)?.[0].toLowerCase() ?? "";
  const own = groups.filter(({ agents }) => agents.has(name));
  const chosen = own.length > 0 ? own : groups.filter(({ agents }) => agents.has("*"));
  const rules = chosen.flatMap((group) => group.rules);
  const delays = chosen.map(({ crawlDelay }) => crawlDelay).filter((delay) => delay !== null);
  return {
    crawlDelay: delays.length === 0 ? null : Math.max(...delays),
    isAllowed(path) {
      if (path === "/robots.txt") return true;
      const plain = normalised(path).replaceAll("*", "%2A").replaceAll("$", "%24");
      let best: Rule | null = null;
      for (const rule of rules) {
        const longest: number = best?.pattern.length ?? -1;
        const { length } = rule.pattern;
        if (length < longest || (length === longest && !rule.isAllowed)) continue;
        if (matches(rule.pattern, plain)) best = rule;
      }
      return best?.isAllowed ?? true;
    },
  };
}

function readGroups(text: string): readonly Group[] {
  const groups: Group[] = [];
  let group: Group | null = null;
  let hasRules = false;
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/)) {
    const [, key = "", value = ""] = /^\s*([a-z-]+)\s*:(.*)$/i.exec(line.replace(/#.*$/, "")) ?? [];
    const given = value.trim();
    switch (key.toLowerCase()) {
      case "user-agent":
        if (group === null || hasRules) {
          group = { agents: new Set(), rules: [], crawlDelay: null };
          groups.push(group);
          hasRules = false;
        }
        group.agents.add(
          given.startsWith("*") ? "*" : (TOKEN.exec(given)?.[0].toLowerCase() ?? ""),
        );
        break;
      case "allow":
      case "disallow":
        hasRules = true;
        // Nothing is named, so nothing is (dis)allowed.
        if (given === "") break;
        group?.rules.push({
          pattern: parsePattern(given),
          isAllowed: key.toLowerCase() === "allow",
        });
        break;
      case "crawl-delay": {
        hasRules = true;
        const seconds = /^\d+(?:\.\d+)?$/.test(given) ? Number(given) : null;
        if (group !== null && seconds !== null) group.crawlDelay = seconds;
      }
    }
  }
  return groups;
}

function parsePattern(text: string): Pattern {
  const isAnchored = text.endsWith("$");
  const body = isAnchored ? text.slice(0, -1) : text;
  const pieces = body.split("*").map((piece) => normalised(piece).replaceAll("$", "%24"));
  return { pieces, isAnchored, length: normalised(text).length };
}

/** In time that grows with the path and the pattern, not with their product: no piece is looked for twice. */
function matches({ pieces, isAnchored }: Pattern, path: string): boolean {
  const [first = "", ...others] = pieces;
  if (!path.startsWith(first)) return false;
  let from = first.length;
  const last = others.pop();
  if (last === undefined) return !isAnchored || path.length === from;
  for (const piece of others) {
    const at = path.indexOf(piece, from);
    if (at === -1) return false;
    from = at + piece.length;
  }
  if (isAnchored) return path.length - last.length >= from && path.endsWith(last);
  return path.includes(last, from);
}

/** One spelling for each octet: unreserved ones as they are, others in percent-encoding with capitals. */
function normalised(path: string): string {
  return path
    .toWellFormed()
    .replace(/\P{ASCII}+/gu, encodeURIComponent)
    .replace(/%[0-9a-f]{2}/gi, (code) => {
      const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
      return /[A-Za-z0-9._~-]/.test(character) ? character : code.toUpperCase();
    });
}
