/** A command line as words: which command it names, and what stands where. Values are not read here. */
import { parseArgs } from "node:util";
import type { Command, CommandEntry, CommandTable } from "./command.ts";
import { type Flags, placeholderOf } from "./flag.ts";

/** A word that no command, flag or place accepts, or one that is missing. */
export class CommandLineError extends Error {
  /** Words that were not understood, as typed but for their dashes. */
  readonly unknown: readonly string[];

  constructor(message: string, unknown: readonly string[] = []) {
    super(message);
    this.unknown = unknown;
  }
}

/** Flags of every command. */
export const COMMON: Readonly<
  Record<string, { readonly short?: string; readonly describe: string }>
> = {
  help: { short: "h", describe: "Show this help" },
  version: { describe: "Show the version" },
};

/**
 * The command that a word of `argv` names, and the other words in their order. Flags may stand before it.
 * Without an entry where there is none.
 */
export function commandWord(
  argv: readonly string[],
  table: CommandTable,
):
  | { readonly name: string; readonly entry: CommandEntry; readonly others: readonly string[] }
  | { readonly entry?: undefined } {
  const end = argv.indexOf("--");
  const words = end === -1 ? argv : argv.slice(0, end);
  const entryOf = (word: string): CommandEntry | undefined =>
    Object.hasOwn(table, word) ? table[word] : undefined;
  const first = words.findIndex((word) => !word.startsWith("-"));
  // Behind a flag the first word may be the flag's value.
  const at = first === 0 ? 0 : words.findIndex((word) => entryOf(word) !== undefined);
  const name = words[at];
  const entry = name === undefined ? undefined : entryOf(name);
  return name === undefined || entry === undefined
    ? {}
    : { name, entry, others: argv.toSpliced(at, 1) };
}

/**
 * Before a word that begins with a dash and is no flag, so that `parseArgs` leaves it whole: a number, or a question
 * like "-5 + 3 = ?". No argument of a process can hold this character.
 */
const MARK = "\0";

function isNoFlag(word: string): boolean {
  return /^-+(?:[\d.]|[^=]*\s)/.test(word);
}

function unmarked(word: string): string {
  return word.startsWith(MARK) ? word.slice(MARK.length) : word;
}

export type ParsedWords = {
  readonly help: boolean;
  readonly version: boolean;
  /** Flag → what was given for it, in order. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
};

/** @throws CommandLineError for an unknown flag, or one that lacks its value */
export function parseWords(argv: readonly string[], flags: Flags): ParsedWords {
  const names = new Map(
    Object.entries(flags).flatMap(([name, flag]) =>
      [name, ...(flag.also ?? [])].map((one) => [one, name] as const),
    ),
  );
  const { tokens } = parseArgs({
    args: argv.map((word) => (isNoFlag(word) ? MARK + word : word)),
    options: optionsOf(flags, names),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const common = new Set<string>();
  const unknown: string[] = [];
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(unmarked(token.value));
    if (token.kind !== "option") continue;
    const { name: word, inlineValue } = token;
    const value = token.value === undefined ? undefined : unmarked(token.value);
    const name = names.get(word);
    const negated = word.startsWith("no-") ? names.get(word.slice(3)) : undefined;
    const add = (key: string, text: string): unknown =>
      given.set(key, [...(given.get(key) ?? []), text]);
    if (name !== undefined && takesValue(flags, name)) {
      if (value === undefined || (!inlineValue && isFlagLike(value))) {
        throw new CommandLineError(`Not enough arguments following: ${word}`);
      }
      add(name, value);
    } else if (name !== undefined) add(name, value ?? "true");
    else if (Object.hasOwn(COMMON, word) && value === undefined) common.add(word);
    else if (negated !== undefined && !takesValue(flags, negated) && value === undefined) {
      add(negated, "false");
    } else unknown.push(word);
  }
  const parsed = {
    help: common.has("help"),
    version: common.has("version"),
    flags: given,
    positionals,
  };
  if (unknown.length > 0 && !parsed.help) throw unknownArguments(unknown);
  return parsed;
}

/** What stands in each place; `rest` and `any` are lists. */
export type Places = Readonly<Record<string, string | undefined | readonly string[]>>;

/** What stands in each place. @throws CommandLineError for too few or too many */
export function placed(given: readonly string[], positionals: Command["positionals"]): Places {
  const left = [...given];
  const found: Record<string, string | undefined | readonly string[]> = {};
  for (const [name, { arity }] of Object.entries(positionals)) {
    const isNeeded = arity === "required" || arity === "rest";
    if (isNeeded && left.length === 0) {
      throw new CommandLineError(`The argument <${name}> is missing.`);
    }
    found[name] = arity === "rest" || arity === "any" ? left.splice(0) : left.shift();
  }
  if (left.length > 0) throw unknownArguments(left);
  return found;
}

function unknownArguments(words: readonly string[]): CommandLineError {
  return new CommandLineError(
    `Unknown argument${words.length > 1 ? "s" : ""}: ${words.join(", ")}`,
    words,
  );
}

function optionsOf(
  flags: Flags,
  names: ReadonlyMap<string, string>,
): Record<string, { type: "boolean" | "string"; short?: string }> {
  const own = [...names].map(([word, name]) => {
    const type = takesValue(flags, name) ? ("string" as const) : ("boolean" as const);
    const short = word === name ? flags[name]?.short : undefined;
    return [word, { type, ...(short !== undefined && { short }) }] as const;
  });
  const common = Object.entries(COMMON).map(([name, { short }]) => {
    return [name, { type: "boolean" as const, ...(short !== undefined && { short }) }] as const;
  });
  return Object.fromEntries([...common, ...own]);
}

function takesValue(flags: Flags, name: string): boolean {
  const flag = flags[name];
  return flag !== undefined && placeholderOf(flag) !== null;
}

/** Whether the value was forgotten: what stands there is the next flag, not a text or a number with a dash. */
function isFlagLike(word: string): boolean {
  return /^(?:--[a-z][\w-]*(?:=.*)?|-[a-z])$/is.test(word);
}
