/** Answers that come line by line: server-sent events, and JSON of one line each. */
import { PassingFailure } from "./http.ts";

/** A line is one token with what is told of it; a whole vocabulary of probabilities has some 30 MB. */
const MAX_LINE_BYTES = 64 << 20;

/**
 * Lines of UTF-8, without their ends (LF or CR LF). What stands behind the last end is a line as well.
 * @throws PassingFailure for a line that is too long; what the chunks throw
 */
export async function* lines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, void> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, from);
      if (end < 0) break;
      held.push(chunk.subarray(from, end));
      yield lineOf(held);
      held = [];
      heldBytes = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    held.push(chunk.subarray(from));
    heldBytes += chunk.length - from;
    if (heldBytes > MAX_LINE_BYTES) {
      throw new PassingFailure(`a line of the answer has more than ${MAX_LINE_BYTES} bytes`);
    }
  }
  if (held.length > 0) yield lineOf(held);
}

/** The data of server-sent events; several `data` lines of one event are one text with line feeds. */
export async function* eventData(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, void> {
  let data: string[] = [];
  for await (const line of lines(chunks)) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      data = [];
    } else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    // Older versions of llama-server name the field so.
    else if (line.startsWith("error:")) data.push(`{"error":${line.slice("error:".length)}}`);
  }
  if (data.length > 0) yield data.join("\n");
}

function lineOf(pieces: readonly Uint8Array[]): string {
  const text = Buffer.concat(pieces).toString("utf8");
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}
