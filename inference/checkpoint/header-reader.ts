import { CheckpointError } from "../errors.ts";

/** Where bytes come from: a file, or for tests a piece of memory. */
export interface ByteSource {
  /** For messages. */
  readonly path: string;
  readonly byteLength: number;
  /** @throws CheckpointError when the source ends before */
  readInto(target: Uint8Array<ArrayBufferLike>, position: number, what: string): void;
}

const WINDOW_BYTES = 1 << 16;

/**
 * Reads a binary little-endian header from front to back through a window of fixed size, so that
 * nothing a header claims is ever allocated, only what the caller asks for.
 */
export class HeaderReader {
  readonly #source: ByteSource;
  readonly #window: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  /** Position of the window in the source, and how much of it is filled. */
  #start = 0;
  #filled = 0;
  #position: number;
  readonly #end: number;

  /** @param end position that the header may not pass; at most the source's size */
  constructor(source: ByteSource, position: number, end: number) {
    this.#source = source;
    this.#position = position;
    this.#end = end;
    this.#window = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(0, end - position)));
    this.#view = new DataView(this.#window.buffer);
  }

  /** Of the next byte, from the start of the source. */
  get position(): number {
    return this.#position;
  }

  /** Bytes between the position and the end. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** @param what names what is read, for messages */
  u32(what: string): number {
    return this.#view.getUint32(this.#take(4, what), true);
  }

  /** @throws CheckpointError also for a number that no double holds exactly */
  u64(what: string): number {
    const at = this.#take(8, what);
    const value = this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
    if (Number.isSafeInteger(value)) return value;
    throw new CheckpointError(this.#source.path, `${what} is beyond any file: ${value}.`);
  }

  /** A u64 length and as many bytes of UTF-8. */
  string(maxBytes: number, what: string): string {
    const length = this.u64(what);
    if (length > maxBytes) {
      throw new CheckpointError(
        this.#source.path,
        `${what} claims ${length} bytes; accepted: at most ${maxBytes}.`,
      );
    }
    const bytes = this.bytes(length, what);
    try {
      return UTF8.decode(bytes);
    } catch (cause) {
      throw new CheckpointError(this.#source.path, `${what} is not UTF-8.`, undefined, { cause });
    }
  }

  /** @param count bounded by the caller */
  bytes(count: number, what: string): Uint8Array<ArrayBuffer> {
    this.#check(count, what);
    const out = new Uint8Array(count);
    if (this.#position + count <= this.#start + this.#filled) {
      const at = this.#position - this.#start;
      out.set(this.#window.subarray(at, at + count));
    } else {
      this.#source.readInto(out, this.#position, what);
    }
    this.#position += count;
    return out;
  }

  skip(count: number, what: string): void {
    this.#check(count, what);
    this.#position += count;
  }

  /** Steps over strings. */
  skipStrings(count: number, what: string): void {
    for (let i = 0; i < count; i++) this.skip(this.u64(what), what);
  }

  /** Brings `count` bytes into the window; returns where in it they are. */
  #take(count: number, what: string): number {
    this.#check(count, what);
    if (this.#position + count > this.#start + this.#filled || this.#position < this.#start) {
      this.#start = this.#position;
      this.#filled = Math.min(this.#window.length, this.left);
      this.#source.readInto(this.#window.subarray(0, this.#filled), this.#start, "the header");
    }
    const at = this.#position - this.#start;
    this.#position += count;
    return at;
  }

  #check(count: number, what: string): void {
    if (count <= this.left) return;
    const reason =
      this.#end === this.#source.byteLength
        ? `the file ends at byte ${this.#end}. It was cut short; fetch it again.`
        : `a header may end at byte ${this.#end} at the latest.`;
    throw new CheckpointError(
      this.#source.path,
      `${what} reaches from byte ${this.#position} to ${this.#position + count}, but ${reason}`,
    );
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
