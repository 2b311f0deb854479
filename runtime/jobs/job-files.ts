/**
 * Files that the calls of a job make. Each is kept before the result of its call is recorded, and its address stands in
 * that result: what a job has made is then known from its log, also where several workers had it.
 */
import { resolve, sep } from "node:path";
import { messageOf } from "../errors.ts";
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
/** What became of a file: where it is kept, or why it is not. */
type Fate = { readonly url: string } | { readonly problem: string };

export class JobFiles {
  readonly #owner: ArtifactOwner;
  #outputs: JobOutputs | null = null;

  constructor(owner: ArtifactOwner) {
    this.#owner = owner;
  }

  keepTo(outputs: JobOutputs | undefined): void {
    this.#outputs = outputs ?? null;
  }

  /** The entry with the addresses of the files that its call made. Never rejects: a result is worth more than a file. */
  async keep(entry: LogEntry): Promise<LogEntry> {
    if (entry.type !== "result") return entry;
    const made = filesOf(entry);
    if (made === null) return entry;
    const artifacts: Made[] = [];
    for (const { name, path, bytes } of made) {
      artifacts.push({ name, path, bytes, ...(await this.#fateOf(path)) });
    }
    return { ...entry, data: { ...(entry.data as object), artifacts } };
  }

  async #fateOf(path: string): Promise<Fate | null> {
    if (this.#outputs === null) return null;
    const { folder, store } = this.#outputs;
    // A tool from elsewhere may say that it made any file of this machine.
    if (!resolve(path).startsWith(resolve(folder) + sep)) return null;
    try {
      const [saved] = await store.save(this.#owner, [path]);
      return saved === undefined ? null : { url: saved.url };
    } catch (error) {
      return { problem: messageOf(error) };
    }
  }
}

/** What a job has made, by the log of its conversation: each address once. */
export function artifactsOf(entries: readonly LogEntry[]): readonly JobArtifact[] {
  const kept = allFiles(entries).flatMap(({ name, bytes, url }) =>
    typeof url === "string" ? [[url, { name, url, bytes }] as const] : [],
  );
  return [...new Map(kept).values()];
}

/** Why a file that a job has made is lost; null where none is. */
export function lostFile(entries: readonly LogEntry[]): JobFailure | null {
  const lost = allFiles(entries).find(({ problem }) => typeof problem === "string");
  return lost === undefined
    ? null
    : { code: "CHORALE_JOB_ARTIFACTS", message: String(lost.problem) };
}

type Logged = Made & { readonly url?: unknown; readonly problem?: unknown };

function allFiles(entries: readonly LogEntry[]): readonly Logged[] {
  return entries.flatMap((entry) => (entry.type === "result" && filesOf(entry)) || []);
}

/** Null where the result names no files. */
function filesOf({ data }: Result): readonly Logged[] | null {
  const { artifacts } = (data ?? {}) as { artifacts?: unknown };
  return Array.isArray(artifacts) && artifacts.every(isMade) ? artifacts : null;
}

function isMade(value: unknown): value is Made {
  const { name, path, bytes } = (value ?? {}) as Partial<Record<keyof Made, unknown>>;
  return typeof name === "string" && typeof path === "string" && typeof bytes === "number";
}
