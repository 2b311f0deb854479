/** Paths about the server itself: whether it is there, how it does, and its end. */
import type { ServerContext } from "./context.ts";
import { ServerError } from "./errors.ts";
import { isOverUnixSocket, type ServerEnv } from "./http/connection.ts";
import type { Hono } from "./http/hono.ts";
import { routesOf } from "./routes.ts";

export function serverRoutes(
  { models, metrics }: ServerContext,
  isClosing: () => boolean,
  stop: () => void,
): Hono<ServerEnv> {
  return routesOf([
    [
      "GET",
      "/health",
      (c) => {
        if (isClosing()) return c.json(unavailable("The server is closing"), 503);
        if (models.isLoading) return c.json(unavailable("Loading model"), 503);
        return c.json({ status: "ok" });
      },
    ],
    [
      "GET",
      "/metrics",
      (c) => c.text(metrics.text(), 200, { "content-type": "text/plain; version=0.0.4" }),
    ],
    [
      "POST",
      "/chorale/stop",
      (c) => {
        // A program that reaches the socket may end the process as well.
        if (!isOverUnixSocket(c)) {
          throw new ServerError(
            "CHORALE_FORBIDDEN",
            "The server is stopped by its socket only: chorale stop.",
            { status: 403 },
          );
        }
        stop();
        return c.json({ status: "closing" });
      },
    ],
  ]);
}

function unavailable(message: string): object {
  return { error: { code: 503, message, type: "unavailable_error" } };
}
