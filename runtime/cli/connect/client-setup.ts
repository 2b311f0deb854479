/** What a program has to be told so that it talks to a server of Chorale. */

/** A server, as a client reaches it. */
export type Connection = {
  /** `http://127.0.0.1:11434`, without a slash at its end. */
  readonly url: string;
  readonly model: string;
  /** Tokens of context that the server gives the model. */
  readonly contextLength: number;
  /** Whether requests have to send a key. */
  readonly needsKey: boolean;
  /** The home of the person, in which clients look for their files. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
};

/** A file that only Chorale writes; its text says so. */
export type OwnFile = { readonly path: string; readonly text: string };

/** An entry of a JSON file that has other things as well. */
export type MergedEntry = {
  readonly path: string;
  /** Keys from the top of the file. */
  readonly at: readonly string[];
  readonly value: unknown;
  /** Whether an object that is found there says the same. Default: where it is equal. */
  readonly isSame?: (found: object) => boolean;
  /** What else a new file needs. */
  readonly base?: Readonly<Record<string, unknown>>;
  /** Whether only Chorale writes this entry. */
  readonly isOwn: boolean;
};

export type SetupFile = OwnFile | MergedEntry;

export type ClientSetup = {
  /** `Codex CLI` */
  readonly name: string;
  /** The version that the tests run. */
  readonly tested: string;
  readonly files: readonly SetupFile[];
  /** Variables of the client's environment. A value may name another variable: `$CHORALE_API_KEY`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Command lines that start it. */
  readonly start: readonly string[];
  /** Sentences that are good to know. */
  readonly notes: readonly string[];
  /** Tokens that its instructions and tools take in each prompt. */
  readonly promptTokens: number;
};

/** Stands for a key where a client insists on one and the server does not. */
export const NO_KEY = "none";

/** The variable that holds the key, for the server and for its clients. */
export const KEY_VARIABLE = "CHORALE_API_KEY";

/** Whether a text was written by `chorale connect`. */
export const isOurs = (text: string): boolean => text.slice(0, 400).includes(MARK);

const MARK = "Written by chorale connect";

/** What the first line of an own file says. */
export const markOf = (client: string): string => `${MARK} ${client}, which may write it anew.`;
