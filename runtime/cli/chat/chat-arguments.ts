/** What the command line says about a chat. */
import type { AgentArguments, ModelArguments, OutputFlag } from "../flags.ts";

export type ChatArguments = {
  readonly agent: Omit<AgentArguments, OutputFlag>;
  readonly model: ModelArguments;
  /** The conversation is not kept. */
  readonly ephemeral: boolean;
  /** The thread that goes on, or the beginning of its id. */
  readonly resume: string | undefined;
  /** The last thread of this folder goes on. */
  readonly continue: boolean;
};
