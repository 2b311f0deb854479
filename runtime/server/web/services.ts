/** What the page at `/` works with beside the models of the server. */
import type { Tool } from "../../../tools/index.ts";
import type { Policy, ThreadStore } from "../../index.ts";

/** The tools of one conversation. */
export type ConversationTools = {
  readonly tools: readonly Tool[];
  close(): Promise<void>;
};

/** Tools that conversations of the page may use. */
export type PageTools = {
  /** What a conversation may use, for the choice of a person; nothing of it is called. */
  readonly offered: readonly Tool[];
  /** Where the user's files are, for the instructions; undefined where there are none. */
  readonly briefing?: string | undefined;
  /** Opens what belongs to one conversation alone, like the interpreter of Python. */
  openConversation(): Promise<ConversationTools>;
};

export type PageServices = {
  /** Where conversations are kept. */
  readonly threads: ThreadStore;
  /** Decides about calls. Absent: what no tool wants to be asked for runs. */
  readonly policy?: Policy | undefined;
  /** Called once, with the first use. */
  openTools(): Promise<PageTools>;
  /** Files of a conversation are shown when they lie in here. */
  readonly artifactFolder: string;
  /** Where the server was started: new conversations begin there. */
  readonly folder?: string | undefined;
};
