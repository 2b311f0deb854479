/** Questions of earlier chats, in the state folder: one JSON text per line, oldest first. */
import { appendFile, readFile, writeFile } from "node:fs/promises";
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

  /** @returns the last `limit` questions, oldest first; none where they cannot be read */
  async read(limit: number): Promise<readonly string[]> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => line !== "");
    if (lines.length > 2 * KEPT) {
      const kept = lines.slice(-KEPT);
      await writeFile(this.#path, `${kept.join("\n")}\n`, { mode: 0o600 }).catch(() => {});
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

  /** A history that cannot be written is no reason to stop a chat. */
  async add(question: string): Promise<void> {
    if (question.length > LONGEST) return;
    await appendFile(this.#path, `${JSON.stringify(question)}\n`, { mode: 0o600 }).catch(() => {});
  }
}
