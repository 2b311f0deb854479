/**
 * Messages between the agent and a supervised process: a length, a kind, that many bytes. Lengths are
 * checked before anything is kept, so neither side can make the other hold more than it agreed to.
 */

/** `json`: a message; `bytes`: a memory snapshot, a file; `started`: the process runs, without payload. */
export type FrameKind = "json" | "bytes" | "started";
export type Frame = { readonly kind: FrameKind; readonly payload: Buffer };

/** u32 little-endian payload length, u8 kind. */
const HEADER_BYTES = 5;
const KINDS: readonly FrameKind[] = ["json", "bytes", "started"];

/** A message is a program, arguments or a bounded result; each fits with room to spare. */
export const MESSAGE_LIMIT_BYTES: number = 4 * 1024 * 1024;

export function encodeFrame(kind: FrameKind, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt8(KINDS.indexOf(kind), 4);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export function encodeMessage(message: unknown): Buffer {
  return encodeFrame("json", Buffer.from(JSON.stringify(message), "utf8"));
}

type FrameLimits = Readonly<Record<Exclude<FrameKind, "started">, number>>;

/** Puts frames together from chunks of any size. */
export class FrameReader {
  readonly #limits: FrameLimits;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Header of the frame that is being received. */
  #expect: { readonly kind: FrameKind; readonly length: number } | undefined;

  /** @param limits  most payload bytes of each kind; 0 refuses the kind */
  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** @throws RangeError for a frame of an unknown kind or over its limit; the stream is then lost */
  *push(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    for (;;) {
      if (this.#expect === undefined) {
        if (this.#held < HEADER_BYTES) return;
        this.#expect = this.#readHeader(this.#take(HEADER_BYTES));
      }
      const { kind, length } = this.#expect;
      if (this.#held < length) return;
      this.#expect = undefined;
      yield { kind, payload: this.#take(length) };
    }
  }

  #readHeader(header: Buffer): { kind: FrameKind; length: number } {
    const length = header.readUInt32LE(0);
    const kind = KINDS[header.readUInt8(4)];
    if (kind === undefined) throw new RangeError("a frame of an unknown kind");
    if (kind === "started") {
      if (length === 0) return { kind, length };
      throw new RangeError("a frame that has a payload and may have none");
    }
    const limit = this.#limits[kind];
    if (length > limit || limit === 0) {
      throw new RangeError(`a ${kind} frame of ${length} bytes, at most ${limit} are accepted`);
    }
    return { kind, length };
  }

  /** The first `length` of the held bytes; joins chunks once per frame, not once per chunk. */
  #take(length: number): Buffer {
    const joined = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = joined.length > length ? [joined.subarray(length)] : [];
    this.#held = joined.length - length;
    return joined.subarray(0, length);
  }
}
