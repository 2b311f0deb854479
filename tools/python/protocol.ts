/**
 * What the agent and the interpreter's process say to each other, as JSON in frames. The process that
 * speaks runs the model's code, so everything that comes from it is checked before it is used.
 */

export type ToChild =
  | { readonly type: "run"; readonly id: number; readonly code: string }
  /** Raise KeyboardInterrupt in the running cell. */
  | { readonly type: "interrupt"; readonly id: number }
  /** Say what the cell has printed so far, and end. */
  | { readonly type: "stop" };

export type CellOutcome = {
  /** stdout and stderr in the order they were written, bounded. */
  readonly output: string;
  /** `repr` of the last expression. */
  readonly value: string | null;
  /** Traceback of an exception that the cell did not catch. */
  readonly error: string | null;
};

export type FromChild =
  | {
      readonly type: "ready";
      readonly fromSnapshot: boolean;
      readonly snapshotProblem: string | null;
    }
  | ({ readonly type: "result"; readonly id: number } & CellOutcome)
  /** The interpreter is gone; `output` is what the running cell had printed. The process ends. */
  | { readonly type: "died"; readonly reason: string; readonly output: string };

/** @returns undefined for anything that is not a message of the protocol */
export function readFromChild(payload: Buffer): FromChild | undefined {
  let message: unknown;
  try {
    message = JSON.parse(payload.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof message !== "object" || message === null) return undefined;
  const m = message as Record<string, unknown>;
  const isText = (value: unknown): value is string => typeof value === "string";
  const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);
  switch (m["type"]) {
    case "ready":
      return typeof m["fromSnapshot"] === "boolean" && isTextOrNull(m["snapshotProblem"])
        ? {
            type: "ready",
            fromSnapshot: m["fromSnapshot"],
            snapshotProblem: m["snapshotProblem"],
          }
        : undefined;
    case "result":
      return typeof m["id"] === "number" &&
        isText(m["output"]) &&
        isTextOrNull(m["value"]) &&
        isTextOrNull(m["error"])
        ? { type: "result", id: m["id"], output: m["output"], value: m["value"], error: m["error"] }
        : undefined;
    case "died":
      return isText(m["reason"]) && isText(m["output"])
        ? { type: "died", reason: m["reason"], output: m["output"] }
        : undefined;
    default:
      return undefined;
  }
}
