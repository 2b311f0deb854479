/** The whole server as one function of requests; `listen` puts it behind sockets. */

import type { ServerContext } from "./context.ts";
import { ServerError } from "./errors.ts";
import type { ServerEnv } from "./http/connection.ts";
import { errorResponse, noteFailure } from "./http/dialect.ts";
import { hostGuard, keyGuard, originGuard } from "./http/guards.ts";
import { Hono } from "./http/hono.ts";
import { newId } from "./ids.ts";
import { messagesRoutes } from "./messages/routes.ts";
import { ollamaRoutes } from "./ollama/routes.ts";
import { openaiRoutes } from "./openai/routes.ts";
import { responsesRoutes } from "./responses/routes.ts";
import { serverRoutes } from "./server-routes.ts";
import { sharedRoutes } from "./shared/routes.ts";
import type { PageRuns } from "./web/page-runs.ts";
import { pageRoutes } from "./web/routes.ts";

export type AppControl = {
  /** Whether nothing new is taken any more. */
  readonly isClosing: () => boolean;
  /** Ends the server. */
  readonly stop: () => void;
  /** Called for each request that is let in. */
  readonly onRequest: () => void;
  /** What the page at `/` has begun; null: there is no page. */
  readonly pageRuns: PageRuns | null;
};

export function createApp(context: ServerContext, control: AppControl): Hono<ServerEnv> {
  const { isClosing, stop, onRequest } = control;
  const { configuration, note } = context;
  const { keys, origins } = configuration;
  const app = new Hono<ServerEnv>();
  app.use(async (c, next) => {
    await next();
    c.header("x-request-id", requestId(c.req.header("x-request-id")));
  });
  app.use(hostGuard(keys.length > 0));
  app.use(originGuard(origins));
  app.use(keyGuard(keys));
  app.use(async (c, next) => {
    if (isClosing() && c.req.path !== "/health") {
      throw new ServerError("CHORALE_SERVER_CLOSING", "The server is closing.", {
        status: 503,
        retryAfter: 5,
      });
    }
    onRequest();
    await next();
  });
  app.route("/", serverRoutes(context, isClosing, stop));
  app.route("/", sharedRoutes(context));
  app.route("/", ollamaRoutes(context));
  app.route("/", openaiRoutes(context));
  app.route("/", responsesRoutes(context));
  app.route("/", messagesRoutes(context));
  app.route("/", pageRoutes(context, control.pageRuns));
  app.notFound((c) =>
    errorResponse(
      c.req.path,
      new ServerError(
        "CHORALE_NOT_FOUND",
        `There is nothing at ${c.req.method.slice(0, 20)} ${c.req.path.slice(0, 200)}.`,
        { status: 404 },
      ),
    ),
  );
  app.onError((error, c) => {
    noteFailure(error, `${c.req.method} ${c.req.path}`, note);
    return errorResponse(c.req.path, error);
  });
  return app;
}

/** The client's own, where it is one that can stand in a log. */
function requestId(given: string | undefined): string {
  return given !== undefined && /^[\w.-]{1,128}$/.test(given) ? given : newId("req_");
}
