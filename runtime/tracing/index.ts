/** What a log says of its runs: as events, as a timeline, and as a page. */
export { type LoggedTurn, turnsOfLog } from "./log-events.ts";
export { type MessageTokens, messageTokens, type TraceToken } from "./message-tokens.ts";
export { type Trace, type TraceMessage, type TracePart, type TraceTurn, traceOf } from "./trace.ts";
export { traceFile, traceStyle } from "./trace-file.ts";
