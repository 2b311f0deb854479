/** Ollama's native API. */
import type { ServerContext } from "../context.ts";
import type { ServerEnv } from "../http/connection.ts";
import type { Context, Hono } from "../http/hono.ts";
import { routesOf } from "../routes.ts";
import { chat } from "./chat.ts";
import { generate } from "./generate.ts";
import { copy, embed, ps, pull, refused, remove, show, tags, version } from "./manage.ts";

export function ollamaRoutes(context: ServerContext): Hono<ServerEnv> {
  const by =
    (handle: (context: ServerContext, c: Context<ServerEnv>) => Promise<Response>) =>
    (c: Context<ServerEnv>): Promise<Response> =>
      handle(context, c);
  return routesOf([
    ["POST", "/api/chat", by(chat)],
    ["POST", "/api/generate", by(generate)],
    ["GET", "/api/tags", by(tags)],
    ["GET", "/api/ps", by(ps)],
    ["GET", "/api/version", by(version)],
    ["POST", "/api/show", by(show)],
    ["POST", "/api/pull", by(pull)],
    ["POST", "/api/copy", by(copy)],
    ["DELETE", "/api/delete", by(remove)],
    ["POST", "/api/embed", by(embed)],
    ["POST", "/api/embeddings", by(embed)],
    ["POST", "/api/create", by(refused)],
    ["POST", "/api/push", by(refused)],
    ["GET,POST", "/api/blobs/:digest", by(refused)],
  ]);
}
