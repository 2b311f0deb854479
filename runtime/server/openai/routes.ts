/** OpenAI's API but for Responses, and vLLM's endpoints of ids. */
import type { ServerContext } from "../context.ts";
import type { ServerEnv } from "../http/connection.ts";
import type { Context, Hono } from "../http/hono.ts";
import { routesOf } from "../routes.ts";
import { chatCompletions } from "./chat.ts";
import { completions, generateIds } from "./completions.ts";
import { detokenize, embeddings, listModels, retrieveModel, tokenize } from "./models.ts";

export function openaiRoutes(context: ServerContext): Hono<ServerEnv> {
  const by =
    (handle: (context: ServerContext, c: Context<ServerEnv>) => Promise<Response>) =>
    (c: Context<ServerEnv>): Promise<Response> =>
      handle(context, c);
  return routesOf([
    ["POST", "/v1/chat/completions", by(chatCompletions)],
    ["POST", "/v1/completions", by(completions)],
    ["GET", "/v1/models", by(listModels)],
    ["GET", "/v1/models/*", by(retrieveModel)],
    ["POST", "/v1/embeddings", by(embeddings)],
    ["POST", "/inference/v1/generate", by(generateIds)],
    ["POST", "/tokenize", by(tokenize)],
    ["POST", "/detokenize", by(detokenize)],
  ]);
}
