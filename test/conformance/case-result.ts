import { readFileSync } from "node:fs";

/** What one conformance case came to. */
export type CaseResult = {
  /** Names the case in its file. */
  readonly id: string;
  readonly pass: boolean;
  /** What this implementation did; JSON-able. */
  readonly got: unknown;
  /** What the file wants, or words for it. */
  readonly expected?: unknown;
};

/** One area of the runner: a file `<area>.ts` that exports `run`. */
export type Area = {
  /**
   * @param paths absolute paths of the files of cases
   * @throws ConformanceInputError when a file cannot be read or has another form
   */
  run(paths: readonly string[]): AsyncGenerator<CaseResult>;
};

/** The files given are not what the area needs: the run ends with one sentence and code 2. */
export class ConformanceInputError extends Error {
  readonly code = "CHORALE_CONFORMANCE_INPUT";
}

/**
 * A file of cases, parsed.
 * @throws ConformanceInputError when it cannot be read or is not JSON
 */
export function readCases(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConformanceInputError(`Cannot read the cases of ${path}: ${reason}`, {
      cause: error,
    });
  }
}
