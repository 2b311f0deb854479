/** All servers of a configuration: opened together, their tools under names of their own, closed together. */
import { messageOf } from "../core/text.ts";
import type { Tool } from "../core/tool.ts";
import { McpArtifacts } from "./artifacts.ts";
import type { AuthorizeInBrowser } from "./authorize.ts";
import type { McpServerConfig } from "./config.ts";
import { Connection } from "./connection.ts";
import type { ElicitationHandler } from "./elicitation.ts";
import { McpError } from "./errors.ts";
import { listPrompts, listResources } from "./listing.ts";
import { toolNames } from "./names.ts";
import { McpAuthorizations } from "./oauth.ts";
import type { McpPrompt, McpResource } from "./offers.ts";
import { resourceTools } from "./resource-tools.ts";
import { mcpTool } from "./tool.ts";

export type McpOptions = {
  /** Default: `process.env`. What servers inherit of it, and variables of the configuration. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Version of this program, which servers are told. */
  readonly version?: string | undefined;
  /** Asks the user what a server wants to know. Default: every such question is declined. */
  readonly onElicit?: ElicitationHandler | undefined;
  /** Where images, sounds and files of results are saved. Default: they are in the results alone. */
  readonly artifactFolder?: string | undefined;
  /** Where authorizations are kept (a file that only its user can read). Default: in memory. */
  readonly authorizationFile?: string | undefined;
  /** Has the user authorize this program at a server. Default: a server that asks for it is not used. */
  readonly authorize?: AuthorizeInBrowser | undefined;
  /** Gives the names of tools that there are already, without `functions.`. */
  readonly takenNames?: (() => readonly string[]) | undefined;
  /** Gets sentences for the person who watches. */
  readonly onNote?: ((sentence: string) => void) | undefined;
  /** The servers' tools are others than before; `tools` has them. */
  readonly onToolsChanged?: (() => void) | undefined;
  /** Ends the opening; what was opened is closed. */
  readonly signal?: AbortSignal | undefined;
};

export type McpToolStatus = {
  /** What the model calls it: `mcp__SERVER__TOOL`. */
  readonly name: string;
  /** What the server calls it. */
  readonly originalName: string;
  readonly description: string;
};

export type McpServerStatus = {
  readonly name: string;
  readonly isConnected: boolean;
  /** Why it cannot be used; absent where it can. */
  readonly problem?: string;
  /** What the server says about itself; text that is not trusted. */
  readonly about?: {
    readonly name: string;
    readonly version: string;
    readonly instructions: string;
  };
  readonly tools: readonly McpToolStatus[];
};

export type McpPromptMessage = {
  readonly role: "user" | "assistant";
  readonly content: unknown;
};

export interface McpServers extends AsyncDisposable {
  /** Tools of the servers that can be used, as they are now, and two for resources where there are any. */
  readonly tools: readonly Tool[];
  readonly servers: readonly McpServerStatus[];
  /** Of one server, or of all. @throws McpError */
  listResources(server?: string, signal?: AbortSignal): Promise<readonly McpResource[]>;
  /** @throws McpError */
  readResource(
    server: string,
    uri: string,
    signal?: AbortSignal,
  ): Promise<
    readonly {
      readonly uri: string;
      readonly mimeType?: string;
      readonly text?: string;
      readonly blob?: string;
    }[]
  >;
  /** Of one server, or of all. @throws McpError */
  listPrompts(server?: string, signal?: AbortSignal): Promise<readonly McpPrompt[]>;
  /** The messages that a prompt of a server stands for. @throws McpError */
  getPrompt(
    server: string,
    prompt: string,
    values?: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<readonly McpPromptMessage[]>;
  close(): Promise<void>;
}

/**
 * Starts all servers at once, and waits until each can be used or has failed. One that fails is told in a note,
 * unless it is required.
 *
 * @throws McpError for a required server that cannot be used; the signal's reason
 */
export async function openMcpServers(
  configs: readonly McpServerConfig[],
  options: McpOptions = {},
): Promise<McpServers> {
  const servers = new OpenedServers(configs, options);
  try {
    await servers.open(options.signal ?? new AbortController().signal);
    return servers;
  } catch (error) {
    await servers.close();
    throw error;
  }
}

const NEVER = new AbortController().signal;

class OpenedServers implements McpServers {
  readonly #connections: readonly Connection[];
  readonly #problems = new Map<string, string>();
  readonly #options: McpOptions;
  readonly #artifacts: McpArtifacts | undefined;
  readonly #auth: McpAuthorizations;
  #isNamed = false;
  #tools: readonly Tool[] = [];
  #names: ReadonlyMap<string, readonly McpToolStatus[]> = new Map();

  constructor(configs: readonly McpServerConfig[], options: McpOptions) {
    this.#options = options;
    const { artifactFolder, env = process.env, version = "0", onNote = () => {} } = options;
    this.#artifacts = artifactFolder === undefined ? undefined : new McpArtifacts(artifactFolder);
    this.#auth = new McpAuthorizations(options.authorizationFile, options.authorize);
    this.#connections = configs.map(
      (config) =>
        new Connection(config, {
          env,
          version,
          onElicit: options.onElicit,
          auth: this.#auth.providerFor(config),
          onNote,
          onToolsChanged: () => {
            this.#isNamed = false;
            options.onToolsChanged?.();
          },
        }),
    );
  }

  async open(signal: AbortSignal): Promise<void> {
    const { onNote = () => {} } = this.#options;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    await Promise.all(
      this.#connections.map(async (connection) => {
        try {
          await connection.open(either);
        } catch (error) {
          const isNote = !connection.config.required && McpError.isInstance(error);
          if (isNote) {
            this.#problems.set(connection.name, error.message);
            onNote(error.message);
          } else if (!either.aborted) stop.abort(error);
        }
      }),
    );
    either.throwIfAborted();
  }

  get tools(): readonly Tool[] {
    this.#nameTools();
    return this.#tools;
  }

  get servers(): readonly McpServerStatus[] {
    this.#nameTools();
    return this.#connections.map((connection) => {
      const { name, isConnected, about } = connection;
      const problem = this.#problems.get(name);
      return {
        name,
        isConnected,
        ...(problem !== undefined && { problem }),
        ...(about !== null && { about }),
        tools: this.#names.get(name) ?? [],
      };
    });
  }

  /** When they are asked for: by then all names that are taken are known. */
  #nameTools(): void {
    if (this.#isNamed) return;
    this.#isNamed = true;
    const usable = this.#usable();
    const offered = usable.flatMap((connection) =>
      connection.tools.map((tool) => ({ connection, tool })),
    );
    const names = toolNames(
      offered.map(({ connection, tool }) => ({ server: connection.name, tool: tool.name })),
      new Set(this.#options.takenNames?.()),
    );
    const named = offered.map((one, at) => ({ ...one, name: names[at] ?? one.tool.name }));
    this.#names = new Map(
      usable.map((connection) => [
        connection.name,
        named
          .filter((one) => one.connection === connection)
          .map(({ name, tool }) => ({
            name,
            originalName: tool.name,
            description: tool.description,
          })),
      ]),
    );
    const withResources = usable.filter((connection) => connection.has("resources"));
    this.#tools = [
      ...named.map(({ connection, tool, name }) =>
        mcpTool(connection, tool, { name, artifacts: this.#artifacts }),
      ),
      ...(withResources.length > 0 ? this.#resourceTools(withResources) : []),
    ];
  }

  #resourceTools(connections: readonly Connection[]): readonly Tool[] {
    return resourceTools(
      {
        servers: connections.map(({ name }) => name),
        list: (server, signal) => this.listResources(server, signal),
        read: (server, uri, signal) => this.readResource(server, uri, signal),
      },
      this.#artifacts,
    );
  }

  #usable(): readonly Connection[] {
    return this.#connections.filter(({ name }) => !this.#problems.has(name));
  }

  /** @throws McpError for a server that is not there or cannot be used */
  #named(name: string): Connection {
    const found = this.#connections.find((connection) => connection.name === name);
    const problem = this.#problems.get(name);
    if (found !== undefined && problem === undefined) return found;
    const names = this.#usable().map((connection) => connection.name);
    const message =
      problem ??
      `There is no MCP server ${JSON.stringify(name)}; there ${names.length === 0 ? "is none" : `are ${names.join(", ")}`}.`;
    throw new McpError("CHORALE_MCP_REQUEST", message, { server: name });
  }

  #chosen(server: string | undefined, what: "resources" | "prompts"): readonly Connection[] {
    if (server !== undefined) return [this.#named(server)];
    return this.#usable().filter((connection) => connection.has(what));
  }

  async listResources(server?: string, signal = NEVER): Promise<readonly McpResource[]> {
    const lists = await Promise.all(
      this.#chosen(server, "resources").map((connection) =>
        connection.ask(signal, (client, options) =>
          listResources(client, connection.name, options),
        ),
      ),
    );
    return lists.flatMap(({ items }) => items);
  }

  async readResource(server: string, uri: string, signal = NEVER) {
    const { contents } = await this.#named(server).ask(signal, (client, options) =>
      client.readResource({ uri }, options),
    );
    return contents.map((content) => ({
      uri: content.uri,
      ...(content.mimeType !== undefined && { mimeType: content.mimeType }),
      ...("text" in content ? { text: content.text } : { blob: content.blob }),
    }));
  }

  async listPrompts(server?: string, signal = NEVER): Promise<readonly McpPrompt[]> {
    const lists = await Promise.all(
      this.#chosen(server, "prompts").map((connection) =>
        connection.ask(signal, (client, options) => listPrompts(client, connection.name, options)),
      ),
    );
    return lists.flatMap(({ items }) => items);
  }

  async getPrompt(
    server: string,
    prompt: string,
    values: Readonly<Record<string, string>> = {},
    signal = NEVER,
  ): Promise<readonly McpPromptMessage[]> {
    const { messages } = await this.#named(server).ask(signal, (client, options) =>
      client.getPrompt({ name: prompt, arguments: { ...values } }, options),
    );
    return messages;
  }

  async close(): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.#connections.map((connection) => connection.close()),
    );
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") this.#options.onNote?.(messageOf(outcome.reason));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
