import { readArguments } from "../../runtime/cli/arguments.ts";
import { findCommand } from "../../runtime/cli/find-command.ts";

/** What a command gets for a command line, with no configuration but what `env` names. */
export async function argumentsOf(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Readonly<Record<string, unknown>>> {
  const called = await findCommand(argv);
  if (called.text !== undefined) throw new Error(`help was shown: ${called.text}`);
  return readArguments(called, { XDG_CONFIG_HOME: "/nonexistent", ...env });
}
