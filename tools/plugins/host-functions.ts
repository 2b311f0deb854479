/**
 * What a plugin can ask of the agent: each function checks its arguments, does what was granted and
 * nothing else, and answers with JSON.
 */
import { executeTool } from "../calls/execute.ts";
import type { Tool, ToolContext, ToolOutput } from "../core/tool.ts";
import {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  NetError,
} from "../net/index.ts";
import { CapabilityError } from "./errors.ts";
import { createPluginFiles } from "./files.ts";
import { MOST_MESSAGE_CHARS } from "./limits.ts";
import { ANY, type GrantedPermissions } from "./permissions.ts";

/** What the embedding program adds to a plugin's network access; never a manifest. */
export type PluginNetOptions = Pick<GuardedFetchOptions, "resolve" | "allowAddress" | "ca">;

export type HostOptions = {
  readonly granted: GrantedPermissions;
  /** What relative paths are relative to. */
  readonly folder: string;
  /** The tools that a plugin may be granted. */
  readonly tools: () => readonly Tool[];
  readonly env: NodeJS.ProcessEnv;
  readonly net: PluginNetOptions;
};

/** What is known of the calls that a request belongs to. */
export type HostCall = { readonly context: ToolContext; readonly signal: AbortSignal };

export interface HostFunctions {
  /** The answer's JSON; every failure is one, `{"ok":false,"error":…}`. */
  answer(request: string, call: HostCall): Promise<string>;
  close(): Promise<void>;
}

/** Of a response: as base64 in JSON it must fit into an answer. */
const MOST_RESPONSE_BYTES = 512 * 1024;

export function createHostFunctions(options: HostOptions): HostFunctions {
  const { granted, env } = options;
  const files = createPluginFiles(granted.fs, options.folder);
  let net: GuardedFetch | undefined;

  const functions: Readonly<
    Record<string, (args: readonly unknown[], call: HostCall) => Promise<unknown>>
  > = {
    "net.fetch": async ([url, request], { signal }) => {
      if (granted.net.length === 0) throw missing("net", "net:HOST");
      net ??= createGuardedFetch({
        ...options.net,
        hosts: granted.net,
        limits: { responseBytes: MOST_RESPONSE_BYTES },
        userAgent: "chorale-plugin",
      });
      const { method, headers, body, as } = record(request);
      const response = await net.fetch(text(url, "the URL"), {
        signal,
        ...(method !== undefined && { method: text(method, "method") }),
        ...(headers !== undefined && { headers: headersOf(headers) }),
        ...(body !== undefined && { body: text(body, "body") }),
      });
      const bytes = Buffer.from(response.body);
      return {
        url: response.url,
        status: response.status,
        headers: response.headers,
        setCookies: response.setCookies,
        body: bytes.toString(as === "base64" ? "base64" : "utf8"),
      };
    },
    "fs.readText": ([path]) => files.read(text(path, "the path"), "utf8"),
    "fs.readBase64": ([path]) => files.read(text(path, "the path"), "base64"),
    "fs.writeText": async ([path, content]) => {
      await files.write(text(path, "the path"), text(content, "the text"));
      return null;
    },
    "fs.list": ([path]) => files.list(text(path, "the path")),
    "env.get": async ([name]) => {
      const key = text(name, "the name");
      if (!granted.env.includes(key)) throw missing(key, `env:${key}`);
      return env[key] ?? null;
    },
    "tools.call": async ([name, input], call) => {
      const recipient = text(name, "the name");
      if (!granted.tools.includes(recipient) && !granted.tools.includes(ANY)) {
        throw missing(recipient, `tools:${recipient}`);
      }
      const tool = options.tools().find((one) => one.recipient === recipient);
      if (tool === undefined)
        throw new CapabilityError(`there is no tool ${recipient} in this run.`);
      const raw = tool.inputSchema === null ? text(input, "the input") : JSON.stringify(input);
      // Plugins that call each other in a circle run into the bound on open calls.
      // An approval of the plugin's own call is none of this one.
      const context = { ...call.context, signal: call.signal, approved: false };
      const result = await executeTool(tool, raw, context);
      const { status, data } = result;
      return {
        text: result.text,
        isError: status === "failed",
        ...(data !== undefined && { data }),
      } satisfies ToolOutput;
    },
  };

  return {
    async answer(request, call) {
      try {
        const [name, ...args] = parsedRequest(request);
        const run = Object.hasOwn(functions, name) ? functions[name] : undefined;
        if (run === undefined) throw new CapabilityError("there is no such host function.");
        const value = (await run(args, call)) ?? null;
        const answer = JSON.stringify({ ok: true, value });
        if (answer.length <= MOST_MESSAGE_CHARS) return answer;
        throw new CapabilityError("the answer is too long.");
      } catch (error) {
        return JSON.stringify({ ok: false, error: sentenceOf(error) });
      }
    },
    close: async () => net?.close(),
  };
}

/** Our own sentences; of anything else the plugin learns nothing, since it may name what is not its own. */
function sentenceOf(error: unknown): string {
  if (error instanceof CapabilityError || error instanceof NetError) return error.message;
  return "the host function failed.";
}

function missing(what: string, grant: string): CapabilityError {
  return new CapabilityError(
    `${what} is not granted; the plugin's manifest must ask for it and the user grant ${grant}.`,
  );
}

function parsedRequest(request: string): [string, ...unknown[]] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(request);
  } catch {
    throw new CapabilityError("the request is not JSON.");
  }
  if (!Array.isArray(parsed) || typeof parsed[0] !== "string") {
    throw new CapabilityError("the request names no host function.");
  }
  return parsed as [string, ...unknown[]];
}

function text(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new CapabilityError(`${what} must be a text.`);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function headersOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(value)).map(([name, header]) => [name, text(header, `header ${name}`)]),
  );
}
