/** The server, as the command line starts it. */
export {
  isLoopback,
  keepAliveOf,
  type ServerConfiguration,
  type ServerFlags,
  serverConfiguration,
} from "./configuration.ts";
export { announce, makeSocketPath } from "./discovery.ts";
export { ServerError } from "./errors.ts";
export { engineSource } from "./models/engine-source.ts";
export { machineSource } from "./models/machine-source.ts";
export type { WebSearchRequest } from "./responses/request-tools.ts";
export type { ServerToolSession, ServerTools } from "./responses/server-tools.ts";
export { startServer } from "./server.ts";
export type { PageServices, PageTools } from "./web/services.ts";
