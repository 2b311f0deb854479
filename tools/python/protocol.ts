/**
 * The messages between the agent and the interpreter's process, JSON in frames. The process runs the
 * model's code, so everything that comes from it is checked before it is used.
 */
import type { PackageManifest } from "./packages/package-manifest.ts";

const MIB = 1024 * 1024;

/** What a user may give to cells, at most. */
export const INPUT_LIMITS: Readonly<Record<"files" | "fileBytes" | "totalBytes", number>> = {
  files: 100,
  fileBytes: 32 * MIB,
  totalBytes: 64 * MIB,
};

/** Of a cell's value and error, in UTF-16 code units; cell.py cuts its texts well below. */
export const MAX_VALUE_CHARS: number = 128 * 1024;
export const MAX_ERROR_CHARS: number = 64 * 1024;

/** What cells may hand out, at most. */
export const ARTIFACT_LIMITS: Readonly<
  Record<"filesPerCell" | "fileBytes" | "cellBytes" | "files" | "totalBytes" | "pathLength", number>
> = {
  filesPerCell: 32,
  fileBytes: 16 * MIB,
  cellBytes: 32 * MIB,
  /** Of a session. */
  files: 200,
  totalBytes: 128 * MIB,
  pathLength: 500,
};

/** What the process gets when it is started. */
export type ChildSetup = {
  /** The binary of isolated-vm. */
  readonly addon: string;
  readonly pyodideFolder: string;
  /** A snapshot file to restore, if there is one. */
  readonly snapshotFile: string | null;
  /** Of the packages that will be offered, unpacked. */
  readonly packageBytes: number;
  /** Start, hand over a snapshot of the memory and end, instead of running cells. */
  readonly makeSnapshot: boolean;
};

export type ToChild =
  /** A file for the folder `/mnt/data`; its bytes are the next frame. */
  | { readonly type: "file"; readonly name: string }
  /** Packages that the cells may import. */
  | { readonly type: "packages"; readonly manifest: PackageManifest }
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

/** Files that cells have written and that are beyond the limits. */
export type LeftOut = {
  readonly count: number;
  /** The first of them. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
};

/** Of what a cell prints while it runs, in UTF-16 code units. */
export const MAX_LIVE_CHARS = 4_096;

export type FromChild =
  | {
      readonly type: "ready";
      readonly fromSnapshot: boolean;
      readonly snapshotProblem: string | null;
    }
  /** What the running cell has printed since it was told last, or the end of it. */
  | { readonly type: "output"; readonly id: number; readonly text: string }
  /** A file that a cell has written, by its path in the sandbox; its bytes are the next frame. */
  | { readonly type: "artifact"; readonly path: string; readonly size: number }
  | ({
      readonly type: "result";
      readonly id: number;
      readonly leftOut: LeftOut;
      /** Code that an earlier cell had left behind computed too much since, and was interrupted. */
      readonly interruptedBetween: boolean;
    } & CellOutcome)
  /** The interpreter is gone; `output` is what was printed since the last result. The process ends. */
  | {
      readonly type: "died";
      readonly reason: string;
      readonly output: string;
      /** Whether the code of the running cell had begun. */
      readonly begun: boolean;
    };

/** @returns undefined for anything that is not a message of the protocol */
export function readFromChild(message: unknown): FromChild | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const m = message as Record<string, unknown>;
  const isText = (value: unknown): value is string => typeof value === "string";
  const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);
  const isCount = (value: unknown): value is number =>
    Number.isSafeInteger(value) && Number(value) >= 0;
  switch (m["type"]) {
    case "artifact":
      return isText(m["path"]) && isCount(m["size"])
        ? { type: "artifact", path: m["path"], size: m["size"] }
        : undefined;
    case "output":
      return isCount(m["id"]) && isText(m["text"]) && m["text"].length <= MAX_LIVE_CHARS
        ? { type: "output", id: m["id"] as number, text: m["text"] }
        : undefined;
    case "ready":
      return typeof m["fromSnapshot"] === "boolean" && isTextOrNull(m["snapshotProblem"])
        ? {
            type: "ready",
            fromSnapshot: m["fromSnapshot"],
            snapshotProblem: m["snapshotProblem"],
          }
        : undefined;
    case "result": {
      const leftOut = readLeftOut(m["leftOut"]);
      return typeof m["id"] === "number" &&
        leftOut !== undefined &&
        typeof m["interruptedBetween"] === "boolean" &&
        isText(m["output"]) &&
        isTextOrNull(m["value"]) &&
        isTextOrNull(m["error"])
        ? {
            type: "result",
            id: m["id"],
            leftOut,
            interruptedBetween: m["interruptedBetween"],
            output: m["output"],
            value: m["value"],
            error: m["error"],
          }
        : undefined;
    }
    case "died":
      return isText(m["reason"]) && isText(m["output"]) && typeof m["begun"] === "boolean"
        ? { type: "died", reason: m["reason"], output: m["output"], begun: m["begun"] }
        : undefined;
    default:
      return undefined;
  }
}

function readLeftOut(value: unknown): LeftOut | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { count, files } = value as Record<string, unknown>;
  const isCount = (number: unknown): number is number =>
    Number.isSafeInteger(number) && Number(number) >= 0;
  if (!isCount(count) || !Array.isArray(files) || files.length > count) return undefined;
  const named = files.map((file: Record<string, unknown> | null) => ({
    path: file?.["path"],
    bytes: file?.["bytes"],
  }));
  const isNamed = (file: (typeof named)[number]): file is LeftOut["files"][number] =>
    typeof file.path === "string" &&
    file.path.length <= ARTIFACT_LIMITS.pathLength &&
    isCount(file.bytes);
  return named.every(isNamed) ? { count, files: named } : undefined;
}
