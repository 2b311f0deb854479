import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { CheckpointError, ModelNotFoundError } from "../errors.ts";
import { bytesOf, type Dtype } from "./dtypes.ts";

// One read(2) moves at most 2 GiB; half of that keeps the loop honest on every system.
const MAX_READ_BYTES = 1 << 30;

/** A tensor in a file: row-major, outermost dimension first, little-endian. */
export interface Tensor {
  /** As the file calls it, for messages. */
  readonly name: string;
  /** The file it is in, for messages. */
  readonly path: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Of the first byte, from the start of the file. */
  readonly position: number;
  readonly file: TensorFile;
  /**
   * Fills all of `target` with the tensor's bytes from `byteOffset` on. The target may be a view of
   * shared memory: no second copy is made.
   * @throws CheckpointError when the range leaves the tensor or the file has become shorter
   */
  readInto(target: Uint8Array<ArrayBufferLike>, byteOffset?: number): void;
}

/** An open file as plain data, for other threads of this process: descriptors are the process's. */
export type OpenFile = {
  readonly path: string;
  readonly descriptor: number;
  readonly byteLength: number;
};

/** An open file of weights, read at positions; never at a cursor, so readers do not interfere. */
export class TensorFile {
  readonly path: string;
  readonly byteLength: number;
  #descriptor: number | undefined;

  /**
   * @param source a path, or a file that another thread has opened and keeps open for this one
   * @throws ModelNotFoundError when there is no regular file that can be read
   */
  constructor(source: string | OpenFile) {
    if (typeof source !== "string") {
      this.path = source.path;
      this.byteLength = source.byteLength;
      this.#descriptor = source.descriptor;
      return;
    }
    this.path = source;
    try {
      // Asked before opening: opening a pipe would wait for a writer.
      if (!statSync(source).isFile()) {
        throw new ModelNotFoundError(source, "it is not a regular file");
      }
      this.#descriptor = openSync(source, "r");
    } catch (error) {
      if (error instanceof ModelNotFoundError) throw error;
      throw new ModelNotFoundError(source, reasonOf(error), { cause: error });
    }
    this.byteLength = fstatSync(this.#descriptor).size;
  }

  /** @throws CheckpointError when it is closed */
  get open(): OpenFile {
    const { path, byteLength } = this;
    return { path, byteLength, descriptor: this.#opened("the file") };
  }

  /**
   * Fills `target` from `position` on.
   * @param what names what is read, for the message
   * @throws CheckpointError when the file ends before, or cannot be read
   */
  readInto(target: Uint8Array<ArrayBufferLike>, position: number, what: string): void {
    const descriptor = this.#opened(what);
    let done = 0;
    while (done < target.byteLength) {
      const length = Math.min(MAX_READ_BYTES, target.byteLength - done);
      const count = this.#read(descriptor, target, done, length, position + done, what);
      if (count === 0) {
        throw new CheckpointError(
          this.path,
          `the file ends at byte ${position + done}, inside ${what}, which reaches to byte ` +
            `${position + target.byteLength}. It was cut short; fetch it again.`,
          what,
        );
      }
      done += count;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #opened(what: string): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    throw new CheckpointError(this.path, `${what} was read after the checkpoint was closed.`);
  }

  #read(
    descriptor: number,
    target: Uint8Array<ArrayBufferLike>,
    offset: number,
    length: number,
    position: number,
    what: string,
  ): number {
    try {
      return readSync(descriptor, target, offset, length, position);
    } catch (cause) {
      const problem = `${what} could not be read: ${reasonOf(cause)}.`;
      throw new CheckpointError(this.path, problem, what, { cause });
    }
  }
}

/** A tensor at a known place in a file. */
export class StoredTensor implements Tensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly position: number;
  readonly file: TensorFile;

  constructor(
    name: string,
    dtype: Dtype,
    shape: readonly number[],
    file: TensorFile,
    position: number,
  ) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.byteLength = bytesOf(
      dtype,
      shape.reduce((a, b) => a * b, 1),
    );
    this.position = position;
    this.file = file;
  }

  get path(): string {
    return this.file.path;
  }

  readInto(target: Uint8Array<ArrayBufferLike>, byteOffset = 0): void {
    if (byteOffset < 0 || byteOffset + target.byteLength > this.byteLength) {
      throw new CheckpointError(
        this.path,
        `${target.byteLength} bytes at ${byteOffset} of ${this.name} were asked for, but it has ` +
          `${this.byteLength}.`,
        this.name,
      );
    }
    this.file.readInto(target, this.position + byteOffset, this.name);
  }

  /** What lies under one index of the outermost dimension, as a tensor without that dimension. */
  slice(index: number): StoredTensor {
    const [count = 1, ...inner] = this.shape;
    const position = this.position + index * (this.byteLength / count);
    return new StoredTensor(`${this.name}[${index}]`, this.dtype, inner, this.file, position);
  }

  /** Rows `start` … `start + count - 1` of the outermost dimension, as a tensor of its own. */
  rows(start: number, count: number): StoredTensor {
    const [rows = 1, ...inner] = this.shape;
    const rowBytes = this.byteLength / rows;
    return new StoredTensor(
      `${this.name}[${start}:${start + count}]`,
      this.dtype,
      [count, ...inner],
      this.file,
      this.position + start * rowBytes,
    );
  }
}

/** What a failed file operation says for itself: `ENOENT` → "there is nothing at this path". */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return "there is nothing at this path";
  if (code === "EACCES" || code === "EPERM") return "this user may not read it";
  return error instanceof Error ? error.message : String(error);
}
