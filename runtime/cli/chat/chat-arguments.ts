/** What the command line says about a chat. */
import type { AgentArguments, ModelArguments } from "../flags.ts";

export type ChatArguments = ModelArguments &
  Omit<AgentArguments, "schema" | "xsd"> & {
    /** The conversation is not kept. */
    readonly ephemeral: boolean;
    /** The thread that goes on. */
    readonly resume: string | undefined;
  };
