/**
 * A server through its lives: connected when it is needed, connected again with growing pauses after it was
 * lost, its tools listed again when it says that they have changed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../core/text.ts";
import type { ToolProgress } from "../core/tool.ts";
import { unlessAborted } from "../core/unless-aborted.ts";
import type { McpServerConfig } from "./config.ts";
import { Deadline } from "./deadline.ts";
import { type ElicitationHandler, Elicitations } from "./elicitation.ts";
import { McpError } from "./errors.ts";
import { type Listing, listTools, type ServerTool } from "./listing.ts";
import { type OpenedClient, openClient } from "./open-client.ts";
import type { CallToolResult, Client, OAuthClientProvider } from "./sdk.ts";
import { untrustedLine, untrustedText } from "./untrusted-text.ts";

export type ConnectionOptions = {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly onElicit?: ElicitationHandler | undefined;
  readonly auth?: (() => Promise<OAuthClientProvider>) | undefined;
  /** The tools are others than before. */
  readonly onToolsChanged: () => void;
  /** Gets sentences for the person who watches. */
  readonly onNote: (sentence: string) => void;
};

export type CallOptions = {
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
};

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** At most one listing in this time, however often the server says that its list has changed. */
const REFRESH_PAUSE_MS = 1_000;
const MOST_NOTES = 20;
const INSTRUCTIONS_UNITS = 4_000;
const PROBLEM_UNITS = 400;
const PROGRESS_UNITS = 200;
const SESSION_GONE = 404;
const MOST_RETRIES = 2;

export class Connection {
  readonly config: McpServerConfig;
  readonly #options: ConnectionOptions;
  readonly #elicitations: Elicitations;
  readonly #deadlines = new Set<Deadline>();
  readonly #closed = new AbortController();
  #current: OpenedClient | null = null;
  #opening: Promise<OpenedClient> | null = null;
  #tools: readonly ServerTool[] = [];
  #failures = 0;
  #retryAt = 0;
  #lost = "it was not started";
  #wasOpen = false;
  #isRefreshing = false;
  #notes = 0;
  #lastProblem: string | null = null;

  constructor(config: McpServerConfig, options: ConnectionOptions) {
    this.config = config;
    this.#options = options;
    this.#elicitations = new Elicitations(config.name, options.onElicit, (isWaiting) => {
      for (const deadline of this.#deadlines) isWaiting ? deadline.pause() : deadline.resume();
    });
  }

  get name(): string {
    return this.config.name;
  }

  /** Those that the configuration lets through, as they were listed last. */
  get tools(): readonly ServerTool[] {
    return this.#tools;
  }

  get isConnected(): boolean {
    return this.#current !== null;
  }

  /** What the server says about itself; text that is not trusted. Null before it is connected. */
  get about(): {
    readonly name: string;
    readonly version: string;
    readonly instructions: string;
  } | null {
    const client = this.#current?.client;
    if (client === undefined) return null;
    const server = client.getServerVersion();
    return {
      name: untrustedText(server?.name ?? "", 100),
      version: untrustedText(server?.version ?? "", 50),
      instructions: untrustedText(client.getInstructions() ?? "", INSTRUCTIONS_UNITS),
    };
  }

  /** What was last left out of what the server sent. */
  get lastProblem(): string | null {
    return this.#lastProblem;
  }

  has(capability: "resources" | "prompts"): boolean {
    return this.#current?.client.getServerCapabilities()?.[capability] !== undefined;
  }

  /**
   * Connects and lists the tools.
   * @throws McpError, or the signal's reason; the connection is then closed for good
   */
  async open(signal: AbortSignal): Promise<void> {
    const { startupTimeoutMs } = this.config;
    const limit = AbortSignal.timeout(startupTimeoutMs);
    try {
      await this.#list(AbortSignal.any([signal, limit]));
    } catch (error) {
      await this.close();
      signal.throwIfAborted();
      if (!limit.aborted) throw this.#asMcpError(error, "the question for its tools");
      throw new McpError(
        "CHORALE_MCP_CONNECT",
        `The MCP server ${this.name} cannot be used: it was not ready within ${startupTimeoutMs / 1000} s.`,
        { server: this.name, cause: error },
      );
    }
  }

  /**
   * Calls a tool.
   * @throws Error with what went wrong, for the model
   */
  async callTool(
    name: string,
    input: Readonly<Record<string, unknown>>,
    { signal, onProgress }: CallOptions,
  ): Promise<CallToolResult> {
    return this.#request(signal, (client, deadline, either) =>
      client.callTool(
        { name, arguments: { ...input } },
        {
          signal: either,
          // Its own clock knows nothing of the time in which a person is asked.
          timeout: LONGEST_TIMER_MS,
          onprogress: ({ progress, total, message }) => {
            deadline.extend();
            onProgress?.({
              progress,
              ...(total !== undefined && { total }),
              ...(message !== undefined && { message: untrustedText(message, PROGRESS_UNITS) }),
            });
          },
        },
      ),
    );
  }

  /** Any other request. @throws Error with what went wrong */
  async ask<T>(
    signal: AbortSignal,
    request: (client: Client, options: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    return this.#request(signal, (client, _, either) => request(client, { signal: either }));
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error(`the MCP server ${this.name} was closed`));
    await this.#opening?.catch(() => {});
    await this.#drop();
  }

  async #request<T>(
    signal: AbortSignal,
    send: (client: Client, deadline: Deadline, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    using deadline = new Deadline(this.config.timeoutMs);
    this.#deadlines.add(deadline);
    const either = AbortSignal.any([signal, deadline.signal, this.#closed.signal]);
    try {
      return await this.#requestOnce(either, (client) => send(client, deadline, either));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (deadline.signal.aborted) {
        throw new Error(
          `The MCP server ${this.name} was given up: ${messageOf(deadline.signal.reason)}.`,
        );
      }
      throw this.#asMcpError(error, "the request");
    } finally {
      this.#deadlines.delete(deadline);
    }
  }

  async #requestOnce<T>(signal: AbortSignal, send: (client: Client) => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries++) {
      const opened = await this.#client(signal);
      try {
        return await send(opened.client);
      } catch (error) {
        if (signal.aborted || retries >= MOST_RETRIES) throw error;
        // A server that has forgotten the session has refused the request; it can be made in a new one.
        if (isForgotten(error) && this.config.target.kind === "http") await this.#drop();
        else if (!(await opened.finishAuthorization())) throw error;
      }
    }
  }

  async #client(signal: AbortSignal): Promise<OpenedClient> {
    if (this.#current !== null) return this.#current;
    this.#closed.signal.throwIfAborted();
    this.#opening ??= this.#reopen().finally(() => {
      this.#opening = null;
    });
    const opened = await unlessAborted(this.#opening, signal);
    if (opened === null) throw signal.reason;
    return opened;
  }

  /** For all who wait for it; it goes on when one of them is aborted. */
  async #reopen(): Promise<OpenedClient> {
    const closed = this.#closed.signal;
    const pauseMs = this.#retryAt - performance.now();
    if (pauseMs > 0) await delay(pauseMs, undefined, { signal: closed });
    const limit = AbortSignal.timeout(this.config.startupTimeoutMs);
    try {
      const opened = await openClient(
        this.config,
        {
          env: this.#options.env,
          version: this.#options.version,
          elicitations: this.#elicitations,
          auth: this.#options.auth,
          onListChanged: (which) => {
            if (which === "tools") void this.#refresh();
          },
          onLost: () => this.#onLost(opened),
          onProblem: (problem) => this.#problem(problem),
        },
        AbortSignal.any([limit, closed]),
      );
      this.#current = opened;
      this.#failures = 0;
      this.#retryAt = 0;
      // Another life may have other tools.
      if (this.#wasOpen) void this.#refresh();
      this.#wasOpen = true;
      return opened;
    } catch (error) {
      if (!closed.aborted) this.#failed();
      throw error;
    }
  }

  #onLost(opened: OpenedClient): void {
    if (this.#current !== opened) return;
    this.#lost = opened.endedBecause() ?? "the connection was lost";
    this.#current = null;
    this.#failed();
  }

  #failed(): void {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures++;
    this.#retryAt = performance.now() + pauseMs;
  }

  async #drop(): Promise<void> {
    const opened = this.#current;
    this.#current = null;
    await opened?.close();
  }

  async #list(signal: AbortSignal): Promise<void> {
    const listed = await this.#requestOnce<Listing<ServerTool>>(signal, async (client) =>
      // A server with resources alone does not know the request.
      client.getServerCapabilities()?.tools === undefined
        ? { items: [], notes: [] }
        : listTools(client, this.name, { signal }),
    );
    for (const note of listed.notes) this.#note(note);
    const { includeTools, excludeTools } = this.config;
    this.#tools = listed.items.filter(
      ({ name }) => (includeTools?.includes(name) ?? true) && !excludeTools.includes(name),
    );
  }

  /** Lists the tools again; what is asked for meanwhile comes of the next time. */
  async #refresh(): Promise<void> {
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      await delay(REFRESH_PAUSE_MS, undefined, { signal: this.#closed.signal, ref: false });
      this.#isRefreshing = false;
      const before = JSON.stringify(this.#tools);
      const limit = AbortSignal.timeout(this.config.startupTimeoutMs);
      await this.#list(AbortSignal.any([limit, this.#closed.signal]));
      if (JSON.stringify(this.#tools) !== before) this.#options.onToolsChanged();
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#problem(error);
    } finally {
      this.#isRefreshing = false;
    }
  }

  /** Kept, not told: servers print what is no message, and answer what was not asked, every day. */
  #problem(error: unknown): void {
    this.#lastProblem = untrustedLine(messageOf(error), PROBLEM_UNITS);
  }

  /** A server must not be able to fill a person's screen. */
  #note(sentence: string): void {
    if (this.#notes++ < MOST_NOTES) this.#options.onNote(sentence);
  }

  #asMcpError(error: unknown, what: string): Error {
    if (error instanceof McpError) return error;
    if (error instanceof Error && error.constructor.name === "UnauthorizedError") {
      const message = `The MCP server ${this.name} refuses access without an authorization that it accepts.`;
      return new McpError("CHORALE_MCP_AUTHORIZATION", message, {
        server: this.name,
        cause: error,
      });
    }
    const isLost = this.#current === null && !this.#closed.signal.aborted;
    const why = isLost
      ? `${this.#lost.replace(/\.$/, "")}; whether it took effect is not known`
      : messageOf(error);
    const problem = untrustedLine(why, PROBLEM_UNITS).replace(/\.$/, "");
    return new McpError(
      "CHORALE_MCP_REQUEST",
      `The MCP server ${this.name} did not answer ${what}: ${problem}.`,
      { server: this.name, cause: error },
    );
  }
}

/** The longest delay that timers can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function isForgotten(error: unknown): boolean {
  return (error as { readonly status?: unknown } | null)?.status === SESSION_GONE;
}
