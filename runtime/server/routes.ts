/** Paths and what answers them. Another method than the ones of a path is told so. */
import { ServerError } from "./errors.ts";
import type { ServerEnv } from "./http/connection.ts";
import { type Context, Hono } from "./http/hono.ts";

type Handler = (c: Context<ServerEnv>) => Response | Promise<Response>;

export type Route = readonly [methods: string, path: string, handler: Handler];

/** @param routes methods with commas between them; the first path that fits counts */
export function routesOf(routes: readonly Route[]): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  const methods = new Map<string, string[]>();
  for (const [named, path, handler] of routes) {
    const own = named.split(",");
    app.on(own, path, handler);
    methods.set(path, [...(methods.get(path) ?? []), ...own]);
  }
  for (const [path, known] of methods) {
    app.all(path, (c) => {
      throw new ServerError(
        "CHORALE_METHOD",
        `${c.req.method.slice(0, 20)} is not what ${c.req.path.slice(0, 100)} takes; accepted: ${known.join(", ")}.`,
        { status: 405 },
      );
    });
  }
  return app;
}
