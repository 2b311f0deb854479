/** hono as this folder uses it; bundled into the package (`scripts/bundle.ts`). */

export { getRequestListener, type HttpBindings } from "@hono/node-server";
export { type Context, Hono, type MiddlewareHandler } from "hono";
