/** The page at `/`, its files and its API. */
import type { ServerContext } from "../context.ts";
import type { ServerEnv } from "../http/connection.ts";
import type { Context, Hono } from "../http/hono.ts";
import { type Route, routesOf } from "../routes.ts";
import { ASSET_PATH, type Asset, pageAssets } from "./assets.ts";
import { pageApi } from "./page-api.ts";
import { PAGE_HEADERS } from "./page-guard.ts";
import type { PageRuns } from "./page-runs.ts";

/** @param runs null: this server has no page */
export function pageRoutes(context: ServerContext, runs: PageRuns | null): Hono<ServerEnv> {
  if (runs === null) return routesOf([["GET", "/", running]]);
  const files: Route = [
    "GET",
    `${ASSET_PATH}*`,
    (c) => {
      const asset = pageAssets().get(c.req.path);
      return asset === undefined ? c.notFound() : answer(c, asset);
    },
  ];
  return routesOf([
    [
      "GET",
      "/",
      (c) => {
        const asset = pageAssets().get("/");
        return wantsPage(c) && asset !== undefined ? answer(c, asset) : running(c);
      },
    ],
    ...pageApi(context, runs),
    files,
  ]);
}

/** Clients of Ollama look for this sentence. */
function running(c: Context<ServerEnv>): Response {
  return c.text("Ollama is running");
}

/** A browser says so; a client takes anything. */
function wantsPage(c: Context<ServerEnv>): boolean {
  return (c.req.header("accept") ?? "").includes("text/html");
}

function answer(c: Context<ServerEnv>, { type, body, gzipped, etag }: Asset): Response {
  const headers: Record<string, string> = {
    ...PAGE_HEADERS,
    "content-type": type,
    "cache-control": "no-cache",
    etag,
    vary: "accept-encoding",
  };
  if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
  const isGzipped = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
  if (isGzipped) headers["content-encoding"] = "gzip";
  return new Response(new Uint8Array(isGzipped ? gzipped : body), { headers });
}
