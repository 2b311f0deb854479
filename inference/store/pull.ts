/** Brings a model from a registry into the store. */
import { createHash } from "node:crypto";
import { parseConfig } from "../checkpoint/config.ts";
import { type ManifestFile, readManifest } from "../checkpoint/manifest.ts";
import { openCheckpoint } from "../checkpoint/open.ts";
import { formatBytes, ModelStoreError } from "../errors.ts";
import { fetchBytes, type HttpGet, type Registry } from "./http.ts";
import { explainDenial, readHuggingFaceModel } from "./huggingface.ts";
import type { ModelStore, PendingModel, StoredModel } from "./model-store.ts";
import { type ModelName, modelNameText, parseModelName } from "./names.ts";
import { readOllamaModel } from "./ollama-registry.ts";
import { receivedBytes } from "./partial-file.ts";
import type { PullProgress } from "./progress.ts";
import { receiveFile } from "./receive-file.ts";
import type { RegistryFile, RegistryModel } from "./registry-model.ts";

export type PullOptions = {
  readonly store: ModelStore;
  /** How requests are made. */
  readonly get: HttpGet;
  /** Where the model is instead of the host of its name: a mirror with the same URL layout. */
  readonly endpoint?: string | undefined;
  /** A key of the Hugging Face hub; it is sent to the endpoint alone. */
  readonly huggingFaceToken?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  /** Gets sentences for the person who watches. */
  readonly onNote?: ((sentence: string) => void) | undefined;
  /** Requests at a time. Default 4. */
  readonly connections?: number | undefined;
  /** Of which one request asks for one. Default 16 MiB. */
  readonly pieceBytes?: number | undefined;
  /** Before the first repetition of what failed. Default 500. */
  readonly retryMs?: number | undefined;
};

export type Pulled = {
  readonly model: StoredModel;
  /** What came over the network in this call. */
  readonly receivedBytes: number;
  /** The store had it already, as the registry has it now. */
  readonly wasPresent: boolean;
};

/** A file without a SHA-256 in the registry: git keeps only small ones in itself. */
const MAX_PLAIN_BYTES = 64 << 20;
/** Free bytes of the disk beyond those of the files. */
const DISK_MARGIN_BYTES = 64 << 20;

/**
 * @param text a name as `parseModelName` takes it
 * @throws ModelStoreError: what was received stays, and the next call goes on from there; CheckpointError and
 *   UnsupportedArchitectureError for a model that cannot be loaded; the signal's reason
 */
export async function pullModel(text: string, options: PullOptions): Promise<Pulled> {
  const { store, onProgress = () => {}, onNote = () => {} } = options;
  const signal = options.signal ?? new AbortController().signal;
  const name = parseModelName(text);
  const endpoint = registryEndpoint(name, options.endpoint);
  const { get, retryMs, huggingFaceToken } = options;
  const credentials =
    name.layout === "huggingface" && huggingFaceToken
      ? { origin: endpoint.origin, authorization: `Bearer ${huggingFaceToken}` }
      : undefined;
  const registry: Registry = { get, credentials, signal, retryMs, onNote };
  store.prepare();
  using _ = await store.hold(name, signal, () => {
    onNote(`Another process pulls ${modelNameText(name)}; waiting for it.`);
  });
  try {
    return await pullFrom(endpoint, name, registry, options, onProgress);
  } catch (error) {
    throw name.layout === "huggingface" ? explainDenial(name, endpoint, error) : error;
  }
}

async function pullFrom(
  endpoint: URL,
  name: ModelName,
  registry: Registry,
  options: PullOptions,
  onProgress: (progress: PullProgress) => void,
): Promise<Pulled> {
  const { store } = options;
  onProgress({ state: "manifest" });
  const found =
    name.layout === "huggingface"
      ? await readHuggingFaceModel(name, endpoint, registry)
      : await readOllamaModel(name, endpoint, registry);
  const present = store.find(name);
  if (present?.manifest.digest === found.digest && isWhole(store, present)) {
    onProgress({ state: "done" });
    return { model: present, receivedBytes: 0, wasPresent: true };
  }
  const pull = new Pull(name, found, registry, options, onProgress);
  const files = await pull.receiveAll();
  onProgress({ state: "writing" });
  const path = await store.add(name, manifestOf(name, found, files), registry.signal);
  checkLoadable(path);
  onProgress({ state: "done" });
  const model = { name, manifest: readManifest(path), path };
  return { model, receivedBytes: pull.received, wasPresent: false };
}

/** What is there must open; it stays nevertheless, since it is what was asked for. */
function checkLoadable(path: string): void {
  openCheckpoint(path).close();
}

/**
 * Where the registry of a name is.
 * @param given instead of the host of the name: a mirror
 * @throws ModelStoreError for what is no address
 */
export function registryEndpoint({ host }: ModelName, given?: string): URL {
  // Registries of this machine have no certificates.
  const isLocal = /^(?:localhost|127(?:\.\d+){3})(?::\d+)?$/.test(host);
  const url = URL.parse(given ?? `${isLocal ? "http" : "https"}://${host}`);
  const isAddress =
    (url?.protocol === "https:" || url?.protocol === "http:") && url.username + url.password === "";
  if (isAddress && url !== null && url.search + url.hash === "") return url;
  throw new ModelStoreError(
    "CHORALE_MODEL_NAME",
    `${JSON.stringify(given ?? host)} is no address of a registry; accepted: https://HOST or http://HOST, ` +
      "with a path where the registry lies in one.",
  );
}

function isWhole(store: ModelStore, { manifest }: StoredModel): boolean {
  return manifest.files.every(({ sha256, bytes }) => store.blobBytes(sha256) === bytes);
}

function manifestOf(
  name: ModelName,
  { format, source, license, digest }: RegistryModel,
  files: readonly ManifestFile[],
): Parameters<ModelStore["add"]>[1] {
  const pulledAt = new Date().toISOString();
  return { schema: 1, name: modelNameText(name), format, source, license, digest, pulledAt, files };
}

class Pull {
  received = 0;
  readonly #name: ModelName;
  readonly #model: RegistryModel;
  readonly #registry: Registry;
  readonly #options: PullOptions;
  readonly #onProgress: (progress: PullProgress) => void;
  readonly #hashes: Map<RegistryFile, string> = new Map();

  constructor(
    name: ModelName,
    model: RegistryModel,
    registry: Registry,
    options: PullOptions,
    onProgress: (progress: PullProgress) => void,
  ) {
    this.#name = name;
    this.#model = model;
    this.#registry = registry;
    this.#options = options;
    this.#onProgress = onProgress;
  }

  async receiveAll(): Promise<readonly ManifestFile[]> {
    const { files } = this.#model;
    const { store } = this.#options;
    await this.#begin();
    for (const file of files) if (file.sha256 === null) await this.#receivePlain(file);
    // Their hashes are known now: a removal by another process must leave them.
    await this.#begin();
    await this.#checkDisk();
    for (const file of files) {
      if (file.sha256 !== null) await this.#receiveLarge(file, file.sha256);
    }
    return files.map((file) => {
      const sha256 = file.sha256 ?? this.#hashes.get(file) ?? "";
      return { name: file.name, sha256, bytes: store.blobBytes(sha256) ?? file.bytes };
    });
  }

  async #begin(): Promise<void> {
    const files = this.#model.files.map((file) => {
      const { name, bytes } = file;
      return { name, sha256: file.sha256 ?? this.#hashes.get(file) ?? null, bytes };
    });
    const pending: PendingModel = { name: modelNameText(this.#name), files };
    await this.#options.store.begin(this.#name, pending, this.#registry.signal);
  }

  /** A small file, whose hash is git's. */
  async #receivePlain(file: RegistryFile): Promise<void> {
    const { name, url, bytes, gitOid } = file;
    if (bytes > MAX_PLAIN_BYTES) {
      throw new ModelStoreError(
        "CHORALE_PULL_REGISTRY",
        `The registry says of ${name} that it has ${bytes} bytes, without a SHA-256; accepted: at most ${MAX_PLAIN_BYTES}.`,
      );
    }
    const limits = { what: name, mostBytes: bytes };
    const content = (await fetchBytes(this.#registry, url, {}, limits)).bytes;
    const found = createHash("sha1")
      .update(`blob ${content.byteLength}\0`)
      .update(content)
      .digest("hex");
    if (found !== gitOid) {
      throw new ModelStoreError(
        "CHORALE_PULL_HASH",
        `${name} from ${url.origin} is not what the registry promised and was not kept: git's hash of it is ${found}, expected ${gitOid}.`,
      );
    }
    if (name === "config.json") parseConfig(parsed(content), name);
    const sha256 = createHash("sha256").update(content).digest("hex");
    this.#options.store.addBlob(sha256, content);
    this.#hashes.set(file, sha256);
    this.received += content.byteLength;
    this.#tell(file, content.byteLength);
  }

  async #receiveLarge(file: RegistryFile, sha256: string): Promise<void> {
    const { store, connections, pieceBytes } = this.#options;
    const { name, url, bytes } = file;
    if (store.blobBytes(sha256) === bytes) {
      this.#tell(file, bytes);
      return;
    }
    const before = await receivedBytes(store, sha256, bytes);
    let most = before;
    this.#tell(file, before);
    await receiveFile(store, { name, url, sha256, bytes }, this.#registry, {
      connections,
      pieceBytes,
      onProgress: ({ hashing, bytes: completed }) => {
        if (hashing) this.#onProgress({ state: "verifying", file: name, completed, total: bytes });
        else {
          most = Math.max(most, completed);
          this.#tell(file, completed);
        }
      },
    });
    this.received += most - before;
  }

  #tell(file: RegistryFile, completed: number): void {
    const { files } = this.#model;
    const before = files.slice(0, files.indexOf(file)).reduce((sum, { bytes }) => sum + bytes, 0);
    this.#onProgress({
      state: "receiving",
      file: file.name,
      digest: file.sha256,
      completed,
      total: file.bytes,
      modelCompleted: before + completed,
      modelTotal: files.reduce((sum, { bytes }) => sum + bytes, 0),
    });
  }

  /** @throws ModelStoreError before anything large is asked for */
  async #checkDisk(): Promise<void> {
    const { store } = this.#options;
    let needed = DISK_MARGIN_BYTES;
    for (const { sha256, bytes } of this.#model.files) {
      if (sha256 === null || store.blobBytes(sha256) === bytes) continue;
      needed += bytes - (await receivedBytes(store, sha256, bytes));
    }
    const free = store.freeBytes();
    if (needed <= free) return;
    throw new ModelStoreError(
      "CHORALE_PULL_DISK",
      `${modelNameText(this.#name)} needs ${formatBytes(needed)} on the disk of ${store.root}, which has ` +
        `${formatBytes(free)} free. Accepted: a smaller model, or CHORALE_HOME on a larger disk.`,
    );
  }
}

/** Undefined for what is no JSON: the architecture is then said to be unknown. */
function parsed(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString("utf8"));
  } catch {
    return undefined;
  }
}
