/** undici as this folder uses it; bundled into the package (`scripts/bundle.ts`). */

export { Agent, buildConnector, Client, type Dispatcher, fetch } from "undici";
