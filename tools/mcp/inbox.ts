/**
 * What a server sends, on its way to the SDK. The server is not trusted: what is no message is counted and left
 * out, and one that sends nothing else, or far more than anyone could mean, is given up.
 */
import { messageOf } from "../core/text.ts";
import { deserializeMessage, type JSONRPCMessage } from "./sdk.ts";
import { untrustedLine } from "./untrusted-text.ts";

/** Of one message. A result with a large image has a few megabytes. */
export const MESSAGE_LIMIT_BYTES: number = 16 * 1024 * 1024;
/** Arrays of messages were part of the protocol's revision 2025-03-26. */
const MOST_IN_BATCH = 100;
/** Limits of a second. Programs print to the wrong stream by mistake, but not this much. */
const WINDOW_MS = 1000;
const MOST_MESSAGES = 2_000;
const MOST_JUNK_LINES = 5_000;
const MOST_JUNK_BYTES = 1024 * 1024;
/** A line that begins otherwise is no message, which is not worth an attempt to parse it. */
const MAY_BE_JSON = /^\s*[[{]/;

/** The server is given up; the message is the end of a sentence: "it …". */
class InboxError extends Error {}

export class Inbox {
  readonly #deliver: (message: JSONRPCMessage) => void;
  readonly #onProblem: (problem: Error) => void;
  #windowStart = 0;
  #messages = 0;
  #junkLines = 0;
  #junkBytes = 0;

  /**
   * @param deliver  gets each message
   * @param onProblem  gets what was wrong with what is left out
   */
  constructor(deliver: (message: JSONRPCMessage) => void, onProblem: (problem: Error) => void) {
    this.#deliver = deliver;
    this.#onProblem = onProblem;
  }

  /** @throws InboxError for more than a server could mean */
  takeLine(line: string): void {
    this.#openWindow();
    if (!MAY_BE_JSON.test(line)) {
      this.#junk(line, null);
      return;
    }
    let messages: readonly JSONRPCMessage[];
    try {
      messages = messagesOf(line);
    } catch (error) {
      this.#junk(line, error);
      return;
    }
    this.#messages += messages.length;
    if (this.#messages > MOST_MESSAGES) {
      throw new InboxError(`it sent more than ${MOST_MESSAGES} messages within a second`);
    }
    for (const message of messages) this.#hand(message);
  }

  /** What the SDK makes of a message must not end this process. */
  #hand(message: JSONRPCMessage): void {
    try {
      this.#deliver(message);
    } catch (error) {
      this.#onProblem(new Error(`a message could not be read: ${messageOf(error)}`));
    }
  }

  #junk(line: string, problem: unknown): void {
    this.#junkLines++;
    this.#junkBytes += line.length;
    if (this.#junkLines > MOST_JUNK_LINES || this.#junkBytes > MOST_JUNK_BYTES) {
      throw new InboxError("it floods its standard output with what are no messages");
    }
    const why = problem === null ? untrustedLine(line, 100) : messageOf(problem);
    if (line !== "") this.#onProblem(new Error(`a line is no message: ${why}`));
  }

  #openWindow(): void {
    const now = performance.now();
    if (now - this.#windowStart <= WINDOW_MS) return;
    this.#windowStart = now;
    this.#messages = 0;
    this.#junkLines = 0;
    this.#junkBytes = 0;
  }
}

function messagesOf(line: string): readonly JSONRPCMessage[] {
  if (!line.trimStart().startsWith("[")) return [deserializeMessage(line)];
  const batch: unknown = JSON.parse(line);
  if (!Array.isArray(batch) || batch.length > MOST_IN_BATCH) {
    throw new Error(`a batch of more than ${MOST_IN_BATCH} messages`);
  }
  return batch.map((message) => deserializeMessage(JSON.stringify(message)));
}
