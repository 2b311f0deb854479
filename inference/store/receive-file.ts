/**
 * One large file from a URL into the store: several parts at once, each asked for as a range, going on where an
 * earlier try ended; hashed while it comes. A server that knows no ranges is read from the beginning in one stream.
 */
import { ModelStoreError } from "../errors.ts";
import { HashThread } from "./hash-thread.ts";
import {
  type Answer,
  Failures,
  messageOf,
  PassingError,
  type Registry,
  request,
  shown,
  statusError,
} from "./http.ts";
import type { ModelStore } from "./model-store.ts";
import { PartialFile, type Piece } from "./partial-file.ts";

export type FileToReceive = {
  /** For messages. */
  readonly name: string;
  readonly url: URL;
  /** 64 hexadecimal digits: what the content must be. */
  readonly sha256: string;
  readonly bytes: number;
};

export type ReceiveOptions = {
  /** Requests at a time. Default 4. */
  readonly connections?: number | undefined;
  /** Default 16 MiB. */
  readonly pieceBytes?: number | undefined;
  readonly onProgress: (progress: { readonly hashing: boolean; readonly bytes: number }) => void;
};

const CONNECTIONS = 4;
/** Default; the pieces of `PartialFile`. */
const PIECE_BYTES = 16 << 20;
/** A piece has so many times what all connections together hold unwritten: that is what a killed process loses. */
const BLOCKS_OF_ALL = 4;
/** The file is received anew so often when its hash is another. */
const MOST_WRONG_HASHES = 1;
const OK = 200;
const PARTIAL_CONTENT = 206;

/**
 * @throws ModelStoreError: what was received so far stays for the next try, unless its hash is wrong;
 *   the signal's reason
 */
export async function receiveFile(
  store: ModelStore,
  file: FileToReceive,
  registry: Registry,
  options: ReceiveOptions,
): Promise<void> {
  const { pieceBytes = PIECE_BYTES } = options;
  const partial = await PartialFile.take(store, file, registry.signal, {
    pieceBytes,
    onWait: () => registry.onNote(`Another process receives ${file.name}; waiting for it.`),
  });
  try {
    // The process that was waited for may have received it.
    if (store.blobBytes(file.sha256) === file.bytes) {
      partial.discard();
      return;
    }
    for (let wrong = 0; ; wrong++) {
      const found = await new Reception(partial, file, registry, options).run();
      if (found === file.sha256) break;
      if (wrong === MOST_WRONG_HASHES) {
        partial.discard();
        throw new ModelStoreError(
          "CHORALE_PULL_HASH",
          `${file.name} from ${file.url.origin} is not what the registry promised and was not kept: its ` +
            `SHA-256 is ${found}, expected ${file.sha256}.`,
        );
      }
      registry.onNote(`The SHA-256 of ${file.name} is not the one expected; receiving it anew.`);
      await partial.reset();
    }
    await partial.keep();
  } finally {
    await partial.close();
  }
}

class Reception {
  readonly #partial: PartialFile;
  readonly #file: FileToReceive;
  readonly #registry: Registry;
  readonly #options: ReceiveOptions;
  readonly #failures: Failures;
  /** Ends all connections when one has failed for good. */
  readonly #stop = new AbortController();
  readonly #waiting: Piece[];
  readonly #connections: number;
  /** Of one connection, written at a time. */
  readonly #blockBytes: number;
  /** Where an earlier request was redirected to: the next one goes there at once. */
  #direct: URL | null = null;
  #knowsRanges = true;
  #hash: HashThread | undefined;

  constructor(
    partial: PartialFile,
    file: FileToReceive,
    registry: Registry,
    options: ReceiveOptions,
  ) {
    this.#partial = partial;
    this.#file = file;
    this.#options = options;
    const signal = AbortSignal.any([registry.signal, this.#stop.signal]);
    this.#registry = { ...registry, signal };
    const { retryMs, onNote } = registry;
    this.#failures = new Failures({ what: file.name, signal, retryMs, onNote });
    const { connections = CONNECTIONS, pieceBytes = PIECE_BYTES } = options;
    this.#connections = connections;
    this.#blockBytes = pieceBytes / BLOCKS_OF_ALL / connections;
    this.#waiting = partial.pieces.filter(({ done, bytes }) => done < bytes);
  }

  /** @returns the SHA-256 of what was received */
  async run(): Promise<string> {
    const { onProgress } = this.#options;
    const { bytes } = this.#file;
    let isComplete = false;
    await using hash = new HashThread(this.#partial.path, (hashed) => {
      if (isComplete) onProgress({ hashing: true, bytes: hashed });
    });
    this.#hash = hash;
    this.#advanceHash();
    await this.#all(Array.from({ length: this.#connections }, () => this.#connection()));
    if (!this.#knowsRanges) await this.#receiveWhole();
    isComplete = true;
    const { signal } = this.#registry;
    const end = (): void => void hash[Symbol.asyncDispose]();
    signal.addEventListener("abort", end, { once: true });
    try {
      return await hash.digest(bytes);
    } catch (cause) {
      signal.throwIfAborted();
      const problem = `${this.#partial.path} cannot be read: ${messageOf(cause)}.`;
      throw new ModelStoreError("CHORALE_MODEL_STORE", problem, { cause });
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** Waits until all have ended, so that no connection writes any more when the first error is thrown. */
  async #all(connections: readonly Promise<void>[]): Promise<void> {
    let first: { readonly error: unknown } | undefined;
    const ended = connections.map((one) =>
      one.catch((error: unknown) => {
        first ??= { error };
        this.#stop.abort(error);
      }),
    );
    await Promise.all(ended);
    if (first !== undefined) throw first.error;
  }

  async #connection(): Promise<void> {
    for (;;) {
      // In order, so that the hash follows closely.
      const piece = this.#waiting.shift();
      if (piece === undefined || !this.#knowsRanges) return;
      try {
        await this.#receivePiece(piece);
      } catch (error) {
        if (piece.done < piece.bytes) this.#waiting.unshift(piece);
        await this.#failures.add(error);
      }
    }
  }

  async #receivePiece(piece: Piece): Promise<void> {
    const first = piece.start + piece.done;
    const last = piece.start + piece.bytes - 1;
    const answer = await this.#request({ range: `bytes=${first}-${last}` });
    const { response, url } = answer;
    if (response.status === OK) {
      response.cancel();
      this.#knowsRanges = false;
      return;
    }
    if (response.status !== PARTIAL_CONTENT) throw this.#refused(answer);
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.header("content-range") ?? "");
    const [, from, to, total] = range ?? [];
    const isRight =
      Number(from) === first &&
      Number(to) === last &&
      (total === "*" || Number(total) === this.#file.bytes);
    if (!isRight) {
      response.cancel();
      const sent = response.header("content-range") ?? "none";
      throw new PassingError(
        `${shown(url)} sends another range (${sent.slice(0, 60)}) than bytes ${first}-${last} of ${this.#file.bytes}`,
      );
    }
    await this.#write(answer, piece, (block) => this.#partial.append(piece, block));
  }

  /** From a server without ranges: all of it, in one go. */
  async #receiveWhole(): Promise<void> {
    for (;;) {
      try {
        const answer = await this.#request({});
        if (answer.response.status !== OK) throw this.#refused(answer);
        await this.#partial.reset();
        const whole = { start: 0, bytes: this.#file.bytes, done: 0 };
        await this.#write(answer, whole, async (blocks) => {
          const bytes = blocks.reduce((sum, block) => sum + block.byteLength, 0);
          await this.#appendAcross(whole.done, Buffer.concat(blocks, bytes));
          whole.done += bytes;
        });
        return;
      } catch (error) {
        await this.#failures.add(error);
      }
    }
  }

  /** Bytes that may belong to several pieces. */
  async #appendAcross(position: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const at = position + done;
      const piece = this.#partial.pieces.find(({ start, bytes }) => at < start + bytes);
      if (piece === undefined) return;
      const count = Math.min(bytes.byteLength - done, piece.start + piece.bytes - at);
      await this.#partial.append(piece, [bytes.subarray(done, done + count)]);
      done += count;
    }
  }

  /** Reads a body into the file. What comes behind its end is not read: the hash says whether it is right. */
  async #write(
    { response, url }: Answer,
    wanted: { readonly bytes: number; done: number },
    append: (blocks: readonly Uint8Array[]) => Promise<void>,
  ): Promise<void> {
    let blocks: Uint8Array[] = [];
    let held = 0;
    let writing: Promise<void> = Promise.resolve();
    // One after the other: a body may break off while a block of it is still written.
    const flush = (): Promise<void> => {
      writing = writing.then(write);
      return writing;
    };
    const write = async (): Promise<void> => {
      if (held === 0) return;
      const full = blocks;
      blocks = [];
      held = 0;
      await append(full);
      this.#failures.progress();
      this.#advanceHash();
      this.#options.onProgress({ hashing: false, bytes: this.#partial.done });
    };
    const take = (chunk: Uint8Array): Promise<boolean> | boolean => {
      const left = wanted.bytes - wanted.done - held;
      const kept = chunk.byteLength > left ? chunk.subarray(0, left) : chunk;
      blocks.push(kept);
      held += kept.byteLength;
      if (chunk.byteLength > left) return false;
      return held < this.#blockBytes || flush().then(() => true);
    };
    let broken: unknown;
    try {
      await response.read(take);
    } catch (error) {
      if (error instanceof ModelStoreError) throw error;
      broken = error;
    }
    await flush();
    if (wanted.done === wanted.bytes) return;
    response.cancel();
    this.#registry.signal.throwIfAborted();
    const why = broken === undefined ? "the answer was cut off" : messageOf(broken);
    throw new PassingError(`${shown(url)}: ${why}`, undefined, { cause: broken });
  }

  async #request(headers: Readonly<Record<string, string>>): Promise<Answer> {
    const { url } = this.#file;
    const answer = await request(this.#registry, this.#direct ?? url, headers);
    const isDirect = this.#direct !== null;
    this.#direct = answer.response.status < 300 && answer.url.href !== url.href ? answer.url : null;
    // A signed address has its time.
    if (isDirect && answer.response.status >= 400 && answer.response.status < 500) {
      answer.response.cancel();
      throw new PassingError(`${shown(answer.url)} answers ${answer.response.status}`);
    }
    return answer;
  }

  #refused({ response, url }: Answer): Error {
    response.cancel();
    return statusError(response, url, this.#file.name);
  }

  #advanceHash(): void {
    let upTo = 0;
    for (const { start, bytes, done } of this.#partial.pieces) {
      upTo = start + done;
      if (done < bytes) break;
    }
    this.#hash?.advance(upTo);
  }
}
