/**
 * The paths that a call names. A rule that denies looks for any way in which a text may lead somewhere: as it is
 * written, through links, in another case or spelling. A rule that allows wants every one of them to be within.
 */
import { readlink, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, parse, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type FoundText, spellingsOf } from "./strings.ts";
import { fitsPath } from "./wildcards.ts";

/** What relative paths are relative to, and what `~` stands for. */
export type PathPlace = { readonly folder: string; readonly home: string };

export const herePlace = (): PathPlace => ({ folder: resolve("."), home: homedir() });

const PATH_KEY =
  /^(?:.*_)?(?:path|file|filename|filepath|folder|dir|directory|cwd|root|source|src|destination|dest|dst|target|location|input|output)s?$/i;
const LONGEST_PATH = 4_096;
const BETWEEN_WORDS = /[\s"'`<>()[\]{}|;,=&$]+/u;
/** Of the words of a command line, so many are followed through links; of the others only the names are read. */
const MAX_FOLLOWED = 64;
const MAX_LINKS = 40;
const SEPARATORS = sep === "\\" ? /[/\\]/ : "/";

/** One path that a call names, as the places it may lead to: absolute, each as its segments. */
export type NamedPath = readonly (readonly string[])[];

/**
 * @param isCareful every text counts, also the words of a command line: for rules that deny or ask
 */
export async function pathsIn(
  texts: readonly FoundText[],
  isCareful: boolean,
  place: PathPlace,
): Promise<readonly NamedPath[]> {
  const named = new Set<string>();
  const words = new Set<string>();
  for (const { text, key, isCommand } of texts) {
    if (text === "") continue;
    const isNamed = key !== null && PATH_KEY.test(key);
    if (isCareful ? isOneLine(text) : isNamed || looksLikePath(text)) named.add(text);
    if (isCommand) for (const word of text.split(BETWEEN_WORDS)) if (word !== "") words.add(word);
  }
  if (!isCareful) for (const word of words) if (looksLikePath(word)) named.add(word);
  const found: NamedPath[] = [];
  for (const text of named) found.push(await placesOf(text, isCareful, place, true));
  if (!isCareful) return found;
  let followed = 0;
  for (const word of words) {
    if (named.has(word) || word.length > LONGEST_PATH) continue;
    found.push(await placesOf(word, true, place, followed++ < MAX_FOLLOWED));
  }
  return found;
}

const isOneLine = (text: string): boolean => text.length <= LONGEST_PATH && !/[\r\n]/.test(text);

function looksLikePath(text: string): boolean {
  return /^(?:[/\\~]|\.{1,2}(?:[/\\]|$)|[a-z]:[/\\]|file:)/i.test(text) && isOneLine(text);
}

async function placesOf(
  text: string,
  isCareful: boolean,
  place: PathPlace,
  isFollowed: boolean,
): Promise<NamedPath> {
  const places = new Map<string, readonly string[]>();
  for (const written of spellings(text, isCareful)) {
    const path = expanded(written, place);
    if (path.includes("\0")) continue;
    const lexical = resolve(path);
    places.set(lexical, segmentsOf(lexical));
    if (!isFollowed) continue;
    const real = await realPath(path);
    places.set(real, segmentsOf(real));
  }
  return [...places.values()];
}

/** The ways in which a text may be read as a path. */
function spellings(text: string, isCareful: boolean): readonly string[] {
  const found = new Set(spellingsOf(text));
  if (/^\s*file:/i.test(text)) found.add(fileOfUrl(text.trim()));
  if (!isCareful) return [...found];
  for (const one of [...found]) {
    found.add(one.trim());
    found.add(one.replaceAll("\\", "/"));
    if (/%[0-9a-f]{2}/i.test(one)) found.add(decoded(one));
    // Windows drops what ends a name like this.
    found.add(one.replace(/[. ]+(?=$|[/\\])/g, (tail) => (/^\.{1,2}$/.test(tail) ? tail : "")));
  }
  return [...found].filter((one) => one !== "");
}

function fileOfUrl(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    return text.replace(/^file:[/\\]*/i, sep);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Absolute, with every `..` still in it: behind a link it leads to the parent of what the link means. */
function expanded(text: string, { folder, home }: PathPlace): string {
  if (text === "~" || /^~[/\\]/.test(text)) return `${home}${sep}${text.slice(2)}`;
  return isAbsolute(text) ? text : `${folder}${sep}${text}`;
}

function segmentsOf(path: string): readonly string[] {
  const { root } = parse(path);
  const names = path
    .slice(root.length)
    .split(sep)
    .filter((name) => name !== "");
  const drive = root.replaceAll(sep, "");
  return (drive === "" ? names : [drive, ...names]).map((name) => name.normalize("NFC"));
}

/** Where a path leads, through every link on the way, also where its end does not exist yet. */
async function realPath(path: string, links = 0): Promise<string> {
  const { root } = parse(path);
  let current = root;
  let isThere = true;
  for (const name of path.slice(root.length).split(SEPARATORS)) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      current = dirname(current);
      continue;
    }
    const next = join(current, name);
    if (!isThere) {
      current = next;
      continue;
    }
    try {
      current = await realpath(next);
    } catch {
      // A link to what does not exist yet: writing there makes it.
      const target = await readlink(next).catch(() => null);
      if (target !== null && links < MAX_LINKS) {
        current = await realPath(
          isAbsolute(target) ? target : `${current}${sep}${target}`,
          links + 1,
        );
      } else {
        isThere = target !== null;
        current = next;
      }
    }
  }
  return current;
}

export type PathPattern = {
  readonly text: string;
  /** The same as segments, as it is written and with its fixed beginning followed through links. */
  readonly variants: readonly (readonly string[])[];
};

/** A pattern of a policy: absolute, below `~/`, relative to the folder of the run, or anywhere (`**` in front). */
export async function openPathPattern(text: string, place: PathPlace): Promise<PathPattern> {
  if (text === "**" || text.startsWith("**/")) {
    const segments = text.split("/").filter((part) => part !== "");
    return { text, variants: [segments.map((part) => part.normalize("NFC"))] };
  }
  const lexical = resolve(expanded(text, place));
  const segments = segmentsOf(lexical);
  const fixed = segments.findIndex((part) => /[*?]/.test(part));
  const count = fixed < 0 ? segments.length : fixed;
  const { root } = parse(lexical);
  const head = segmentsOf(
    await realPath(join(root, ...segments.slice(root.length > 1 ? 1 : 0, count))),
  );
  return { text, variants: [segments, [...head, ...segments.slice(count)]] };
}

/**
 * Whether a place is what a pattern names, or lies below it.
 *
 * @param isCareful upper and lower case are the same, and below every match is within: for rules that deny or ask
 */
export function coversPath(
  pattern: PathPattern,
  place: readonly string[],
  isCareful: boolean,
): boolean {
  const isFolded = isCareful || process.platform === "win32" || process.platform === "darwin";
  const fold = (names: readonly string[]): readonly string[] =>
    isFolded ? names.map((name) => name.toLowerCase()) : names;
  const path = fold(place);
  return pattern.variants.some((variant) => {
    const segments = fold(variant);
    // A folder stands for all that is in it; a star at the end stands for one level.
    const isFolder = isCareful || !/[*?]/.test(segments.at(-1) ?? "");
    return fitsPath(isFolder ? [...segments, "**"] : segments, path);
  });
}
