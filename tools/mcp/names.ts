/**
 * Names of servers' tools: `mcp__SERVER__TOOL`, as Claude Code and Codex have them, so that a person sees
 * whose tool it is and no server's tool can take the name of another one. They are identifiers of at most 64
 * characters, because that is what a model can address.
 */
import { createHash } from "node:crypto";

const MOST_UNITS = 64;
const HASH_DIGITS = 8;
const MOST_HASH_DIGITS = 40;

/** A tool by the names that its server and its configuration gave. */
export type OriginalName = { readonly server: string; readonly tool: string };

/**
 * One name for each of the tools, in their order. It depends on nothing but the two names and on which others are
 * like it: where names are the same once they are identifiers, or too long, each gets a part of its own hash.
 *
 * @param tools  no two of them with the same two names
 * @param taken  names that something else has already
 */
export function toolNames(
  tools: readonly OriginalName[],
  taken: ReadonlySet<string> = new Set(),
): readonly string[] {
  const plain = tools.map(({ server, tool }) => `mcp__${identifier(server)}__${identifier(tool)}`);
  const count = new Map<string, number>();
  for (const name of plain) count.set(name, (count.get(name) ?? 0) + 1);
  const isFine = (name: string): boolean =>
    name.length <= MOST_UNITS && count.get(name) === 1 && !taken.has(name);
  // First all that stay as they are, so that a made name never takes the place of one.
  const used = new Set([...taken, ...plain.filter(isFine)]);
  return plain.map((name, at) => {
    if (isFine(name)) return name;
    const made = withHash(name, tools[at] as OriginalName, used);
    used.add(made);
    return made;
  });
}

function withHash(name: string, { server, tool }: OriginalName, used: ReadonlySet<string>): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([server, tool]))
    .digest("hex");
  for (let digits = HASH_DIGITS; ; digits += 2) {
    const end = `_${hash.slice(0, digits)}`;
    const made = name.slice(0, MOST_UNITS - end.length) + end;
    if (!used.has(made) || digits >= MOST_HASH_DIGITS) return made;
  }
}

function identifier(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, "_") || "_";
}
