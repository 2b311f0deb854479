/** What was wrong with the command line, with the word that was probably meant. */
import { nearestNames } from "../../tools/index.ts";
import {
  agentOptions,
  benchOptions,
  colorOption,
  jsonOption,
  modelOptions,
  outputOptions,
  threadOptions,
} from "./flags.ts";

const COMMANDS: readonly string[] = [
  ...["run", "demo", "bench", "harmony", "doctor", "python", "tools"],
];
const FLAGS: readonly string[] = Object.keys({
  ...agentOptions,
  ...benchOptions,
  ...colorOption,
  ...jsonOption,
  ...modelOptions,
  ...outputOptions,
  ...threadOptions,
  help: {},
  version: {},
});

/** @param message what yargs says */
export function usageSentence(message: string, argv: readonly string[]): string {
  const sentence = message.replace(/\.?$/, ".");
  const [command = ""] = argv;
  const isCommand = COMMANDS.includes(command);
  const unknown = /^Unknown (?:arguments?|commands?): (.+)$/.exec(message)?.[1]?.split(", ") ?? [];
  const near = unknown.flatMap((name) => nearestNames(name, isCommand ? FLAGS : COMMANDS, 1));
  const meant = near.map((name) => (isCommand ? `--${name}` : `chorale ${name}`)).join(", ");
  const where = isCommand ? `chorale ${command} --help` : "chorale --help";
  return `${sentence}${meant === "" ? "" : ` Did you mean ${meant}?`} See ${where}.`;
}
