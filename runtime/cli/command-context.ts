import type { CommandTable } from "./command/command.ts";
import type { Output } from "./output.ts";

/** What every command gets beside its own arguments. */
export type CommandContext = {
  readonly output: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C, SIGTERM, or a reader that closed stdout; the reason is an InterruptedError. */
  readonly signal: AbortSignal;
  /** Every command, for those that are about commands. */
  readonly commands: CommandTable;
};
