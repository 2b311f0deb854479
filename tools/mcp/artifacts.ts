/**
 * Images, sounds and files of results, saved where the user can open them. Every name is made here: nothing of it
 * comes from a server.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "../core/text.ts";

export type McpArtifact = {
  /** The name in the folder. */
  readonly name: string;
  /** The file on this machine. */
  readonly path: string;
  readonly bytes: number;
  /** As the server said it. */
  readonly mimeType: string;
};

const MOST_FILES = 500;
const MOST_BYTES = 256 * 1024 * 1024;
const ENDINGS: Readonly<Record<string, string>> = {
  "application/json": "json",
  "application/pdf": "pdf",
  "application/zip": "zip",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "image/gif": "gif",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/svg+xml": "svg",
  "image/webp": "webp",
  "text/csv": "csv",
  "text/html": "html",
  "text/markdown": "md",
  "text/plain": "txt",
};
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

export class McpArtifacts {
  readonly #folder: string;
  #count = 0;
  #bytes = 0;

  /** @param folder  created with the first file */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * @param stem  of the name: letters, digits and dashes
   * @param data  base64
   * @throws Error with a sentence for the model
   */
  async save(stem: string, data: string, mimeType: string): Promise<McpArtifact> {
    if (!BASE64.test(data)) throw new Error("Its data is not base64.");
    const bytes = Buffer.from(data, "base64");
    if (this.#count >= MOST_FILES || this.#bytes + bytes.length > MOST_BYTES) {
      throw new Error(
        `A session can save ${MOST_FILES} files with ${formatBytes(MOST_BYTES)} together.`,
      );
    }
    const type = mimeType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
    const ending = ENDINGS[type] ?? "bin";
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      for (;;) {
        const name = `${stem}-${++this.#count}.${ending}`;
        const path = join(this.#folder, name);
        if (await isWritten(path, bytes)) {
          this.#bytes += bytes.length;
          return { name, path, bytes: bytes.length, mimeType: type };
        }
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The system's own message would name folders of the user.
      throw new Error(
        `The user's folder for files cannot be written (${code ?? "unknown reason"}).`,
      );
    }
  }
}

/** False where there is something of this name already. */
async function isWritten(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await writeFile(path, bytes, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
