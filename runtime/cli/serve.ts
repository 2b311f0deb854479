/** `chorale serve`: models for programs that speak to Ollama or OpenAI. */
import { once } from "node:events";
import { join } from "node:path";
import { openModelOf } from "../environment.ts";
import { UsageError } from "../errors.ts";
import { openHome } from "../home.ts";
import { loadRemoteModel } from "../index.ts";
import {
  announce,
  engineSource,
  isLoopback,
  keepAliveOf,
  machineSource,
  makeSocketPath,
  type ServerConfiguration,
  ServerError,
  type ServerFlags,
  serverConfiguration,
  startServer,
} from "../server/index.ts";
import { packageVersion } from "../version.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { modelConfiguration } from "./model-configuration.ts";
import { openPage, type PageArguments } from "./page-services.ts";
import { readTextFile } from "./read-input.ts";
import { openServeTools, type ServeToolsArguments } from "./serve-tools.ts";
import { visibleText } from "./terminal-text.ts";

export type ServeArguments = ServeToolsArguments &
  PageArguments & {
    readonly noPage: boolean;
    readonly engine: readonly string[];
    readonly engineKeyFile: string | undefined;
    readonly model: string | undefined;
    readonly threads: number | undefined;
    readonly precision: "int8" | "exact" | undefined;
    readonly experts: "q8" | "mxfp4" | undefined;
    readonly context: number | undefined;
    readonly memory: number | undefined;
    readonly prefixStore: number | undefined;
    readonly listen: string | undefined;
    readonly origins: readonly string[] | undefined;
    readonly apiKeyFile: string | undefined;
    readonly allowAnyone: boolean;
    readonly noManagement: boolean;
    readonly parallel: number | undefined;
    readonly keepAlive: string | undefined;
    readonly idle: string | undefined;
    readonly preload: boolean;
    readonly openResponses: boolean;
  };

const MAX_KEYS_BYTES = 1 << 20;
/** Conversations that are kept over an engine elsewhere: each is a list of ids. */
const SESSIONS_OF_ENGINE = 64;
/** What closing takes beyond the grace of running requests. */
const CLOSING_MS = 10_000;

/**
 * Serves until it is stopped, or idle for as long as `--idle` says.
 * @throws UsageError for flags; ServerError for an address that cannot be had; InferenceError for a model
 */
export async function serveCommand(
  args: ServeArguments,
  { output, env, signal, takeTime }: CommandContext,
): Promise<ExitCode> {
  const note = (sentence: string): void => output.note(visibleText(sentence));
  const configuration = await configurationOf(args, env);
  const model = modelConfiguration(
    {
      ...NO_SAMPLING,
      noServer: true,
      engine: args.engine,
      engineKeyFile: args.engineKeyFile,
      model: args.model,
      context: args.context,
      threads: args.threads,
      memory: args.memory,
      precision: args.precision,
      experts: args.experts,
      prefixStore: args.prefixStore,
    },
    { note, progress: null },
  );
  await using opened = new AsyncDisposableStack();
  const home = openHome(env, note);
  opened.defer(() => home.close());
  const maxSessions = 2 * configuration.slots;
  const source =
    args.engine.length > 0
      ? opened.use(
          await engineSource(() =>
            loadRemoteModel(args.engine, {
              vocabularyOf: args.model,
              keyFile: args.engineKeyFile,
              env,
              contextLength: configuration.contextLength ?? undefined,
              maxSessions: Math.max(SESSIONS_OF_ENGINE, maxSessions),
              onNote: note,
            }),
          ),
        )
      : machineSource({
          env,
          model: args.model,
          contextLength: configuration.contextLength,
          open: (path, { contextLength }) =>
            openModelOf(
              { ...model, path, contextLength: contextLength ?? undefined, maxSessions },
              home,
              note,
            ),
        });
  const socketPath = socketOf(env, note);
  const { tools: serverTools } = opened.use(await openServeTools(args, home, env, note));
  // Who may use the models without a key may not read the conversations of this user as well.
  const hasPage = !args.noPage && (isLoopback(configuration.host) || configuration.keys.length > 0);
  const page = hasPage ? opened.use(await openPage(args, home, env, note)) : null;
  const server = opened.use(
    await startServer({
      configuration,
      source,
      socketPath,
      serverTools,
      responsesPath: join(home.path, "responses.sqlite"),
      ...(page !== null && { page: page.services }),
      note,
    }).catch((error: unknown) => {
      throw asUsage(error);
    }),
  );
  const listed = await source.list();
  if (socketPath !== undefined) {
    const withdraw = announce({
      pid: process.pid,
      version: packageVersion(),
      url: server.url,
      socketPath,
      // Commands that want a model of this machine do not mean one of an engine elsewhere.
      models:
        args.engine.length > 0
          ? []
          : listed.slice(0, 1).map(({ name }) => ({ given: args.model ?? null, name })),
      startedAt: new Date().toISOString(),
    });
    opened.defer(withdraw);
  }
  takeTime(configuration.graceMs + CLOSING_MS);
  const names = listed.map(({ name }) => name).join(", ");
  note(`serving ${names} at ${server.url} (Ollama) and ${server.url}/v1 (OpenAI)`);
  if (page !== null) note(`the page for a browser: ${server.url}/`);
  if (args.preload) {
    const lease = await server.context.models.use(listed[0]?.name ?? "", { signal });
    lease.release();
  }
  if (!signal.aborted) await Promise.race([server.ended, once(signal, "abort")]);
  note("closing: what runs is answered first");
  await server.close();
  if (signal.aborted) throw signal.reason;
  return EXIT.ok;
}

const NO_SAMPLING = {
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  minP: undefined,
  repeatPenalty: undefined,
  repeatLastN: undefined,
  presencePenalty: undefined,
  frequencyPenalty: undefined,
  seed: undefined,
};

/** @throws UsageError */
async function configurationOf(
  args: ServeArguments,
  env: NodeJS.ProcessEnv,
): Promise<ServerConfiguration> {
  const keys =
    args.apiKeyFile === undefined
      ? undefined
      : keysOf(await readTextFile(args.apiKeyFile, MAX_KEYS_BYTES), args.apiKeyFile);
  const flags: ServerFlags = {
    listen: args.listen,
    allowsAnyone: args.allowAnyone,
    ...(args.origins && { origins: args.origins }),
    ...(keys && { keys }),
    ...(args.noManagement && { allowsManagement: false }),
    ...(args.openResponses && { eventNames: "open-responses" }),
    ...(args.parallel !== undefined && { slots: args.parallel }),
    ...(args.context !== undefined && { contextLength: args.context }),
    ...(args.keepAlive !== undefined && {
      keepAliveMs: duration("--keep-alive", args.keepAlive),
    }),
    ...(args.idle !== undefined && { idleMs: duration("--idle", args.idle) }),
  };
  try {
    return serverConfiguration(flags, env);
  } catch (error) {
    throw asUsage(error);
  }
}

/** What can be changed by a flag or a variable is told as such. */
function asUsage(error: unknown): unknown {
  const isConfiguration =
    error instanceof ServerError && error.code === "CHORALE_SERVER_CONFIGURATION";
  return isConfiguration ? new UsageError(error.message, { cause: error }) : error;
}

function keysOf(text: string, path: string): readonly string[] {
  const keys = text.split(/\r?\n/).flatMap((line) => line.trim() || []);
  if (keys.length > 0) return keys;
  throw new UsageError(`${path} holds no key; accepted: one on each line.`);
}

/** @returns milliseconds */
function duration(flag: string, text: string): number {
  const ms = keepAliveOf(/^-?\d+$/.test(text) ? Number(text) : text);
  if (ms !== null) return ms;
  throw new UsageError(
    `${flag} is ${JSON.stringify(text)}; accepted: a duration like 15m, 90s or 1h30m, seconds as a number, -1 for ever.`,
  );
}

/** A server without a socket is found by its port alone. */
function socketOf(env: NodeJS.ProcessEnv, note: (sentence: string) => void): string | undefined {
  try {
    return makeSocketPath(env);
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
