/** The command that a command line means. */

import { UsageError } from "../errors.ts";
import { packageVersion } from "../version.ts";
import { type Command, type CommandGroup, flagsOf, isGroup } from "./command/command.ts";
import {
  CommandLineError,
  commandWord,
  type ParsedWords,
  type Places,
  parseWords,
  placed,
} from "./command/parse.ts";
import { COMMANDS, EXAMPLES } from "./commands.ts";

export type Called =
  /** Help or the version, for stdout. */
  | { readonly text: string }
  | {
      readonly text?: undefined;
      readonly command: Command;
      /** What was given for each flag, not read yet. */
      readonly flags: ParsedWords["flags"];
      readonly places: Places;
    };

/** The command that is meant, or what is shown instead. @throws UsageError */
export async function findCommand(argv: readonly string[]): Promise<Called> {
  // `chorale help run` is `chorale run --help`.
  let words = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
  const path: string[] = [];
  let describe = "";
  let group: CommandGroup = { commands: COMMANDS, examples: EXAMPLES };
  let command: Command | undefined;
  const shown = async ({ help, version }: ParsedWords): Promise<string | null> => {
    if (version) return `${packageVersion()}\n`;
    if (!help) return null;
    const { helpOf, helpOfAll } = await import("./command/help.ts");
    const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
    if (path.length === 0) return helpOfAll(group, columns);
    return helpOf(path, describe, command ?? group, columns);
  };
  try {
    while (command === undefined) {
      const word = commandWord(words, group.commands);
      if (word.entry === undefined) {
        const { otherwise } = group;
        const parsed = parseWords(words, otherwise === undefined ? {} : flagsOf(otherwise));
        if (otherwise !== undefined && parsed.positionals.length === 0 && !parsed.help) {
          command = otherwise;
          break;
        }
        const text = await shown(parsed);
        if (text !== null) return { text };
        const [unknown] = parsed.positionals;
        if (unknown !== undefined)
          throw new CommandLineError(`Unknown command: ${unknown}`, [unknown]);
        throw new CommandLineError(
          path.length === 0
            ? "Name a command."
            : `Name one of ${Object.keys(group.commands).join(", ")}.`,
        );
      }
      path.push(word.name);
      words = word.others;
      describe = word.entry.describe;
      const loaded = await word.entry.load();
      if (isGroup(loaded)) group = loaded;
      else command = loaded;
    }
    const parsed = parseWords(words, flagsOf(command));
    const text = await shown(parsed);
    if (text !== null) return { text };
    const places = placed(parsed.positionals, command.positionals);
    return { command, flags: parsed.flags, places };
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    const { usageSentence } = await import("./usage-sentence.ts");
    throw new UsageError(usageSentence(error, path, command ?? group));
  }
}
