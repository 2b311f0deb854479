/**
 * `TextEncoder` and `TextDecoder` for an isolate, which has neither: what Pyodide uses of them (UTF-8,
 * UTF-16LE, Latin-1; no streaming). Source: https://encoding.spec.whatwg.org/.
 */

const REPLACEMENT = 0xfffd;
/** Code units per `String.fromCharCode`: each is an argument, and those are on the stack. */
const UNITS_PER_CALL = 8192;

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;

/** The code point that begins at `at`; unpaired surrogates are U+FFFD. */
function codePointAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (isHighSurrogate(unit)) {
    const next = text.charCodeAt(at + 1);
    return isLowSurrogate(next) ? 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00) : REPLACEMENT;
  }
  return isLowSurrogate(unit) ? REPLACEMENT : unit;
}

const utf8Length = (codePoint: number): number =>
  codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;

export class Utf8Encoder {
  readonly encoding = "utf-8";

  encode(input: unknown = ""): Uint8Array {
    const text = `${input}`;
    // No code unit takes more than three bytes.
    const bytes = new Uint8Array(text.length * 3);
    return bytes.slice(0, this.encodeInto(text, bytes).written);
  }

  /** Writes whole characters while they fit; `read` counts code units. */
  encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    while (read < text.length) {
      const codePoint = codePointAt(text, read);
      const length = utf8Length(codePoint);
      if (written + length > target.length) break;
      writeUtf8(target, written, codePoint, length);
      written += length;
      read += codePoint > 0xffff ? 2 : 1;
    }
    return { read, written };
  }
}

function writeUtf8(target: Uint8Array, at: number, codePoint: number, length: number): void {
  if (length === 1) {
    target[at] = codePoint;
    return;
  }
  for (let i = length - 1; i > 0; i--) {
    target[at + i] = 0x80 | (codePoint & 0x3f);
    codePoint >>= 6;
  }
  target[at] = [0, 0, 0xc0, 0xe0, 0xf0][length]! | codePoint;
}

const ENCODINGS: Readonly<Record<string, "utf-8" | "utf-16le" | "latin1">> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  "utf-16le": "utf-16le",
  latin1: "latin1",
  "iso-8859-1": "latin1",
  ascii: "latin1",
};

export class BytesDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const encoding = ENCODINGS[`${label}`.toLowerCase()];
    if (encoding === undefined) throw new RangeError(`the encoding ${label} is not available`);
    this.encoding = encoding;
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
  }

  decode(input?: ArrayBuffer | ArrayBufferView): string {
    if (input === undefined) return "";
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const units = new UnitsToText();
    if (this.encoding === "latin1") for (const byte of bytes) units.push(byte);
    else if (this.encoding === "utf-16le") decodeUtf16(bytes, units);
    else decodeUtf8(bytes, this, units);
    return units.text();
  }
}

class UnitsToText {
  #units: number[] = [];
  #text = "";

  push(unit: number): void {
    if (this.#units.push(unit) >= UNITS_PER_CALL) this.#flush();
  }

  pushCodePoint(codePoint: number): void {
    if (codePoint < 0x10000) {
      this.push(codePoint);
      return;
    }
    this.push(0xd800 + ((codePoint - 0x10000) >> 10));
    this.push(0xdc00 + ((codePoint - 0x10000) & 0x3ff));
  }

  text(): string {
    this.#flush();
    return this.#text;
  }

  #flush(): void {
    this.#text += String.fromCharCode(...this.#units);
    this.#units = [];
  }
}

function decodeUtf16(bytes: Uint8Array, units: UnitsToText): void {
  for (let i = 0; i + 1 < bytes.length; i += 2) units.push(bytes[i]! | (bytes[i + 1]! << 8));
}

/** A wrong sequence gives one U+FFFD for its longest part that could have begun a character. */
function decodeUtf8(bytes: Uint8Array, { fatal, ignoreBOM }: BytesDecoder, out: UnitsToText): void {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  let i = hasMark && !ignoreBOM ? 3 : 0;
  while (i < bytes.length) {
    const lead = bytes[i++]!;
    if (lead < 0x80) {
      out.push(lead);
      continue;
    }
    const more =
      lead >= 0xc2 && lead < 0xe0
        ? 1
        : lead >= 0xe0 && lead < 0xf0
          ? 2
          : lead >= 0xf0 && lead < 0xf5
            ? 3
            : 0;
    let codePoint = lead & (0x3f >> more);
    // The second byte decides about overlong forms, surrogates and what lies beyond U+10FFFF.
    let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    let got = 0;
    while (got < more && i < bytes.length && bytes[i]! >= low && bytes[i]! <= high) {
      codePoint = (codePoint << 6) | (bytes[i]! & 0x3f);
      low = 0x80;
      high = 0xbf;
      got++;
      i++;
    }
    if (more > 0 && got === more) out.pushCodePoint(codePoint);
    else if (fatal) throw new TypeError("the bytes are not UTF-8");
    else out.push(REPLACEMENT);
  }
}
