/**
 * The folder on the user's disk for files that cells wrote. Their names and contents come out of the
 * sandbox: a file is only ever made new, beside what the folder already holds, and no link is followed.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../core/atomic-write.ts";
import { freeName, safeFileName } from "./file-name.ts";
import type { CellFile } from "./interpreter-process.ts";
import { ARTIFACT_LIMITS } from "./protocol.ts";

export type Artifact = {
  /** The name in the folder. */
  readonly name: string;
  /** The file on this machine. */
  readonly path: string;
  readonly bytes: number;
};

export type Saved = {
  readonly artifacts: readonly Artifact[];
  /** Files that were not kept, by their path in the sandbox, with a sentence for the model. */
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
};

/** Where cells write; not part of a file's name on the user's disk. */
const SANDBOX_FOLDERS = /^\/(?:outputs|mnt\/data)\//;

export class ArtifactFolder {
  readonly #folder: string;
  /** Names in the folder that this session made, by what the cells call the file. */
  readonly #names = new Map<string, string>();
  #count = 0;
  #bytes = 0;

  /** @param folder  created with the first file */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Never rejects: a full disk is no reason to lose a result. */
  async save(files: readonly CellFile[]): Promise<Saved> {
    const artifacts: Artifact[] = [];
    const problems: Saved["problems"][number][] = [];
    for (const file of files) {
      try {
        artifacts.push(await this.#saveOne(file));
      } catch (error) {
        problems.push({ path: file.path, problem: problemOf(error) });
      }
    }
    return { artifacts, problems };
  }

  async #saveOne({ path: source, bytes }: CellFile): Promise<Artifact> {
    const { files, totalBytes } = ARTIFACT_LIMITS;
    if (this.#count >= files || this.#bytes + bytes.length > totalBytes) {
      throw new LimitError(
        `A session can save ${files} files with ${totalBytes / MIB} MiB together.`,
      );
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const known = this.#names.get(source);
    const name = known ?? (await this.#writeNew(source, bytes));
    const path = join(this.#folder, name);
    // A file that this session wrote before; a link that was put there meanwhile is replaced.
    if (known !== undefined) await writeFileAtomic(path, bytes);
    this.#names.set(source, name);
    this.#count++;
    this.#bytes += bytes.length;
    return { name, path, bytes: bytes.length };
  }

  /** Under the first name that nothing has yet: neither a file of the user nor a link. */
  async #writeNew(source: string, bytes: Uint8Array): Promise<string> {
    const taken = new Set<string>();
    const wanted = safeFileName(source.replace(SANDBOX_FOLDERS, ""));
    for (;;) {
      const name = freeName(wanted, (candidate) => taken.has(candidate));
      if (name === undefined) throw new LimitError("Every name for it is taken.");
      try {
        await writeFile(join(this.#folder, name), bytes, { flag: "wx", mode: 0o600 });
        return name;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        taken.add(name);
      }
    }
  }
}

const MIB = 1024 * 1024;

class LimitError extends Error {}

/** For the model: the system's own message would name folders of the user. */
function problemOf(error: unknown): string {
  if (error instanceof LimitError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return "The user's disk is full.";
  return `The user's folder for files cannot be written (${code ?? "unknown reason"}).`;
}
