/** What a log says of its runs: as events, as a timeline, and as a page. */
export { type LoggedTurn, turnsOfLog } from "./log-events.ts";
export { messageTokens, type TraceToken } from "./message-tokens.ts";
export { type Trace, traceOf } from "./trace.ts";
export { traceFile, traceStyle } from "./trace-file.ts";
