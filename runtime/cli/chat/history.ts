/** Questions of earlier chats, in the state folder: one JSON text per line, oldest first. */
import { readFileSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const FILE = "chat-history.jsonl";
/** Questions that are kept, and twice as many before the file is cut. */
const KEPT = 1_000;
/** A longer one is a document. */
const LONGEST = 10_000;

export class ChatHistory {
  readonly #path: string;

  /** @param home the state folder */
  constructor(home: string) {
    this.#path = join(home, FILE);
  }

  /**
   * At once: the first key may be the one that brings back the last question.
   * @returns the last `limit` questions, oldest first; none where they cannot be read
   */
  read(limit: number): readonly string[] {
    const lines = this.#lines();
    if (lines.length > 2 * KEPT) {
      const kept = lines.slice(-KEPT);
      void writeFile(this.#path, `${kept.join("\n")}\n`, { mode: 0o600 }).catch(() => {});
    }
    return lines.slice(-limit).flatMap((line) => {
      try {
        const question: unknown = JSON.parse(line);
        return typeof question === "string" ? [question] : [];
      } catch {
        return [];
      }
    });
  }

  #lines(): readonly string[] {
    try {
      const lines = readFileSync(this.#path, "utf8").split("\n");
      return lines.filter((line) => line !== "");
    } catch {
      return [];
    }
  }

  /** A history that cannot be written is no reason to stop a chat. */
  async add(question: string): Promise<void> {
    if (question.length > LONGEST) return;
    await appendFile(this.#path, `${JSON.stringify(question)}\n`, { mode: 0o600 }).catch(() => {});
  }
}
