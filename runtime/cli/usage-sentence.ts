/** What was wrong with the command line, with the word that was probably meant. */
import { nearestNames } from "../../tools/index.ts";
import { type Command, type CommandGroup, flagsOf, isGroup } from "./command/command.ts";
import { COMMON, type CommandLineError } from "./command/parse.ts";

/** @param path words that name the command */
export function usageSentence(
  { message, unknown }: CommandLineError,
  path: readonly string[],
  command: Command | CommandGroup,
): string {
  const name = ["chorale", ...path].join(" ");
  const isFlag = !isGroup(command);
  const names = Object.keys(isFlag ? { ...flagsOf(command), ...COMMON } : command.commands);
  const near = unknown.flatMap((word) => nearestNames(word, names, 1));
  const meant = near.map((word) => (isFlag ? `--${word}` : `${name} ${word}`)).join(", ");
  const sentence = message.replace(/\.?$/, ".");
  return `${sentence}${meant === "" ? "" : ` Did you mean ${meant}?`} See ${name} --help.`;
}
