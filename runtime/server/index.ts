/** The server, as the command line starts it. */
export {
  keepAliveOf,
  type ServerConfiguration,
  type ServerFlags,
  serverConfiguration,
} from "./configuration.ts";
export { announce, askServer, findServers, makeSocketPath } from "./discovery.ts";
export { ServerError } from "./errors.ts";
export { machineSource } from "./models/machine-source.ts";
export { startServer } from "./server.ts";
