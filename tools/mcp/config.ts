/**
 * `mcpServers` as other programs write it: Claude Code (`.mcp.json`), Cursor, Gemini CLI, llama-server, and
 * the keys of Codex in JSON. The union of them is accepted; what is none of it is told, not refused.
 */
import { resolve } from "node:path";
import { isRecord } from "../core/record.ts";
import { show } from "../core/text.ts";
import { McpError } from "./errors.ts";
import { expandVariables, VariableError } from "./variables.ts";

/** A program that speaks on its standard input and output. */
export type McpProcess = {
  readonly kind: "stdio";
  readonly command: string;
  readonly args: readonly string[];
  /** What the server's environment has beside the few names that every program needs. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
};

export type McpEndpoint = {
  readonly kind: "http";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `auto`: Streamable HTTP, and where the server does not know it, the older transport with events. */
  readonly transport: "auto" | "streamable-http" | "sse";
  readonly oauth: McpOAuth;
};

/** How an authorization is obtained where the server asks for one. */
export type McpOAuth = {
  readonly grant: "authorization_code" | "client_credentials" | "cross_app_access";
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** PEM, for `private_key_jwt`. */
  readonly privateKey?: string;
  /** Of the private key; default ES256. */
  readonly algorithm?: string;
  /** Address of a client metadata document (CIMD). */
  readonly clientMetadataUrl?: string;
  readonly scope?: string;
  /** `cross_app_access`: the token endpoint of the company's identity provider, this program's name there, and the user's ID token. */
  readonly idpTokenEndpoint?: string;
  readonly idpClientId?: string;
  readonly idpIdToken?: string;
  /** The server's metadata may name another issuer than where it was found. Weakens security (RFC 8414, 3.3). */
  readonly skipIssuerValidation?: boolean;
};

export type McpServerConfig = {
  readonly name: string;
  readonly target: McpProcess | McpEndpoint;
  /** How long the server may take to start, to introduce itself and to list its tools. */
  readonly startupTimeoutMs: number;
  /** How long a call may go without an answer or a progress notification. */
  readonly timeoutMs: number;
  /** Calls need no approval. */
  readonly trust: boolean;
  /** The names of the tools that are offered; null: all. */
  readonly includeTools: readonly string[] | null;
  /** Wins over `includeTools`. */
  readonly excludeTools: readonly string[];
  /** Without it nothing is started. */
  readonly required: boolean;
  /** Folders that the server is told it may work in. Default: it is told none. */
  readonly roots: readonly string[];
};

export type ParseMcpOptions = {
  /** For variables. */
  readonly env: NodeJS.ProcessEnv;
  /** Relative paths are relative to it. */
  readonly folder: string;
  /** What the configuration is, for messages: a path, or the name of an option. */
  readonly source: string;
  /** Gets a sentence for each key that means nothing here. */
  readonly onNote?: (sentence: string) => void;
};

const STARTUP_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 60_000;
const LONGEST_TIMEOUT_MS = 24 * 60 * 60_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9 _.@/-]{0,63}$/;
const TYPES: Readonly<Record<string, McpProcess["kind"] | McpEndpoint["transport"]>> = {
  stdio: "stdio",
  local: "stdio",
  http: "streamable-http",
  "streamable-http": "streamable-http",
  streamableHttp: "streamable-http",
  streamable_http: "streamable-http",
  sse: "sse",
  remote: "auto",
};
/** Known elsewhere, and without a meaning or an effect here. */
const IGNORED: ReadonlySet<string> = new Set([
  "description",
  "title",
  "autoApprove",
  "alwaysAllow",
]);

/**
 * The servers of a configuration that are not disabled, in its order.
 *
 * @param json  `{"mcpServers": {…}}`, or the object of servers alone
 * @throws McpError (CHORALE_MCP_CONFIG) that names the server and the key
 */
export function parseMcpServers(
  json: unknown,
  options: ParseMcpOptions,
): readonly McpServerConfig[] {
  const servers = isRecord(json) && "mcpServers" in json ? json["mcpServers"] : json;
  if (!isRecord(servers)) {
    throw new McpError(
      "CHORALE_MCP_CONFIG",
      `${options.source} has ${show(servers)} for mcpServers; accepted: an object of servers by name.`,
    );
  }
  return Object.entries(servers).flatMap(([name, entry]) => {
    const reader = new Reader(name, entry, options);
    const config = reader.read();
    return config === null ? [] : [config];
  });
}

/** Reads one server, and remembers which of its keys had a meaning. */
class Reader {
  readonly #name: string;
  readonly #entry: Readonly<Record<string, unknown>>;
  readonly #options: ParseMcpOptions;
  readonly #known = new Set<string>(IGNORED);

  constructor(name: string, entry: unknown, options: ParseMcpOptions) {
    this.#name = name;
    this.#options = options;
    if (!NAME.test(name)) {
      throw this.#error(
        "its name is not accepted: 1 to 64 letters, digits, spaces, or any of _ . @ / -, beginning with a letter or digit",
      );
    }
    if (!isRecord(entry)) throw this.#error(`it is ${show(entry)}; accepted: an object`);
    this.#entry = entry;
  }

  /** Null for a server that is disabled. */
  read(): McpServerConfig | null {
    if (this.#flag("disabled", false) || !this.#flag("enabled", true)) return null;
    const target = this.#target();
    // Milliseconds, unless the key says seconds.
    const timeoutMs =
      this.#time("tool_timeout_sec", 1000) ??
      this.#time("timeout_ms", 1) ??
      this.#time("timeout", 1);
    const startupTimeoutMs =
      this.#time("startup_timeout_sec", 1000) ??
      this.#time("startup_timeout_ms", 1) ??
      this.#time("startupTimeout", 1);
    const config: McpServerConfig = {
      name: this.#name,
      target,
      startupTimeoutMs: startupTimeoutMs ?? STARTUP_TIMEOUT_MS,
      timeoutMs: timeoutMs ?? CALL_TIMEOUT_MS,
      trust: this.#flag("trust", false),
      includeTools: this.#names("includeTools") ?? this.#names("enabled_tools") ?? null,
      excludeTools: this.#names("excludeTools") ?? this.#names("disabled_tools") ?? [],
      required: this.#flag("required", false),
      roots: (this.#names("roots") ?? []).map((path) => this.#path(this.#expand(path, "roots"))),
    };
    const unknown = Object.keys(this.#entry).filter((key) => !this.#known.has(key));
    if (unknown.length > 0) {
      this.#options.onNote?.(
        `${this.#options.source}: the MCP server ${this.#name} has the unknown ${unknown.length === 1 ? "key" : "keys"} ${unknown.map((key) => show(key)).join(", ")}, which ${unknown.length === 1 ? "has" : "have"} no effect.`,
      );
    }
    return config;
  }

  #target(): McpProcess | McpEndpoint {
    const type = this.#text("type") ?? this.#text("transport");
    const kind = type === undefined ? undefined : TYPES[type];
    if (type !== undefined && kind === undefined) {
      throw this.#error(`its type is ${show(type)}; accepted: stdio, http, sse`);
    }
    const command = this.#text("command");
    const httpUrl = this.#text("httpUrl");
    const url = httpUrl ?? this.#text("url") ?? this.#text("serverUrl");
    if ((command === undefined) === (url === undefined)) {
      const found = command === undefined ? "neither a command nor a url" : "a command and a url";
      throw this.#error(
        `it has ${found}; accepted: "command" for a program, "url" or "httpUrl" for a server on the network`,
      );
    }
    if (command !== undefined) {
      if (kind !== undefined && kind !== "stdio") {
        throw this.#error(`its type is ${show(type)}, but it has a command; accepted: stdio`);
      }
      return this.#process(command);
    }
    if (kind === "stdio") throw this.#error('its type is "stdio", but it has a url');
    return this.#endpoint(url ?? "", kind ?? (httpUrl === undefined ? "auto" : "streamable-http"));
  }

  #process(command: string): McpProcess {
    if (command.trim() === "") throw this.#error("its command is empty");
    return {
      kind: "stdio",
      command,
      args: (this.#names("args") ?? []).map((argument) => this.#expand(argument, "args")),
      env: this.#texts("env"),
      cwd: this.#path(this.#text("cwd") ?? "."),
    };
  }

  #endpoint(address: string, transport: McpEndpoint["transport"]): McpEndpoint {
    const url = URL.parse(address);
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
      throw this.#error(`its url is ${show(address)}; accepted: http://… or https://…`);
    }
    if (url.username !== "" || url.password !== "") {
      throw this.#error('its url holds a password; give it in "headers"');
    }
    return {
      kind: "http",
      url: url.href,
      headers: this.#headers(),
      transport,
      oauth: this.#oauth(),
    };
  }

  #headers(): Record<string, string> {
    const headers = this.#texts("headers");
    for (const [name, value] of Object.entries(headers)) {
      try {
        new Headers([[name, value]]);
      } catch {
        throw this.#error(`its header ${show(name)} is not one that HTTP can carry`);
      }
    }
    const variable = this.#text("bearer_token_env_var");
    if (variable === undefined) return headers;
    const token = this.#options.env[variable];
    if (token === undefined || token === "") {
      throw this.#error(`the environment variable ${variable} for its bearer token is not set`);
    }
    return { ...headers, Authorization: `Bearer ${token}` };
  }

  #oauth(): McpOAuth {
    const given = this.#value("oauth");
    if (given === undefined) return { grant: "authorization_code" };
    if (!isRecord(given)) throw this.#error(`its oauth is ${show(given)}; accepted: an object`);
    const { grant = "authorization_code", skipIssuerValidation = false, ...others } = given;
    if (typeof grant !== "string" || !Object.hasOwn(NEEDED_BY_GRANT, grant)) {
      const grants = Object.keys(NEEDED_BY_GRANT).join(", ");
      throw this.#error(`its oauth.grant is ${show(grant)}; accepted: ${grants}`);
    }
    if (typeof skipIssuerValidation !== "boolean") {
      throw this.#error("its oauth.skipIssuerValidation must be true or false");
    }
    const texts = Object.entries(others).map(([key, value]) => {
      if (!OAUTH_KEYS.has(key) || typeof value !== "string") {
        throw this.#error(
          `its oauth.${key} is ${show(value)}; accepted: texts named ${[...OAUTH_KEYS].join(", ")}`,
        );
      }
      return [key, this.#expand(value, `oauth.${key}`)];
    });
    const oauth = Object.fromEntries(texts) as Readonly<Record<string, string>>;
    const missing = NEEDED_BY_GRANT[grant]?.find((key) => oauth[key] === undefined);
    if (missing !== undefined) {
      throw this.#error(`its oauth has no ${missing}, which ${grant} needs`);
    }
    return { grant, ...oauth, ...(skipIssuerValidation && { skipIssuerValidation }) } as McpOAuth;
  }

  #value(key: string): unknown {
    this.#known.add(key);
    return this.#entry[key];
  }

  #text(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (typeof value !== "string") {
      throw this.#error(`its ${key} is ${show(value)}; accepted: a text`);
    }
    return this.#expand(value, key);
  }

  #flag(key: string, otherwise: boolean): boolean {
    const value = this.#value(key) ?? otherwise;
    if (typeof value === "boolean") return value;
    throw this.#error(`its ${key} is ${show(value)}; accepted: true or false`);
  }

  #time(key: string, unitMs: number): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    const ms = typeof value === "number" ? value * unitMs : Number.NaN;
    if (ms >= 1 && ms <= LONGEST_TIMEOUT_MS) return ms;
    const unit = unitMs === 1 ? "milliseconds" : "seconds";
    throw this.#error(
      `its ${key} is ${show(value)}; accepted: ${unit} from 1 to ${LONGEST_TIMEOUT_MS / unitMs}`,
    );
  }

  /** A list of texts, with their variables as they are. */
  #names(key: string): readonly string[] | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw this.#error(`its ${key} is ${show(value)}; accepted: a list of texts`);
  }

  #texts(key: string): Record<string, string> {
    const value = this.#value(key) ?? {};
    if (!isRecord(value)) throw this.#error(`its ${key} is ${show(value)}; accepted: an object`);
    const entries = Object.entries(value).map(([name, text]) => {
      if (!["string", "number", "boolean"].includes(typeof text)) {
        throw this.#error(`its ${key}.${name} is ${show(text)}; accepted: a text`);
      }
      return [name, this.#expand(String(text), `${key}.${name}`)];
    });
    return Object.fromEntries(entries);
  }

  #expand(text: string, key: string): string {
    try {
      return expandVariables(text, this.#options.env);
    } catch (error) {
      if (error instanceof VariableError) throw this.#error(`its ${key}: ${error.message}`);
      throw error;
    }
  }

  /** Relative to the configuration's folder; `~/` is the user's own. */
  #path(path: string): string {
    const { env, folder } = this.#options;
    const home = env["HOME"] || env["USERPROFILE"] || folder;
    return resolve(folder, path === "~" || path.startsWith("~/") ? home + path.slice(1) : path);
  }

  #error(problem: string): McpError {
    return new McpError(
      "CHORALE_MCP_CONFIG",
      `${this.#options.source}: the MCP server ${show(this.#name)} cannot be used: ${problem}.`,
      { server: this.#name },
    );
  }
}

const OAUTH_KEYS: ReadonlySet<string> = new Set([
  "clientId",
  "clientSecret",
  "privateKey",
  "algorithm",
  "clientMetadataUrl",
  "scope",
  "idpTokenEndpoint",
  "idpClientId",
  "idpIdToken",
]);

const NEEDED_BY_GRANT: Readonly<Record<string, readonly (keyof McpOAuth)[]>> = {
  authorization_code: [],
  client_credentials: ["clientId"],
  cross_app_access: ["clientId", "clientSecret", "idpTokenEndpoint", "idpClientId", "idpIdToken"],
};
