/** What the APIs of a server share. */
import type { Admission } from "./admission.ts";
import type { Clock } from "./clock.ts";
import type { ServerConfiguration } from "./configuration.ts";
import type { Metrics } from "./metrics.ts";
import type { ServedModels } from "./models/served-models.ts";
import type { Responses } from "./responses/response-run.ts";
import type { ReasoningMemory } from "./turn/reasoning-memory.ts";

export type ServerContext = {
  readonly configuration: ServerConfiguration;
  readonly models: ServedModels;
  readonly admission: Admission;
  readonly memory: ReasoningMemory;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** What the Responses API keeps, and carries out itself. */
  readonly responses: Responses;
  /** Gets sentences for the person who watches. */
  readonly note: (sentence: string) => void;
  /** Aborted when the server stops what is still running. */
  readonly closing: AbortSignal;
};
