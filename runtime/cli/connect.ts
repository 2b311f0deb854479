/** `chorale connect NAME`: what a program has to be told so that it uses a server of Chorale. */
import { homedir } from "node:os";
import { messageOf, UsageError } from "../errors.ts";
import { askServer, askUrl, findServers } from "../server/discovery.ts";
import { ServerError } from "../server/errors.ts";
import type { CommandContext } from "./command-context.ts";
import {
  type ClientSetup,
  type Connection,
  KEY_VARIABLE,
  type SetupFile,
} from "./connect/client-setup.ts";
import { CLIENTS } from "./connect/clients.ts";
import { entryIn, type PlannedFile, planFiles, writeFiles } from "./connect/write-setup.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { agrees } from "./terminal-question.ts";
import { visibleText } from "./terminal-text.ts";

export type ConnectArguments = {
  readonly client: string;
  readonly url: string | undefined;
  readonly model: string | undefined;
  readonly write: boolean;
  readonly yes: boolean;
  readonly json: boolean;
};

/**
 * Prints the configuration, and writes it where the client reads it if it is asked to.
 * @throws UsageError for a client that is not known, without a server, and for a file that would lose something
 */
export async function connectCommand(
  { client, url, model, write, yes, json }: ConnectArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const setupOf = Object.hasOwn(CLIENTS, client) ? CLIENTS[client] : undefined;
  if (setupOf === undefined) {
    throw new UsageError(
      `There is no client ${JSON.stringify(client)}; accepted: ${Object.keys(CLIENTS).join(", ")}.`,
    );
  }
  const note = (sentence: string): void => output.note(visibleText(sentence));
  const connection = await connectionOf({ url, model }, env, note);
  const setup = setupOf(connection);
  const planned = write ? planFiles(setup.files) : [];
  if (write) checkWriting(client, setup, planned, yes);
  const { url: address, model: name, contextLength, needsKey } = connection;
  if (!json) for (const line of setupText(setup, connection)) output.line(visibleText(line));
  const isTight = setup.promptTokens * 2 > contextLength;
  if (isTight) {
    note(
      `${setup.name} fills ${setup.promptTokens} of the ${contextLength} tokens of context with its instructions and tools. ` +
        "chorale serve --context gives more, as far as the model and the memory go.",
    );
  }
  const isWritten = write && (yes || (await isAgreed(planned, signal)));
  if (isWritten) await writeFiles(planned);
  if (json) {
    output.jsonLine({
      client,
      ...setup,
      url: address,
      model: name,
      context_length: contextLength,
      needs_key: needsKey,
      written: isWritten ? planned.map(({ path, state }) => ({ path, state })) : [],
    });
  } else if (isWritten) {
    for (const { path, state } of planned) {
      note(state === "same" ? `${path} was so already` : `${path} is written`);
    }
  }
  if (!write || isWritten) return EXIT.ok;
  note("nothing is written");
  return EXIT.failed;
}

/** @throws UsageError */
function checkWriting(
  client: string,
  { name, files }: ClientSetup,
  planned: readonly PlannedFile[],
  yes: boolean,
): void {
  if (files.length === 0) {
    throw new UsageError(
      `${name} has no file for this that --write could write; chorale connect ${client} says how it is told.`,
    );
  }
  const lost = planned.flatMap(({ path, replaces }) =>
    replaces === null ? [] : `${path}: ${replaces}`,
  );
  if (lost.length === 0 || yes || process.stdin.isTTY === true) return;
  throw new UsageError(
    `--write would replace what is not of Chorale: ${lost.join("; ")}. Accepted: --yes, a terminal to answer in, or a change by hand.`,
  );
}

/** Without a terminal the flag is the answer. */
async function isAgreed(planned: readonly PlannedFile[], signal: AbortSignal): Promise<boolean> {
  const changes = planned.filter(({ state }) => state !== "same");
  if (process.stdin.isTTY !== true || changes.length === 0) return true;
  const files = changes.map(({ path, state, replaces }) => {
    const what = replaces === null ? state : `${state}: replaces ${replaces}`;
    return `${path} (${what})`;
  });
  return agrees(`Write ${files.join(", ")}?`, signal);
}

/** @throws UsageError without a server, and with several */
async function connectionOf(
  { url, model }: { readonly url: string | undefined; readonly model: string | undefined },
  env: NodeJS.ProcessEnv,
  note: (sentence: string) => void,
): Promise<Connection> {
  const home = env["HOME"] || homedir();
  const server = url === undefined ? await onlyServer(env) : null;
  const address = addressOf(server?.url ?? url ?? "");
  const facts =
    server === null ? await ask(address, env) : await askBoth(server.socketPath, address);
  const { models, needsKey, problem } = facts;
  if (models === null && model === undefined) {
    throw new UsageError(
      `${address.href} does not say which models it has: ${problem}. Accepted: a server that answers, or --model NAME.`,
    );
  }
  if (models === null) {
    const key = needsKey ? "a key" : "no key";
    note(
      `${address.href} does not answer (${problem}); ${DEFAULT_CONTEXT} tokens of context and ${key} are assumed.`,
    );
  }
  const found =
    models?.find(({ id }) => id === model) ?? (model === undefined ? models?.[0] : undefined);
  if (models !== null && found === undefined) {
    const names = models.map(({ id }) => id).join(", ") || "none";
    note(`${address.href} does not list a model ${JSON.stringify(model)}; it has: ${names}.`);
  }
  return {
    url: address.href.replace(/\/+$/, ""),
    model: model ?? found?.id ?? "",
    contextLength: found?.max_model_len ?? DEFAULT_CONTEXT,
    needsKey,
    home,
    env,
  };
}

/** What `chorale serve` gives a model where no request asks for more. */
const DEFAULT_CONTEXT = 16_384;

async function onlyServer(
  env: NodeJS.ProcessEnv,
): Promise<{ readonly url: string; readonly socketPath: string }> {
  const servers = await findServers(env);
  const [server, ...others] = servers;
  if (server !== undefined && others.length === 0) return server;
  throw new UsageError(
    server === undefined
      ? "No server of this user is running; start one with chorale serve, or name one: --url URL."
      : `Several servers run: ${servers.map(({ url }) => url).join(", ")}. --url says which is meant.`,
  );
}

/** The address by which a client on this machine reaches it. @throws UsageError */
function addressOf(text: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  const isHttp = url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "";
  if (!isHttp || url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new UsageError(
      `The address is ${JSON.stringify(text)}; accepted: http://HOST:PORT or https://HOST, without a key in it.`,
    );
  }
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  url.pathname = url.pathname.replace(/\/v1\/?$/, "/");
  return url;
}

type ServedModel = { readonly id: string; readonly max_model_len?: number };

type Facts = {
  /** null: the server did not say. */
  readonly models: readonly ServedModel[] | null;
  readonly needsKey: boolean;
  readonly problem: string;
};

/** As its user, by the socket; whether a client needs a key is seen at the port. */
async function askBoth(socketPath: string, address: URL): Promise<Facts> {
  const models = modelsOf(await askServer(socketPath, "GET", "/v1/models"));
  const { needsKey } = await ask(address, {});
  return { models, needsKey, problem: "" };
}

async function ask(address: URL, env: NodeJS.ProcessEnv): Promise<Facts> {
  try {
    return {
      models: modelsOf(await askUrl(address, "/v1/models", undefined)),
      needsKey: false,
      problem: "",
    };
  } catch (error) {
    const needsKey = error instanceof ServerError && error.status === 401;
    const key = env[KEY_VARIABLE];
    if (!needsKey) return { models: null, needsKey: key !== undefined, problem: messageOf(error) };
    try {
      if (key === undefined) throw error;
      return { models: modelsOf(await askUrl(address, "/v1/models", key)), needsKey, problem: "" };
    } catch (refused) {
      return { models: null, needsKey, problem: messageOf(refused) };
    }
  }
}

/** @throws Error for what is no list of models */
function modelsOf(answer: unknown): readonly ServedModel[] {
  const { data } = (answer ?? {}) as { readonly data?: unknown };
  if (!Array.isArray(data)) throw new Error("it gives no list of models");
  return data.flatMap((entry: unknown) => {
    const { id, max_model_len } = (entry ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof id !== "string" || !NAME.test(id)) return [];
    return [
      { id, ...(Number.isSafeInteger(max_model_len) && { max_model_len: Number(max_model_len) }) },
    ];
  });
}

/** Names that stand in command lines as they are: another server may say anything. */
const NAME = /^[\w][\w.:/@+-]{0,199}$/;

function setupText(setup: ClientSetup, { url, model, needsKey }: Connection): readonly string[] {
  const { name, tested, files, environment, start, notes } = setup;
  const lines = [`${name} (tested with ${tested}) with ${model} of ${url}`];
  const add = (title: string, text: readonly string[]): void => {
    lines.push("", title, ...text.map((line) => (line === "" ? "" : `  ${line}`)));
  };
  for (const file of files)
    add(`${file.path}${isWhole(file) ? "" : " has to contain"}`, textOf(file));
  const variables = Object.entries(environment).map(
    ([key, value]) => `export ${key}=${quoted(value)}`,
  );
  if (variables.length > 0) add("Environment", variables);
  add("Start", start);
  const key = needsKey
    ? `The server asks for a key: put it into ${KEY_VARIABLE} of the client's environment.`
    : "The server asks for no key; a client that wants one may send any.";
  add("To know", [key, ...notes]);
  return lines;
}

const isWhole = (file: SetupFile): boolean => "text" in file;

function textOf(file: SetupFile): readonly string[] {
  const text =
    "text" in file ? file.text : JSON.stringify(entryIn({}, file.at, file.value), null, 2);
  return text.trimEnd().split("\n");
}

/** A variable stays one. */
const quoted = (value: string): string => (value.startsWith("$") ? `"${value}"` : value);
