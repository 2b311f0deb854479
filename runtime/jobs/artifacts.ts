/**
 * Where files that jobs made are kept: a folder that all machines see, or storage with the protocol of S3. Names of
 * files come from a model: each is made a plain name below the folder of its job, and nothing is followed or replaced
 * outside of it.
 */

import { randomUUID } from "node:crypto";
import { copyFile, lstat, mkdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { freeName, safeFileName } from "../../tools/index.ts";
import { messageOf, UsageError } from "../errors.ts";
import type { ArtifactPlace } from "./artifact-place.ts";
import { JobsError } from "./errors.ts";
import type { JobArtifact } from "./job.ts";

/** Whose files they are: one hold of a job, so that a worker that lost it replaces none of those of another. */
export type ArtifactOwner = { readonly jobId: string; readonly hold: number };

export interface ArtifactStore extends AsyncDisposable {
  /** For sentences; it has no key or password. */
  readonly name: string;
  /**
   * Keeps files of this machine. The same files of the same hold are replaced.
   * @throws JobsError with the code CHORALE_JOB_ARTIFACTS
   */
  save(owner: ArtifactOwner, paths: readonly string[]): Promise<readonly JobArtifact[]>;
}

/** Bytes of a file; Python code cannot make larger ones. */
const LARGEST = 64 << 20;

/**
 * @param where  a folder, or `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`
 * @param env  has the keys of the storage: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`
 * @throws UsageError
 */
export async function openArtifacts(where: string, env: NodeJS.ProcessEnv): Promise<ArtifactStore> {
  if (where.trim() === "") {
    throw new UsageError("The place for artifacts is empty; give a folder or s3://BUCKET/PREFIX.", {
      option: "artifacts",
    });
  }
  return storeOf(await placeAt(where, env));
}

/**
 * Removes files of a job from where they are kept; one that is not there is left out.
 * @param env  as for `openArtifacts`
 * @throws JobsError with the code CHORALE_JOB_ARTIFACTS, also for an address that is none of this job; UsageError
 */
export async function removeArtifacts(
  jobId: string,
  artifacts: readonly JobArtifact[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  for (const { name, url } of artifacts) {
    const [, base = "", owner = "", query = ""] =
      /^(.+)\/([^/]+)\/\d+\/[^/]+?(\?.*)?$/.exec(url) ?? [];
    const isOwn = owner === encodeURIComponent(safeFileName(jobId));
    try {
      if (!isOwn) throw new Error(`its address ${url} is none of the job ${jobId}`);
      const isFile = base.startsWith("file://");
      const place = await placeAt(isFile ? fileURLToPath(base) : `${base}${query}`, env);
      try {
        await place.remove(url);
      } finally {
        await place.close();
      }
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw failed(`remove the file ${name} of job ${jobId}`, error);
    }
  }
}

async function placeAt(where: string, env: NodeJS.ProcessEnv): Promise<ArtifactPlace> {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(where) ?? [];
  if (scheme === undefined) return folderPlace(resolve(where));
  if (scheme !== "s3") {
    throw new UsageError(
      `Artifacts cannot be kept at ${scheme}://…; accepted: a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME.`,
      { option: "artifacts" },
    );
  }
  const { s3Place } = await import("./s3.ts");
  return s3Place(where, env);
}

function storeOf(place: ArtifactPlace): ArtifactStore {
  return {
    name: place.name,
    async save({ jobId, hold }, paths) {
      const saved: JobArtifact[] = [];
      const taken = new Set<string>();
      for (const path of paths) {
        const wanted = safeFileName(basename(path));
        const name = freeName(wanted, (candidate) => taken.has(candidate)) ?? randomUUID();
        taken.add(name);
        try {
          const bytes = await sizeOf(path);
          const url = await place.put(path, [safeFileName(jobId), String(hold), name]);
          saved.push({ name, url, bytes });
        } catch (error) {
          throw failed(`keep the file ${name} of job ${jobId} in ${place.name}`, error);
        }
      }
      return saved;
    },
    [Symbol.asyncDispose]: () => place.close(),
  };
}

function failed(doing: string, error: unknown): JobsError {
  const reason = messageOf(error).replace(/\.$/, "");
  return new JobsError("CHORALE_JOB_ARTIFACTS", `Cannot ${doing}: ${reason}.`, error);
}

/** @throws Error for what is no file of its own: a link may lead anywhere */
async function sizeOf(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isFile()) throw new Error("it is no regular file");
  if (stats.size > LARGEST) {
    throw new Error(`it has ${stats.size} bytes, and a file of at most ${LARGEST} is kept`);
  }
  return stats.size;
}

function folderPlace(folder: string): ArtifactPlace {
  return {
    name: folder,
    async put(path, key) {
      const to = join(folder, ...key);
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      // Under another name first: a reader sees all of a file, and a link in its place is replaced, not followed.
      const partial = `${to}.${randomUUID()}.part`;
      try {
        await copyFile(path, partial);
        await rename(partial, to);
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
      return pathToFileURL(to).href;
    },
    async remove(url) {
      const path = url.startsWith("file://") ? fileURLToPath(url) : null;
      if (path === null || !isBelow(path, folder)) return;
      await rm(path, { force: true });
      // The folders of the hold and of the job, once they are empty.
      for (const parent of [dirname(path), dirname(dirname(path))]) {
        if (!isBelow(parent, folder)) return;
        const isEmpty = await rmdir(parent).then(
          () => true,
          () => false,
        );
        if (!isEmpty) return;
      }
    },
    close: async () => {},
  };
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
