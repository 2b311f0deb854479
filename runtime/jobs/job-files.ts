/**
 * Files that the calls of a job make. Each is kept before the result of its call is recorded, and its address stands in
 * that result: what a job has made is then known from its log, also where several workers had it.
 */
import { resolve, sep } from "node:path";
import { codeOf, messageOf } from "../errors.ts";
import type { LogEntry } from "../index.ts";
import type { ArtifactOwner, ArtifactStore } from "./artifacts.ts";
import type { JobArtifact, JobFailure } from "./job.ts";

/** Where the files of a job come from, and where they go. */
export type JobOutputs = {
  /** The folder into which tools write files, and in which nothing else is. */
  readonly folder: string;
  readonly store: ArtifactStore;
};

type Result = Extract<LogEntry, { type: "result" }>;
type Made = { readonly name: string; readonly path: string; readonly bytes: number };

export class JobFiles {
  readonly #owner: ArtifactOwner;
  #outputs: JobOutputs | null = null;
  #problem: JobFailure | null = null;

  constructor(owner: ArtifactOwner) {
    this.#owner = owner;
  }

  /** Why a file could not be kept. */
  get problem(): JobFailure | null {
    return this.#problem;
  }

  keepTo(outputs: JobOutputs | undefined): void {
    this.#outputs = outputs ?? null;
  }

  /** The entry with the addresses of the files that its call made. Never rejects: a result is worth more than a file. */
  async keep(entry: LogEntry): Promise<LogEntry> {
    if (entry.type !== "result") return entry;
    const made = filesOf(entry);
    if (made === null) return entry;
    const files = [];
    for (const file of made) {
      // A tool from elsewhere may say that it made any file of this machine.
      const url = this.#isOwn(file) ? await this.#save(file.path) : null;
      files.push({ ...file, url });
    }
    return { ...entry, data: { ...(entry.data as object), artifacts: files } };
  }

  #isOwn({ path }: Made): boolean {
    return this.#outputs !== null && resolve(path).startsWith(resolve(this.#outputs.folder) + sep);
  }

  async #save(path: string): Promise<string | null> {
    try {
      const [saved] = (await this.#outputs?.store.save(this.#owner, [path])) ?? [];
      return saved?.url ?? null;
    } catch (error) {
      const code = codeOf(error);
      this.#problem ??= { message: messageOf(error), ...(code !== undefined && { code }) };
      return null;
    }
  }
}

/** What a job has made, by the log of its conversation: each address once. */
export function artifactsOf(entries: readonly LogEntry[]): readonly JobArtifact[] {
  const found = new Map<string, JobArtifact>();
  for (const entry of entries) {
    for (const file of (entry.type === "result" && filesOf(entry)) || []) {
      const { url } = file as { url?: unknown };
      if (typeof url === "string") found.set(url, { name: file.name, url, bytes: file.bytes });
    }
  }
  return [...found.values()];
}

/** Null where the result names no files. */
function filesOf({ data }: Result): readonly Made[] | null {
  const { artifacts } = (data ?? {}) as { artifacts?: unknown };
  return Array.isArray(artifacts) && artifacts.every(isMade) ? artifacts : null;
}

function isMade(value: unknown): value is Made {
  const { name, path, bytes } = (value ?? {}) as Partial<Record<keyof Made, unknown>>;
  return typeof name === "string" && typeof path === "string" && typeof bytes === "number";
}
