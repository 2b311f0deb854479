/**
 * What cells print, in shared memory of fixed size. The interpreter's thread writes; the main thread of the
 * process can read at any moment, also while the other is in an endless loop. The beginning and the end
 * are kept, and what does not fit in between is counted.
 */

const HEAD_BYTES = 128 * 1024;
const TAIL_BYTES = 128 * 1024;
/** Counters in front of the bytes: the total in two halves, since it may pass 4 GiB. */
const COUNTERS = 2;
const WORD = 4;

/** Bytes that are kept, and how many between `head` and `tail` are not. */
type Kept = { readonly head: Uint8Array; readonly cut: number; readonly tail: Uint8Array };

export class OutputBuffer {
  readonly shared: SharedArrayBuffer;
  readonly #counters: Uint32Array;
  readonly #head: Uint8Array;
  /** A ring: byte n after the head lies at n mod TAIL_BYTES. */
  readonly #tail: Uint8Array;

  /** @param shared  the other thread's `shared`; absent: a new one */
  constructor(shared?: SharedArrayBuffer) {
    this.shared = shared ?? new SharedArrayBuffer(COUNTERS * WORD + HEAD_BYTES + TAIL_BYTES);
    this.#counters = new Uint32Array(this.shared, 0, COUNTERS);
    this.#head = new Uint8Array(this.shared, COUNTERS * WORD, HEAD_BYTES);
    this.#tail = new Uint8Array(this.shared, COUNTERS * WORD + HEAD_BYTES, TAIL_BYTES);
  }

  /** Bytes written so far, less those that were forgotten. */
  get length(): number {
    return (this.#counters[1] ?? 0) * 2 ** 32 + (this.#counters[0] ?? 0);
  }

  /** For the thread that writes. */
  write(bytes: Uint8Array): void {
    const total = this.length;
    const intoHead = Math.max(0, Math.min(bytes.length, HEAD_BYTES - total));
    if (intoHead > 0) this.#head.set(bytes.subarray(0, intoHead), total);
    // Of what comes after the head only the last TAIL_BYTES can survive.
    const rest = bytes.subarray(Math.max(intoHead, bytes.length - TAIL_BYTES));
    const start = (total + bytes.length - rest.length - HEAD_BYTES) % TAIL_BYTES;
    const untilEnd = Math.min(rest.length, TAIL_BYTES - start);
    if (rest.length > 0) {
      this.#tail.set(rest.subarray(0, untilEnd), start);
      this.#tail.set(rest.subarray(untilEnd), 0);
    }
    this.#setLength(total + bytes.length);
  }

  /**
   * Drops the first `count` bytes, those that have been read. For the thread that writes: nothing written
   * after they were read is lost.
   */
  forget(count: number): void {
    const { head, cut, tail } = this.#kept(count);
    this.#setLength(0);
    if (cut === 0) {
      this.write(head);
      this.write(tail);
      return;
    }
    // The line takes the place of the tail's first bytes, so that the buffer does not cut a second time.
    const line = Uint8Array.from(cutLine(cut + CUT_LINE_BYTES), (char) => char.charCodeAt(0));
    this.write(withoutPartialEnd(head));
    this.write(line);
    this.write(withoutPartialStart(tail.subarray(CUT_LINE_BYTES)));
  }

  /** What was written after the first `from` bytes, with a line in the middle that says what is missing. */
  read(from = 0): string {
    const { head, cut, tail } = this.#kept(from);
    if (cut === 0) {
      const whole = new Uint8Array(head.length + tail.length);
      whole.set(head);
      whole.set(tail, head.length);
      return decode(whole);
    }
    return `${decode(withoutPartialEnd(head))}${cutLine(cut)}${decode(withoutPartialStart(tail))}`;
  }

  #kept(from: number): Kept {
    const total = this.length;
    const wanted = Math.max(0, total - from);
    const head = this.#head.slice(Math.min(from, HEAD_BYTES), Math.min(total, HEAD_BYTES));
    const after = Math.max(0, total - HEAD_BYTES);
    const tail = new Uint8Array(Math.min(after, TAIL_BYTES, wanted));
    const start = (after - tail.length) % TAIL_BYTES;
    const untilEnd = Math.min(tail.length, TAIL_BYTES - start);
    tail.set(this.#tail.subarray(start, start + untilEnd));
    tail.set(this.#tail.subarray(0, tail.length - untilEnd), untilEnd);
    return { head, cut: wanted - head.length - tail.length, tail };
  }

  #setLength(value: number): void {
    this.#counters[0] = value % 2 ** 32;
    this.#counters[1] = Math.floor(value / 2 ** 32);
  }
}

/** More than `cutLine` has. */
const CUT_LINE_BYTES = 64;

const cutLine = (bytes: number): string => `\n[... ${bytes} bytes of output cut here ...]\n`;

/** Bytes that are no UTF-8 become U+FFFD: programs may print anything. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** Without the bytes of a character that was cut in two at the end. */
function withoutPartialEnd(bytes: Uint8Array): Uint8Array {
  let at = bytes.length - 1;
  while (at > bytes.length - 4 && at > 0 && isContinuation(bytes[at] ?? 0)) at--;
  const lead = bytes[at] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return at + length > bytes.length ? bytes.subarray(0, at) : bytes;
}

function withoutPartialStart(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (at < 3 && isContinuation(bytes[at] ?? 0)) at++;
  return bytes.subarray(at);
}
