/** Ollama's endpoints about models: what is there, what is in memory; to get, copy and remove one. */

import { answerOptions } from "../begin-turn.ts";
import type { ServerContext } from "../context.ts";
import { ModelNotFoundError, ServerError } from "../errors.ts";
import { jsonAnswer, line, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, isLocal, type ServerEnv } from "../http/connection.ts";
import { errorBody, errorFacts } from "../http/dialect.ts";
import type { Context } from "../http/hono.ts";
import type { ModelFacts } from "../models/model-source.ts";
import { checkBody } from "../wire/check.ts";
import { copyBody, namedBody, nameOf } from "./wire.ts";

type Handled = (context: ServerContext, c: Context<ServerEnv>) => Promise<Response>;

/** Whether a request may take a model out of memory: it has a key, or comes from this machine. */
export function mayUnload({ configuration }: ServerContext, c: Context<ServerEnv>): boolean {
  return configuration.allowsManagement && (configuration.keys.length > 0 || isLocal(c));
}

function mustBeAllowed(context: ServerContext, c: Context<ServerEnv>): void {
  if (mayUnload(context, c)) return;
  throw new ServerError(
    "CHORALE_FORBIDDEN",
    context.configuration.allowsManagement
      ? "Models are changed from this machine, or with a key."
      : "This server does not let requests change its models.",
    { status: 403 },
  );
}

export const tags: Handled = async ({ models }, c) => {
  const facts = await models.source.list();
  return c.json({ models: facts.map(listed) });
};

export const ps: Handled = async ({ models }, c) => {
  return c.json({
    models: models.loaded.map(({ facts, bytes, expiresAt, contextLength }) => ({
      ...listed(facts),
      size: bytes,
      // Python's fromisoformat reads it, which a year beyond 9999 is not for.
      expires_at: new Date(Math.min(expiresAt, FOR_EVER)).toISOString(),
      size_vram: 0,
      context_length: contextLength,
    })),
  });
};

const FOR_EVER = Date.UTC(2318, 0, 1);

export const version: Handled = async ({ configuration }, c) =>
  c.json({ version: configuration.ollamaVersion });

export const show: Handled = async ({ models, configuration }, c) => {
  const body = checkBody(namedBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  const name = nameOf(body);
  const facts = await models.find(name);
  const { architecture, contextLength, embeddingLength, parameterCount, sampling } = facts;
  // It takes this for the name of the model.
  const isCopilot = (c.req.header("user-agent") ?? "").startsWith("GitHubCopilotChat/");
  return c.json({
    ...(facts.license !== null && { license: facts.license }),
    modelfile: `# Modelfile\nFROM ${facts.name}\n${parametersOf(sampling)
      .map(([key, value]) => `PARAMETER ${key} ${value}\n`)
      .join("")}`,
    parameters: parametersOf(sampling)
      .map(([key, value]) => `${key.padEnd(30)} ${value}`)
      .join("\n"),
    template: "{{ .Prompt }}",
    details: detailsOf(facts),
    model_info: {
      "general.architecture": architecture,
      "general.basename": isCopilot ? name : facts.name,
      "general.parameter_count": parameterCount,
      [`${architecture}.context_length`]: contextLength,
      [`${architecture}.embedding_length`]: embeddingLength,
    },
    capabilities: CAPABILITIES,
    modified_at: new Date(facts.modifiedAt).toISOString(),
  });
};

export const pull: Handled = async (context, c) => {
  const signal = connectionSignal(c);
  const { models, configuration } = context;
  const body = checkBody(namedBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  const name = nameOf(body);
  mustBeAllowed(context, c);
  const failure = (error: unknown): object => errorBody("ollama", errorFacts(error));
  async function* told(): AsyncGenerator<object, void, void> {
    const { source } = models;
    if (source.pull === undefined) {
      // Programs ask for a model that is here, to be sure of it.
      if ((await source.find(name)) === null) throw new ModelNotFoundError(name);
      yield { status: "pulling manifest" };
      yield { status: "success" };
      return;
    }
    yield* source.pull(name, { signal, isInsecure: body.insecure ?? false });
  }
  const progress = told();
  const first = await progress.next();
  async function* all(): AsyncGenerator<object, void, void> {
    if (!first.done) yield first.value;
    yield* progress;
  }
  if (body.stream === false) {
    const last = (async () => {
      let value: object = { status: "success" };
      for await (const told of all()) value = told;
      return value;
    })();
    return jsonAnswer(last, { ...answerOptions(context), failure });
  }
  async function* lines(): AsyncGenerator<string, void, void> {
    for await (const value of all()) yield line(value);
  }
  return streamAnswer(Promise.resolve(lines()), {
    ...answerOptions(context),
    contentType: "application/x-ndjson",
    heartbeat: () => line({ status: "pulling manifest" }),
    failure: (error) => line(failure(error)),
  });
};

export const copy: Handled = async (context, c) => {
  const { models, configuration } = context;
  const body = checkBody(copyBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  mustBeAllowed(context, c);
  const { source, destination } = body;
  if (!source || !destination) {
    throw new ServerError("CHORALE_REQUEST", "source and destination are required");
  }
  const isDone = (await models.source.copy?.(source, destination)) ?? false;
  if (!isDone) {
    if (models.source.copy !== undefined || (await models.source.find(source)) === null) {
      throw notFound(source);
    }
    throw cannot("copied");
  }
  return c.body(null, 200);
};

export const remove: Handled = async (context, c) => {
  const { models, configuration } = context;
  const body = checkBody(namedBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  mustBeAllowed(context, c);
  const name = nameOf(body);
  const facts = await models.source.find(name);
  if (facts === null) throw notFound(name);
  if (models.source.remove === undefined) throw cannot("deleted");
  await models.unload(name);
  if (!(await models.source.remove(name))) throw notFound(name);
  return c.body(null, 200);
};

/** gpt-oss gives no embeddings. */
export const embed: Handled = async ({ models, configuration }, c) => {
  const body = checkBody(namedBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  const name = nameOf(body);
  await models.find(name);
  throw new ServerError("CHORALE_REQUEST", `"${name}" does not support embeddings`);
};

/** Paths of Ollama that would read files or weights that a client names. */
export const refused: Handled = async (_, c) => {
  throw new ServerError(
    "CHORALE_FORBIDDEN",
    `${c.req.path} is not offered: models come from registries only.`,
    { status: 403 },
  );
};

function notFound(name: string): ServerError {
  return new ServerError("CHORALE_NOT_FOUND", `model "${name}" not found`, { status: 404 });
}

function cannot(what: string): ServerError {
  return new ServerError(
    "CHORALE_REQUEST",
    `A model that is no part of the store cannot be ${what}.`,
  );
}

const CAPABILITIES: readonly string[] = ["completion", "tools", "thinking"];

function listed(facts: ModelFacts): object {
  return {
    name: facts.name,
    model: facts.name,
    modified_at: new Date(facts.modifiedAt).toISOString(),
    size: facts.size,
    digest: facts.digest,
    details: detailsOf(facts),
    capabilities: CAPABILITIES,
  };
}

function detailsOf(facts: ModelFacts): object {
  return {
    parent_model: "",
    format: facts.format,
    family: facts.architecture,
    families: [facts.architecture],
    parameter_size: facts.parameterSize,
    quantization_level: facts.quantization,
    context_length: facts.contextLength,
    embedding_length: facts.embeddingLength,
  };
}

function parametersOf({
  temperature,
  topP,
}: ModelFacts["sampling"]): readonly (readonly [string, number])[] {
  return [
    ...(temperature === undefined ? [] : [["temperature", temperature] as const]),
    ...(topP === undefined ? [] : [["top_p", topP] as const]),
  ];
}
