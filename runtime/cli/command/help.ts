/** The text of `--help`. It is ASCII, so a column is a character. */
import {
  type Command,
  type CommandGroup,
  type CommandTable,
  type Example,
  isGroup,
} from "./command.ts";
import { type Flag, isList, placeholderOf } from "./flag.ts";
import { COMMON } from "./parse.ts";

const MOST_COLUMNS = 110;
/** Below it, a second column has no room. */
const LEAST_COLUMNS = 40;

type Row = readonly [left: string, right: string];

/** @param columns of the terminal */
export function helpOfAll({ commands, examples }: CommandGroup, columns: number): string {
  const width = widthFor(columns);
  return page([
    "chorale <command>",
    wrap("Ask a gpt-oss model that runs on this machine and can use tools.", width, 0),
    section("Commands", rowsOfTable("chorale", commands), width),
    section("Options", commonRows(), width),
    examplesText(examples, width),
    "chorale <command> --help tells more about a command.",
  ]);
}

/** @param path the words that name the command, without `chorale` */
export function helpOf(
  path: readonly string[],
  describe: string,
  command: Command | CommandGroup,
  columns: number,
): string {
  const width = widthFor(columns);
  const name = ["chorale", ...path].join(" ");
  if (isGroup(command)) {
    return page([
      `${name} <command>`,
      wrap(`${describe}.`, width, 0),
      section("Commands", rowsOfTable(name, command.commands), width),
      section("Options", commonRows(), width),
      examplesText(command.examples, width),
    ]);
  }
  return page([
    usageOf(path, command),
    wrap(`${describe}.`, width, 0),
    section(
      "Arguments",
      Object.entries(command.positionals).map(([place, one]): Row => [place, one.describe]),
      width,
    ),
    section("Options", [...rowsOfFlags(command.flags), ...commonRows()], width),
    section(SETTINGS, rowsOfFlags(command.settings), width),
    examplesText(command.examples, width),
  ]);
}

const SETTINGS = "Settings (a flag, else CHORALE_NAME in the environment, else the configuration)";

function rowsOfFlags(flags: Readonly<Record<string, Flag>>): readonly Row[] {
  return Object.entries(flags).map(([name, flag]): Row => {
    const repeated = isList(flag) ? "; may be repeated" : "";
    const value = flag.default === undefined ? "" : ` (default: ${flag.default})`;
    const describe = `${flag.describe}${repeated}${value}`;
    return [flagText(name, flag.short, placeholderOf(flag)), describe];
  });
}

/** `chorale tools call <name> [input]` */
function usageOf(path: readonly string[], { positionals }: Command): string {
  const places = Object.entries(positionals).map(([name, { arity }]) => {
    if (arity === "optional") return `[${name}]`;
    if (arity === "any") return `[${name}..]`;
    return arity === "rest" ? `<${name}..>` : `<${name}>`;
  });
  return ["chorale", ...path, ...places].join(" ");
}

function flagText(name: string, short: string | undefined, placeholder: string | null): string {
  const dash = short === undefined ? "    " : `-${short}, `;
  return `${dash}--${name}${placeholder === null ? "" : ` ${placeholder}`}`;
}

function commonRows(): readonly Row[] {
  return Object.entries(COMMON).map(
    ([name, { short, describe }]): Row => [flagText(name, short, null), describe],
  );
}

function rowsOfTable(prefix: string, table: CommandTable): readonly Row[] {
  return Object.entries(table).map(([name, { describe }]): Row => [`${prefix} ${name}`, describe]);
}

function section(title: string, rows: readonly Row[], width: number): string {
  if (rows.length === 0) return "";
  const longest = Math.max(...rows.map(([left]) => left.length));
  const indent = Math.min(longest + 4, Math.floor(width / 2));
  const lines = rows.map(([left, right]) => {
    const begin = `  ${left}`;
    const text = wrap(right, width, indent);
    // What has no room beside the second column stands above it.
    return begin.length + 2 > indent ? `${begin}\n${text}` : begin + text.slice(begin.length);
  });
  return `${title}:\n${lines.join("\n")}`;
}

function examplesText(examples: readonly Example[], width: number): string {
  if (examples.length === 0) return "";
  const lines = examples.map(
    ([line, purpose]) => `${wrap(`# ${purpose}`, width, 2)}\n  chorale ${line}`,
  );
  return `Examples:\n${lines.join("\n")}`;
}

/** Each line begins with `indent` spaces. */
function wrap(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => " ".repeat(indent) + one).join("\n");
}

function page(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function widthFor(columns: number): number {
  return Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns));
}
