/** `/v1/models`, and what tokens a text has. */
import type { ServerContext } from "../context.ts";
import { ServerError } from "../errors.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, type ServerEnv } from "../http/connection.ts";
import type { Context } from "../http/hono.ts";
import type { ModelFacts } from "../models/model-source.ts";
import { checkBody } from "../wire/check.ts";
import { detokenizeBody, modelOf, tokenizeBody } from "./wire.ts";

type Handled = (context: ServerContext, c: Context<ServerEnv>) => Promise<Response>;

export const listModels: Handled = async ({ models }, c) => {
  const list = await models.source.list();
  return c.json({
    object: "list",
    data: list.map((facts) => described(models, facts, facts.name)),
  });
};

/** The name may have `:` and `/` in it, as they are or encoded. */
export const retrieveModel: Handled = async ({ models }, c) => {
  const name = decoded(c.req.path.slice("/v1/models/".length));
  return c.json(described(models, await models.find(name), name));
};

/** gpt-oss gives no embeddings. */
export const embeddings: Handled = async ({ configuration }, c) => {
  await readJson(c.req.raw, configuration.maxBodyBytes);
  throw new ServerError("CHORALE_REQUEST", "gpt-oss does not support embeddings", {
    param: "model",
  });
};

export const tokenize: Handled = async (context, c) => {
  const body = checkBody(
    tokenizeBody,
    await readJson(c.req.raw, context.configuration.maxBodyBytes),
  );
  const text = body.prompt ?? body.content ?? "";
  return withModel(context, c, body, ({ tokenizer, contextLength }) => {
    const isPlain = body.add_special_tokens === false;
    const tokens = isPlain ? tokenizer.encode(text) : tokenizer.encodeWithSpecials(text);
    return c.json({ count: tokens.length, max_model_len: contextLength, tokens });
  });
};

export const detokenize: Handled = async (context, c) => {
  const body = checkBody(
    detokenizeBody,
    await readJson(c.req.raw, context.configuration.maxBodyBytes),
  );
  return withModel(context, c, body, ({ tokenizer }) =>
    c.json({ prompt: tokenizer.decodeLossy(body.tokens) }),
  );
};

async function withModel(
  { models }: ServerContext,
  c: Context<ServerEnv>,
  body: { readonly model?: string | null | undefined },
  work: (model: Awaited<ReturnType<typeof models.use>>["model"]) => Response,
): Promise<Response> {
  const lease = await models.use(modelOf(body), { signal: connectionSignal(c) });
  try {
    return work(lease.model);
  } finally {
    lease.release();
  }
}

/**
 * With the context that it has in memory, or would be loaded with, under vLLM's name for it.
 * @param name as it was asked for
 */
function described(
  { source, loaded }: ServerContext["models"],
  facts: ModelFacts,
  name: string,
): object {
  const held = loaded.find((one) => one.facts.name === facts.name);
  return {
    id: name,
    object: "model",
    created: Math.floor(facts.modifiedAt / 1000),
    owned_by: "library",
    max_model_len: held?.contextLength ?? source.defaultContext(facts),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
