/** What the APIs of a server share. */
import type { Tool } from "../../tools/index.ts";
import type { AgentOptions } from "../index.ts";
import type { Admission } from "./admission.ts";
import type { Clock } from "./clock.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { Metrics } from "./metrics.ts";
import type { ServedModels } from "./models/served-models.ts";
import type { ReasoningMemory } from "./turn/reasoning-memory.ts";

export type ServerContext = {
  readonly configuration: ServerConfiguration;
  readonly models: ServedModels;
  readonly admission: Admission;
  readonly memory: ReasoningMemory;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Tools that the server carries out for APIs that have such: `browser.…`, `python`. */
  readonly serverTools: readonly Tool[];
  /** What decides about their calls. */
  readonly policy: AgentOptions["policy"];
  /** Gets sentences for the person who watches. */
  readonly note: (sentence: string) => void;
  /** Aborted when the server stops what is still running. */
  readonly closing: AbortSignal;
};
