/**
 * What a plugin's code finds in its sandbox: `import { defineTool, net, fs } from "chorale/plugin"`, and
 * `console`, `setTimeout`, `clearTimeout`. Beside these and what ECMAScript itself has there is nothing:
 * no `process`, no `fetch`, no `require`, no timers that outlive a call. With `isolation: "process"` all of
 * Node is there as well, within what its permission model allows.
 *
 * Host functions work while one of the plugin's tools is being called, within what its manifest asks for
 * and the user granted; otherwise they reject with an error that says what is missing.
 */

/** The part of JSON Schema that describes a tool's arguments. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

export type ToolContext = {
  readonly callId: string;
  /** True once the call is to end: its time is up, or the run was cancelled. Ends a loop in time. */
  readonly cancelled: boolean;
  /** The same as the exports of this module, for functions that cannot import. */
  readonly net: typeof net;
  readonly fs: typeof fs;
  readonly tools: typeof tools;
  readonly env: typeof env;
  readonly granted: typeof granted;
  readonly sleep: typeof sleep;
};

/** A text for the model; `data` is the same for programs. */
export type ToolOutput = {
  readonly text: string;
  readonly isError?: boolean;
  readonly data?: unknown;
};

export type ToolDefinition<Input> = {
  /** A TypeScript identifier; the model addresses the tool as `functions.NAME`. */
  readonly name: string;
  /** For the model: what it does and when to use it. */
  readonly description: string;
  /** Absent: no arguments. */
  readonly inputSchema?: JsonSchema;
  /** Wall time of one call; default and highest value are the manifest's. */
  readonly timeoutMs?: number;
  readonly annotations?: {
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  };
  /** The user is asked before every call. */
  readonly needsApproval?: boolean;
  /**
   * Gets arguments that passed `inputSchema`. Returns a text, a `ToolOutput`, or anything that JSON can
   * say, or a promise of it. What it throws is told to the model.
   */
  execute(input: Input, context: ToolContext): unknown;
};

/** What `defineTool` returns; to be exported, as default, by name, or in an array. */
export type PluginTool = { readonly name: string };

export declare function defineTool<Input = Record<string, unknown>>(
  definition: ToolDefinition<Input>,
): PluginTool;

export type FetchOptions = {
  /** GET, HEAD, POST, PUT, PATCH or DELETE; default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** How the body of the response is handed over; default `text` (UTF-8). */
  readonly as?: "text" | "base64";
};

export type FetchResponse = {
  /** After redirects, which must stay within the granted hosts. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case; values of headers that came several times are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Each `Set-Cookie` by itself: their values can hold commas. */
  readonly setCookies: readonly string[];
  readonly body: string;
};

export declare const net: {
  /** HTTP or HTTPS with a granted host. An HTTP error is a response, not an exception. */
  readonly fetch: (url: string, options?: FetchOptions) => Promise<FetchResponse>;
};

export type FileKind = "file" | "folder" | "other";

/** Paths are absolute, or relative to the folder in which Chorale was started. */
export declare const fs: {
  readText(path: string): Promise<string>;
  readBase64(path: string): Promise<string>;
  /** Creates or replaces one file; its folder must exist. */
  writeText(path: string, text: string): Promise<void>;
  list(path: string): Promise<readonly { readonly name: string; readonly kind: FileKind }[]>;
};

export declare const tools: {
  /** Calls another tool as the model does. A failed call is a result with `isError`. */
  call(name: string, input: unknown): Promise<ToolOutput>;
};

export declare const env: {
  /** The value of a granted environment variable; null where it is not set. */
  get(name: string): Promise<string | null>;
};

/** What this plugin was granted of what its manifest asks for. */
export declare const granted: {
  readonly net: readonly string[];
  readonly fs: { readonly read: readonly string[]; readonly write: readonly string[] };
  readonly tools: readonly string[];
  readonly env: readonly string[];
};

/** Waits, at most until the call ends. */
export declare function sleep(milliseconds: number): Promise<void>;
