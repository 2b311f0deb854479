/**
 * What could stand in the place of the last word of a command line: one word a line, with what it is behind a tab,
 * and `:file` or `:folder` where the shell itself knows more.
 */
import { existsSync } from "node:fs";
import { homePath } from "../home.ts";
import {
  type Command,
  type CommandGroup,
  flagsOf,
  isGroup,
  type Positional,
} from "./command/command.ts";
import { type Completes, type Flag, type Flags, isList, placeholderOf } from "./command/flag.ts";
import { COMMON, commandWord, parseWords } from "./command/parse.ts";
import { allSettings } from "./command/walk.ts";
import type { CommandContext } from "./command-context.ts";
import { readConfigFile } from "./config-file.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { visibleText } from "./terminal-text.ts";

type Candidate = { readonly word: string; readonly describe?: string };

type Offer = {
  readonly candidates: readonly Candidate[];
  /** The shell completes paths. */
  readonly paths?: "file" | "folder";
};

const MOST_THREADS = 50;
const MOST_COLUMNS = 60;

/** @param words behind `chorale`; the last one is the one that is being typed */
export async function wordsCommand(
  words: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const { candidates, paths } = await offerFor(joinedAtEquals(words), context);
  for (const { word, describe } of candidates) {
    // A name that a line cannot hold is not offered.
    if (visibleText(word) !== word || /\s/.test(word)) continue;
    context.output.line(describe === undefined ? word : `${word}\t${oneLine(describe)}`);
  }
  if (paths !== undefined) context.output.line(`:${paths}`);
  return EXIT.ok;
}

type Typed = {
  readonly before: readonly string[];
  readonly last: string;
  /** bash takes `--flag=value` apart, and replaces the value alone. */
  readonly isApart: boolean;
};

/** `--flag`, `=`, `value` of bash as the one word that was typed. */
function joinedAtEquals(words: readonly string[]): Typed {
  const joined: string[] = [];
  let isApart = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const flag = joined.at(-1);
    if (word === "=" && flag?.startsWith("--") && !flag.includes("=")) {
      joined[joined.length - 1] = `${flag}=${words[++at] ?? ""}`;
      isApart = at >= words.length - 1;
    } else joined.push(word);
  }
  return { before: joined.slice(0, -1), last: joined.at(-1) ?? "", isApart };
}

async function offerFor(typed: Typed, context: CommandContext): Promise<Offer> {
  const { last } = typed;
  let before = typed.before;
  let group: CommandGroup = { commands: context.commands, examples: [] };
  let command: Command | undefined;
  while (command === undefined) {
    const word = commandWord(before, group.commands);
    if (word.entry === undefined) break;
    const loaded = await word.entry.load();
    before = word.others;
    if (isGroup(loaded)) group = loaded;
    else command = loaded;
  }
  if (command === undefined) {
    if (before.some((word) => !word.startsWith("-")) && group.otherwise === undefined) {
      return { candidates: [] };
    }
    if (last.startsWith("-")) return flagOffer(group.otherwise, before, last);
    const commands = Object.entries(group.commands).map(([word, { describe }]) => ({
      word,
      describe,
    }));
    return { candidates: matching(commands, last) };
  }
  return argumentOffer(command, { ...typed, before }, context);
}

async function argumentOffer(
  command: Command,
  { before, last, isApart }: Typed,
  context: CommandContext,
): Promise<Offer> {
  const flags = flagsOf(command);
  const isBehindDashes = before.includes("--");
  const [, inline, begun] = /^--([a-z][\w-]*)=(.*)$/s.exec(last) ?? [];
  const inlineFlag = inline === undefined ? undefined : flagNamed(flags, `--${inline}`);
  if (!isBehindDashes && inlineFlag !== undefined && begun !== undefined) {
    const offer = await valueOffer(inlineFlag, begun, context);
    const prefix = isApart ? "" : `--${inline}=`;
    return {
      ...offer,
      candidates: offer.candidates.map((one) => ({ ...one, word: prefix + one.word })),
    };
  }
  const waiting = isBehindDashes ? undefined : flagNamed(flags, before.at(-1) ?? "");
  if (waiting !== undefined && placeholderOf(waiting) !== null)
    return valueOffer(waiting, last, context);
  if (!isBehindDashes && last.startsWith("-")) return flagOffer(command, before, last);
  const given = positionalsOf(before, flags);
  const places = Object.values(command.positionals);
  const place = places[given.length] ?? (isOpenEnded(places.at(-1)) ? places.at(-1) : undefined);
  if (place?.completes === "value") {
    const settings = await allSettings(context.commands);
    const setting = given[0] === undefined ? undefined : settings[given[0]];
    if (given[0] === "profile") return completed("profile", last, context);
    return setting === undefined ? { candidates: [] } : valueOffer(setting, last, context);
  }
  return place?.completes === undefined
    ? { candidates: [] }
    : completed(place.completes, last, context);
}

/** Flags that begin so, without those that were given and may not be repeated. */
function flagOffer(command: Command | undefined, before: readonly string[], last: string): Offer {
  const flags: Flags = command === undefined ? {} : flagsOf(command);
  const given = new Set(before.map((word) => word.replace(/=.*$/s, "")));
  const own = Object.entries(flags)
    .filter(([name, flag]) => isList(flag) || !given.has(`--${name}`))
    .map(([name, { describe }]) => ({ word: `--${name}`, describe }));
  const common = Object.entries(COMMON).map(([name, { describe }]) => ({
    word: `--${name}`,
    describe,
  }));
  return { candidates: matching([...own, ...common], last) };
}

async function valueOffer(flag: Flag, begun: string, context: CommandContext): Promise<Offer> {
  if (flag.type === "choice") {
    return {
      candidates: matching(
        flag.words.map((word) => ({ word })),
        begun,
      ),
    };
  }
  if (flag.type === "switch") {
    return { candidates: matching([{ word: "true" }, { word: "false" }], begun) };
  }
  return flag.completes === undefined
    ? { candidates: [] }
    : completed(flag.completes, begun, context);
}

async function completed(
  completes: Completes,
  begun: string,
  context: CommandContext,
): Promise<Offer> {
  switch (completes) {
    case "file":
    case "folder":
      return { candidates: [], paths: completes };
    case "profile":
      return { candidates: matching(profilesOf(context.env), begun) };
    case "setting": {
      const settings = Object.entries(await allSettings(context.commands));
      const known = settings.map(([word, { describe }]) => ({ word, describe }));
      return { candidates: matching(known, begun) };
    }
    case "thread":
      return { candidates: await threads(begun, context.env) };
    case "value":
      return { candidates: [] };
  }
}

function profilesOf(env: NodeJS.ProcessEnv): readonly Candidate[] {
  try {
    return Object.keys(readConfigFile(env).profiles).map((word) => ({ word }));
  } catch {
    // A broken configuration is told by the command that is completed.
    return [];
  }
}

/** Conversations that were used last, with their titles. */
async function threads(prefix: string, env: NodeJS.ProcessEnv): Promise<readonly Candidate[]> {
  const { threadsPath } = await import("../environment.ts");
  const { SqliteThreadStore } = await import("../index.ts");
  const path = threadsPath({ path: homePath(env) });
  if (!existsSync(path)) return [];
  try {
    await using store = new SqliteThreadStore(path);
    const found = await store.list({ limit: MOST_THREADS, prefix });
    return found.map(({ threadId, title }) => ({
      word: threadId,
      ...(title !== null && { describe: title }),
    }));
  } catch {
    return [];
  }
}

/** Words in a place, as far as the line can be read. */
function positionalsOf(before: readonly string[], flags: Flags): readonly string[] {
  try {
    return parseWords(before, flags).positionals;
  } catch {
    return [];
  }
}

function isOpenEnded(place: Positional | undefined): boolean {
  return place?.arity === "rest" || place?.arity === "any";
}

function flagNamed(flags: Flags, word: string): Flag | undefined {
  const long = /^--([a-z][\w-]*)$/.exec(word)?.[1];
  const short = /^-([a-z])$/.exec(word)?.[1];
  if (long === undefined && short === undefined) return undefined;
  const found = Object.entries(flags).find(
    ([name, flag]) =>
      name === long || flag.also?.includes(long ?? "") || (short && flag.short === short),
  );
  return found?.[1];
}

function matching(candidates: readonly Candidate[], begun: string): readonly Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(begun));
}

/** A title may hold anything. */
function oneLine(text: string): string {
  const line = visibleText(text.replace(/\s+/g, " "));
  return line.length > MOST_COLUMNS ? `${line.slice(0, MOST_COLUMNS - 1)}…` : line;
}
