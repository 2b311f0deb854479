/**
 * What a cell prints, in shared memory of fixed size: the interpreter's thread writes, the thread beside
 * it can read at any moment, also when the first is stuck in an endless loop. The beginning and the end
 * are kept; what does not fit in between is counted.
 */

const HEAD_BYTES = 128 * 1024;
const TAIL_BYTES = 128 * 1024;
/** Counters in front of the bytes: head used, total (two halves, since it may pass 4 GiB). */
const COUNTERS = 4;
const WORD = 4;

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

  clear(): void {
    this.#total = 0;
  }

  write(bytes: Uint8Array): void {
    const total = this.#total;
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
    this.#total = total + bytes.length;
  }

  /** Everything as text, with a line in the middle that says what is missing. */
  read(): string {
    const total = this.#total;
    if (total <= HEAD_BYTES) return decode(this.#head.slice(0, total));
    const after = total - HEAD_BYTES;
    if (after <= TAIL_BYTES) {
      const whole = new Uint8Array(total);
      whole.set(this.#head);
      whole.set(this.#tail.subarray(0, after), HEAD_BYTES);
      return decode(whole);
    }
    const split = after % TAIL_BYTES;
    const tail = new Uint8Array(TAIL_BYTES);
    tail.set(this.#tail.subarray(split));
    tail.set(this.#tail.subarray(0, split), TAIL_BYTES - split);
    const cut = after - TAIL_BYTES;
    const head = decode(withoutPartialEnd(this.#head.slice()));
    return `${head}\n[... ${cut} bytes of output cut here ...]\n${decode(withoutPartialStart(tail))}`;
  }

  get #total(): number {
    return (this.#counters[1] ?? 0) * 2 ** 32 + (this.#counters[0] ?? 0);
  }

  set #total(value: number) {
    this.#counters[0] = value % 2 ** 32;
    this.#counters[1] = Math.floor(value / 2 ** 32);
  }
}

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
