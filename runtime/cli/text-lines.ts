/** Lines of a stream of bytes, in constant memory. */

const NEWLINE = 0x0a;
const RETURN = 0x0d;

export type TextLine = {
  /** From 1. */
  readonly line: number;
  /** null: the line is longer than accepted, and was passed over. */
  readonly bytes: Buffer | null;
};

/**
 * Lines end with a line feed, or with a carriage return and a line feed; the last one may end with the stream.
 * Empty lines are left out.
 *
 * @param maxBytes  of a longer line no more than this is held
 */
export async function* textLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<TextLine> {
  let line = 1;
  let parts: Buffer[] = [];
  let held = 0;
  const take = (part: Buffer): void => {
    held += part.length;
    if (held <= maxBytes) parts.push(part);
    else parts = [];
  };
  const finish = (): TextLine | null => {
    const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const bytes = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
    const isTooLong = held > maxBytes;
    const at = line++;
    parts = [];
    held = 0;
    if (isTooLong) return { line: at, bytes: null };
    return bytes.length === 0 ? null : { line: at, bytes };
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const found = finish();
      if (found !== null) yield found;
    }
    if (from < chunk.length) take(chunk.subarray(from));
  }
  const last = held > 0 ? finish() : null;
  if (last !== null) yield last;
}
