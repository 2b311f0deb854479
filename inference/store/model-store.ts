/**
 * The models on this disk: one folder, in which every file lies once, under the hash of its content, and a manifest
 * for each name says which files a model consists of.
 *
 *     manifests/HOST/OWNER/MODEL/TAG.json   models that are whole (`checkpoint/manifest.ts`)
 *     pending/HOST/OWNER/MODEL/TAG.json     models of which a pull has begun and not ended
 *     blobs/sha256-HASH
 *     partial/HASH.data, HASH.journal       a file that is being received (`partial-file.ts`)
 *     locks/
 *
 * Any number of processes may use it. Files appear by renaming, whole; what no manifest and no pending pull uses is
 * removed under a lock that also covers the writing of those. Links inside of it are not followed: a folder or file
 * that is one is refused.
 */
import { createHash, randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { blobPath, isSha256, type ModelManifest, readManifest } from "../checkpoint/manifest.ts";
import { CheckpointError, ModelStoreError } from "../errors.ts";
import { type Lock, lock, tryLock } from "./lock.ts";
import {
  isSameModel,
  type ModelName,
  manifestParts,
  modelNameText,
  parseModelName,
} from "./names.ts";

export type StoredModel = {
  readonly name: ModelName;
  readonly manifest: ModelManifest;
  /** Of the manifest: `openCheckpoint` takes it. */
  readonly path: string;
};

/** A manifest that cannot be read. */
export type BrokenModel = { readonly path: string; readonly problem: string };

/** A pull that has not ended: what it wants. */
export type PendingModel = {
  readonly name: string;
  readonly files: readonly {
    readonly name: string;
    readonly sha256: string | null;
    readonly bytes: number;
  }[];
};

export type RemovedModel = {
  /** Bytes that are free again. */
  readonly freedBytes: number;
  /** Files of the model that stay: other models have them, too. */
  readonly sharedBytes: number;
};

const MAX_PENDING_BYTES = 1 << 20;
/** Folders of `manifests/` and `pending/`: host, owner, model. */
const FOLDERS = 3;
/** Ends the names of files that are being written. */
const TEMPORARY = ".tmp";
const STALE_MS = 3_600_000;
/** A store with more is listed in part. */
const MAX_MODELS = 10_000;

export class ModelStore {
  /** Need not exist yet. */
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Path of a blob, whether or not it is there. @param sha256 64 hexadecimal digits */
  blob(sha256: string): string {
    if (!isSha256(sha256)) throw new TypeError(`${JSON.stringify(sha256)} is no SHA-256.`);
    return blobPath(this.root, sha256);
  }

  /** Bytes of a blob that is there; undefined when it is not. */
  blobBytes(sha256: string): number | undefined {
    const found = lstatSync(this.blob(sha256), { throwIfNoEntry: false });
    return found?.isFile() ? found.size : undefined;
  }

  /** Where the parts of a file that is being received lie. */
  partial(sha256: string): {
    readonly data: string;
    readonly journal: string;
    readonly lock: string;
  } {
    const base = join(this.root, "partial", sha256);
    return {
      data: `${base}.data`,
      journal: `${base}.journal`,
      lock: join(this.root, "locks", `${sha256}.lock`),
    };
  }

  /** Makes the folders. @throws ModelStoreError where that cannot be, or one is a link */
  prepare(): void {
    for (const name of ["manifests", "pending", "blobs", "partial", "locks"]) {
      this.#folder(name);
    }
  }

  /** Free bytes of its disk. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.root);
    return bavail * bsize;
  }

  /** All models, sorted by name, and manifests that are broken. */
  list(): { readonly models: readonly StoredModel[]; readonly broken: readonly BrokenModel[] } {
    const models: StoredModel[] = [];
    const broken: BrokenModel[] = [];
    for (const path of this.#entries("manifests")) {
      try {
        const manifest = readManifest(path);
        models.push({ name: parseModelName(manifest.name), manifest, path });
      } catch (error) {
        if (!(error instanceof CheckpointError || error instanceof ModelStoreError)) throw error;
        broken.push({ path, problem: error.message });
      }
    }
    models.sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
    return { models, broken };
  }

  /** Pulls that have begun and not ended, by any process. */
  pending(): readonly PendingModel[] {
    const found: PendingModel[] = [];
    for (const path of this.#entries("pending")) {
      const one = readPending(path);
      if (one !== undefined) found.push(one);
    }
    return found;
  }

  /** @returns undefined for a model that is not there, or whose manifest is broken */
  find(name: ModelName): StoredModel | undefined {
    return this.list().models.find((model) => isSameModel(model.name, name));
  }

  /**
   * Keeps other processes from pulling or removing a model meanwhile; waits for one that pulls it.
   * @param onWait called once, when there is one
   * @throws the signal's reason
   */
  hold(name: ModelName, signal: AbortSignal, onWait: () => void): Promise<Lock> {
    return lock(this.#nameLock(name), signal, onWait);
  }

  #nameLock(name: ModelName): string {
    const hash = createHash("sha256").update(manifestParts(name).join("/")).digest("hex");
    return join(this.root, "locks", `name-${hash}.lock`);
  }

  /** Makes known what a pull is about to receive, so that no removal takes it away. */
  async begin(name: ModelName, pending: PendingModel, signal: AbortSignal): Promise<void> {
    using _ = await this.#lock(signal);
    this.#write("pending", name, pending);
  }

  /** Makes a model known that is whole. @returns the path of its manifest @throws ModelStoreError when it is not */
  async add(name: ModelName, manifest: ModelManifest, signal: AbortSignal): Promise<string> {
    using _ = await this.#lock(signal);
    const missing = manifest.files.find(({ sha256, bytes }) => this.blobBytes(sha256) !== bytes);
    if (missing !== undefined) {
      throw new ModelStoreError(
        "CHORALE_MODEL_STORE",
        `${missing.name} of ${manifest.name} was taken out of ${this.root} meanwhile; pull it again.`,
      );
    }
    const path = this.#write("manifests", name, manifest);
    rmSync(join(this.root, "pending", ...manifestParts(name)), { force: true });
    return path;
  }

  /** Keeps a file that is whole. */
  addBlob(sha256: string, content: Uint8Array): void {
    const target = this.blob(sha256);
    if (this.blobBytes(sha256) === content.byteLength) return;
    this.#writing(() => writeWhole(target, content, 0o444));
  }

  /** Moves a received file whose hash was checked to its place. */
  keep(sha256: string, path: string): void {
    this.#writing(() => {
      chmodSync(path, 0o444);
      renameSync(path, this.blob(sha256));
    });
  }

  /**
   * Forgets a model, or what a pull that did not end left of it, and removes the files that nothing else uses.
   * @returns undefined when there is neither
   * @throws ModelStoreError, with a code of its own while another process pulls it
   */
  async remove(name: ModelName, signal: AbortSignal): Promise<RemovedModel | undefined> {
    this.prepare();
    using held = tryLock(this.#nameLock(name));
    if (held === undefined) {
      throw new ModelStoreError(
        "CHORALE_MODEL_IN_USE",
        `Cannot remove ${modelNameText(name)}: another process pulls it. Accepted: when that has ended.`,
      );
    }
    using _ = await this.#lock(signal);
    const paths = ["manifests", "pending"]
      .map((folder) => join(this.root, folder, ...manifestParts(name)))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
    if (paths.length === 0) return undefined;
    const before = this.#blobsOf(this.find(name));
    this.#writing(() => {
      for (const path of paths) rmSync(path);
    });
    const freedBytes = this.#sweep();
    const sharedBytes = [...before]
      .map((sha256) => this.blobBytes(sha256) ?? 0)
      .reduce((sum, bytes) => sum + bytes, 0);
    return { freedBytes, sharedBytes };
  }

  /** A model under another name, without its bytes a second time. @throws ModelStoreError */
  async copy(from: StoredModel, to: ModelName, text: string, signal: AbortSignal): Promise<string> {
    using _ = await this.#lock(signal);
    return this.#write("manifests", to, { ...from.manifest, name: text });
  }

  #blobsOf(model: StoredModel | undefined): ReadonlySet<string> {
    return new Set(model?.manifest.files.map(({ sha256 }) => sha256));
  }

  /** Removes what no manifest and no pending pull uses. The caller holds the lock. @returns bytes that are free again */
  #sweep(): number {
    const used = new Set<string>();
    for (const { manifest } of this.list().models) {
      for (const { sha256 } of manifest.files) used.add(sha256);
    }
    for (const { files } of this.pending()) {
      for (const { sha256 } of files) if (sha256 !== null) used.add(sha256);
    }
    let freed = 0;
    const discard = (path: string): void => {
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) return;
      // What a sparse file takes, not what it will have.
      freed += Math.min(found.size, found.blocks * 512);
      rmSync(path);
    };
    this.#writing(() => {
      for (const name of readdirSync(join(this.root, "blobs"))) {
        const path = join(this.root, "blobs", name);
        if (name.endsWith(TEMPORARY) && isStale(path)) discard(path);
        const sha256 = name.replace(/^sha256-/, "");
        if (isSha256(sha256) && !used.has(sha256)) discard(path);
      }
      for (const name of readdirSync(join(this.root, "partial"))) {
        const sha256 = name.replace(/\.(?:data|journal)$/, "");
        if (!isSha256(sha256) || used.has(sha256)) continue;
        // A process that receives it holds this lock.
        using held = tryLock(this.partial(sha256).lock);
        if (held !== undefined) discard(join(this.root, "partial", name));
      }
    });
    return freed;
  }

  #entries(top: "manifests" | "pending"): readonly string[] {
    const found: string[] = [];
    const list = (folder: string, depth: number): void => {
      let entries: ReturnType<typeof readEntries>;
      try {
        entries = readEntries(folder);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
        throw storeError(`${folder} cannot be read`, cause);
      }
      for (const entry of entries) {
        if (found.length >= MAX_MODELS) return;
        const path = join(folder, entry.name);
        // Links are neither.
        if (depth < FOLDERS && entry.isDirectory()) list(path, depth + 1);
        if (depth === FOLDERS && entry.isFile() && entry.name.endsWith(".json")) found.push(path);
      }
    };
    list(join(this.root, top), 0);
    return found.sort();
  }

  #write(top: "manifests" | "pending", name: ModelName, content: object): string {
    const parts = manifestParts(name);
    this.#folder(top, ...parts.slice(0, FOLDERS));
    const path = join(this.root, top, ...parts);
    const text = `${JSON.stringify(content, null, 1)}\n`;
    this.#writing(() => writeWhole(path, Buffer.from(text), 0o644));
    return path;
  }

  /** Makes a folder of the store, each of whose parts is no link. */
  #folder(...parts: readonly string[]): void {
    this.#writing(() => {
      mkdirSync(this.root, { recursive: true, mode: 0o755 });
      let path = this.root;
      for (const part of parts) {
        path = join(path, part);
        const found = lstatSync(path, { throwIfNoEntry: false });
        if (found === undefined) mkdirSync(path, { recursive: true });
        else if (!found.isDirectory()) {
          throw new ModelStoreError(
            "CHORALE_MODEL_STORE",
            `Cannot use the folder of models ${this.root}: ${path} is a link or a file; accepted: a folder.`,
          );
        }
      }
    });
  }

  #lock(signal: AbortSignal): Promise<Lock> {
    this.#folder("locks");
    return lock(join(this.root, "locks", "store.lock"), signal);
  }

  #writing(action: () => void): void {
    try {
      action();
    } catch (cause) {
      if (cause instanceof ModelStoreError) throw cause;
      throw storeError(`the folder of models ${this.root} cannot be written`, cause);
    }
  }
}

/** Whether the process that wrote it has been killed: writing takes a moment. */
function isStale(path: string): boolean {
  return (
    Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > STALE_MS
  );
}

const readEntries = (folder: string) => readdirSync(folder, { withFileTypes: true });

/** Others see nothing or all of it. */
function writeWhole(path: string, content: Uint8Array, mode: number): void {
  const temporary = join(dirname(path), `.${randomUUID()}${TEMPORARY}`);
  try {
    const descriptor = openSync(temporary, "wx", mode);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function readPending(path: string): PendingModel | undefined {
  try {
    if (lstatSync(path).size > MAX_PENDING_BYTES) return undefined;
    const json = JSON.parse(readFileSync(path, "utf8")) as Partial<PendingModel> | null;
    const isPending =
      typeof json?.name === "string" &&
      Array.isArray(json.files) &&
      json.files.every(({ sha256, bytes }) => {
        return (sha256 === null || isSha256(sha256)) && Number.isSafeInteger(bytes);
      });
    return isPending ? (json as PendingModel) : undefined;
  } catch {
    return undefined;
  }
}

/** An error of the file system; a full disk has a code of its own. */
export function storeError(what: string, cause: unknown): ModelStoreError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const isFull = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
  return isFull
    ? new ModelStoreError("CHORALE_PULL_DISK", `The disk is full: ${what} (${code}).`, { cause })
    : new ModelStoreError("CHORALE_MODEL_STORE", `${capitalised(what)}: ${message}.`, { cause });
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
