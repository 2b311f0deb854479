/** Local and cloud together: a remote model that leads, a local one that reads. */
export type { ContextDocument } from "./chunks.ts";
export type {
  Departure,
  EgressLabel,
  EgressRange,
  EgressRecord,
  SourceRange,
} from "./egress.ts";
export { MinionsError, type MinionsErrorCode } from "./errors.ts";
export { createMinionsTool, type MinionsToolOptions } from "./minions-tool.ts";
export { REDACTION_RULES, type RedactionRule } from "./redaction.ts";
export { type MinionsOptions, type MinionsReport, type Price, runMinions } from "./run-minions.ts";
