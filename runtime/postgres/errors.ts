/** Errors of Postgres and of connections to it: which of them pass, and what they say. */

/** SQLSTATE of errors after which the same may succeed a moment later. */
const PASSING = new Set([
  "57P01", // the server is told to end
  "57P02", // a process of the server crashed
  "57P03", // the server starts or ends
  "57P05", // an idle connection was ended
  "25P03", // a transaction was silent for too long
  "53300", // too many connections
  "55P03", // a lock was not free in time
  "40001", // two transactions met
  "40P01", // and waited for each other
]);
/** Class of SQLSTATE: connection exceptions. */
const CONNECTION_CLASS = /^08...$/;

const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  // A container that starts again has no name for a moment.
  "ENOTFOUND",
  "EAI_AGAIN",
  // A socket of a server that starts again.
  "ENOENT",
]);
/** What `pg` says without a code. */
const OF_PG =
  /^(?:Connection terminated|Query read timeout|timeout e|Client has encountered a connection error|Client was closed)/;

/** Whether a connection was lost or could not be made, or the server asks to try again. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return OF_PG.test(error.message);
  return PASSING.has(code) || CONNECTION_CLASS.test(code) || NETWORK.has(code);
}

/** The message of an error; of the first one where a name has several addresses. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return reasonOf(error.errors[0]);
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}
