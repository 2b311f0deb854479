import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { CheckpointError, ModelNotFoundError } from "../errors.ts";
import { bytesOf, type Dtype } from "./dtypes.ts";
import type { Tensor } from "./tensors.ts";

// One read(2) moves at most 2 GiB; half of that keeps the loop honest on every system.
const MAX_READ_BYTES = 1 << 30;

/** An open file of weights, read at positions; never at a cursor, so tensors do not interfere. */
export class TensorFile {
  readonly path: string;
  readonly byteLength: number;
  #descriptor: number | undefined;

  /** @throws ModelNotFoundError when there is no regular file that can be read */
  constructor(path: string) {
    this.path = path;
    try {
      // Asked before opening: opening a pipe would wait for a writer.
      if (!statSync(path).isFile()) throw new ModelNotFoundError(path, "it is not a regular file");
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      if (error instanceof ModelNotFoundError) throw error;
      throw new ModelNotFoundError(path, reasonOf(error), { cause: error });
    }
    this.byteLength = fstatSync(this.#descriptor).size;
  }

  /**
   * Fills `target` from `position` on.
   * @param what names what is read, for the message
   * @throws CheckpointError when the file ends before
   */
  readInto(target: Uint8Array<ArrayBufferLike>, position: number, what: string): void {
    if (this.#descriptor === undefined) {
      throw new CheckpointError(this.path, `${what} was read after the checkpoint was closed.`);
    }
    let done = 0;
    while (done < target.byteLength) {
      const length = Math.min(MAX_READ_BYTES, target.byteLength - done);
      const count = readSync(this.#descriptor, target, done, length, position + done);
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
}

/** A tensor at a known place in a file. */
export class StoredTensor implements Tensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly position: number;
  readonly #file: TensorFile;

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
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
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
    this.#file.readInto(target, this.position + byteOffset, this.name);
  }

  /** Rows `start` … `start + count - 1` of the outermost dimension, as a tensor of its own. */
  rows(start: number, count: number): StoredTensor {
    const [rows = 1, ...inner] = this.shape;
    const rowBytes = this.byteLength / rows;
    return new StoredTensor(
      `${this.name}[${start}:${start + count}]`,
      this.dtype,
      [count, ...inner],
      this.#file,
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
