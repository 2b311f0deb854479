export type { CommandContext } from "./command/command.ts";
