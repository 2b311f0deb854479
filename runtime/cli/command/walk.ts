/** Every command of a table, for what is about all of them. */
import { type Command, type CommandTable, isGroup } from "./command.ts";
import type { Flags } from "./flag.ts";

export type Leaf = {
  /** The words that call it, without `chorale`. */
  readonly path: readonly string[];
  readonly describe: string;
  readonly command: Command;
};

/** Loads the modules of all commands, but not what they do. */
export async function leaves(
  table: CommandTable,
  prefix: readonly string[] = [],
): Promise<readonly Leaf[]> {
  const found = await Promise.all(
    Object.entries(table).map(async ([name, { describe, load }]) => {
      const command = await load();
      const path = [...prefix, name];
      return isGroup(command) ? leaves(command.commands, path) : [{ path, describe, command }];
    }),
  );
  return found.flat();
}

/** Every setting of every command. */
export async function allSettings(table: CommandTable): Promise<Flags> {
  const commands = await leaves(table);
  return Object.assign({}, ...commands.map(({ command }) => command.settings)) as Flags;
}
