/** Which files the cells of an interpreter have written since they were last handed out. */
import { ARTIFACT_LIMITS, type LeftOut } from "./protocol.ts";
import type { PythonIsolate } from "./python-isolate.ts";

type Listed = readonly [path: string, bytes: number, changed: number];

/** Files beyond the limits that are named; of the others only the number is told. */
const MAX_NAMED = 5;

export class WrittenFiles {
  /** Of the files that are being handed out: those beyond the limits so far. */
  leftOut: LeftOut = NOTHING;
  readonly #isolate: Pick<PythonIsolate, "listFiles" | "readFile">;
  /** Size and time of change when a file was last handed out, by path. */
  readonly #versions = new Map<string, string>();

  constructor(isolate: Pick<PythonIsolate, "listFiles" | "readFile">) {
    this.#isolate = isolate;
  }

  /** The files that are there now are the user's. */
  async markKnown(): Promise<void> {
    for (const file of await this.#list()) this.#isNew(file);
  }

  /**
   * Gives away the files that are new or changed, as far as the limits go.
   *
   * @returns those beyond the limits
   */
  async handOut(give: (path: string, bytes: Uint8Array) => void): Promise<LeftOut> {
    const { filesPerCell, fileBytes, cellBytes } = ARTIFACT_LIMITS;
    let given = 0;
    let givenBytes = 0;
    this.leftOut = NOTHING;
    for (const file of await this.#list()) {
      if (!this.#isNew(file)) continue;
      const [path, size] = file;
      const fits = size <= fileBytes && givenBytes + size <= cellBytes && given < filesPerCell;
      const bytes = fits
        ? await this.#isolate.readFile(path, size).catch(() => undefined)
        : undefined;
      if (bytes === undefined) {
        const { count, files } = this.leftOut;
        const named = files.length < MAX_NAMED ? [...files, { path, bytes: size }] : files;
        this.leftOut = { count: count + 1, files: named };
        continue;
      }
      given++;
      givenBytes += size;
      give(path, bytes);
    }
    return this.leftOut;
  }

  #isNew([path, size, changed]: Listed): boolean {
    const version = `${size} ${changed}`;
    if (this.#versions.get(path) === version) return false;
    this.#versions.set(path, version);
    return true;
  }

  async #list(): Promise<readonly Listed[]> {
    try {
      const entries: unknown = JSON.parse(await this.#isolate.listFiles());
      return Array.isArray(entries) ? entries.filter(isListed) : [];
    } catch (error) {
      // Cells can change what writes the list. An isolate that has ended is another matter.
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  }
}

const NOTHING: LeftOut = { count: 0, files: [] };

function isListed(entry: unknown): entry is Listed {
  return (
    Array.isArray(entry) &&
    typeof entry[0] === "string" &&
    entry[0].length <= ARTIFACT_LIMITS.pathLength &&
    Number.isSafeInteger(entry[1]) &&
    entry[1] >= 0 &&
    typeof entry[2] === "number"
  );
}
