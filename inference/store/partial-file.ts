/**
 * A file that is being received in pieces, in any order, and goes on where an earlier process ended. The data file has
 * its full length from the beginning and holes where nothing has come; the journal has a line for every block that was
 * written: which piece, and how many of its bytes are there. A process that is killed loses what it had received and
 * not written, less than a piece.
 *
 * After a crash of the machine the journal may know of bytes that never reached the disk: the hash of the whole file
 * tells, and it is received anew.
 */
import { constants, rmSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Lock } from "./lock.ts";
import { lock } from "./lock.ts";
import { type ModelStore, storeError } from "./model-store.ts";

export type Piece = {
  readonly index: number;
  /** Of its first byte in the file. */
  readonly start: number;
  readonly bytes: number;
  /** Bytes from its start that are there. */
  done: number;
};

/** Of a file made by this user alone; not one that a link leads to. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
const MAX_JOURNAL_BYTES = 64 << 20;
const SYNC_BYTES = 64 << 20;

export class PartialFile {
  readonly path: string;
  readonly bytes: number;
  readonly pieces: readonly Piece[];
  readonly #store: ModelStore;
  readonly #sha256: string;
  readonly #data: FileHandle;
  readonly #journal: FileHandle;
  readonly #lock: Lock;
  #journalEnd: number;
  /** Bytes since the disk was last told to keep them. */
  #unsynced = 0;
  #syncing: Promise<void> | undefined;

  private constructor(
    store: ModelStore,
    sha256: string,
    pieces: readonly Piece[],
    bytes: number,
    files: { readonly data: FileHandle; readonly journal: FileHandle; readonly lock: Lock },
    journalEnd: number,
  ) {
    this.#store = store;
    this.#sha256 = sha256;
    this.path = store.partial(sha256).data;
    this.pieces = pieces;
    this.bytes = bytes;
    this.#data = files.data;
    this.#journal = files.journal;
    this.#lock = files.lock;
    this.#journalEnd = journalEnd;
  }

  /**
   * Takes what an earlier try has left, or begins anew; waits while another process receives the same file.
   * @param options pieceBytes: of every piece but the last; onWait: called when another process has it
   * @throws ModelStoreError, the signal's reason
   */
  static async take(
    store: ModelStore,
    { sha256, bytes }: { readonly sha256: string; readonly bytes: number },
    signal: AbortSignal,
    { pieceBytes, onWait }: { readonly pieceBytes: number; readonly onWait: () => void },
  ): Promise<PartialFile> {
    const paths = store.partial(sha256);
    const held = await lock(paths.lock, signal, onWait);
    let data: FileHandle | undefined;
    let journal: FileHandle | undefined;
    try {
      data = await open(paths.data, FLAGS, 0o600);
      journal = await open(paths.journal, FLAGS, 0o600);
      const pieces = piecesOf(bytes, pieceBytes);
      const head = `${bytes} ${pieceBytes}\n`;
      const text = await readJournal(journal, data, bytes);
      let end = text.length;
      if (text.startsWith(head)) replay(text.slice(head.length), pieces);
      else {
        await data.truncate(0);
        await data.truncate(bytes);
        await journal.truncate(0);
        await journal.write(head, 0);
        end = head.length;
      }
      return new PartialFile(store, sha256, pieces, bytes, { data, journal, lock: held }, end);
    } catch (cause) {
      await data?.close();
      await journal?.close();
      held[Symbol.dispose]();
      throw storeError(`${paths.data} cannot be written`, cause);
    }
  }

  /** Bytes that are there. */
  get done(): number {
    return this.pieces.reduce((sum, { done }) => sum + done, 0);
  }

  /**
   * Writes what follows the bytes of a piece that are there.
   * @throws ModelStoreError, with a code of its own for a full disk
   */
  async append(piece: Piece, blocks: readonly Uint8Array[]): Promise<void> {
    const bytes = blocks.reduce((sum, block) => sum + block.byteLength, 0);
    try {
      await writeAll(this.#data, blocks, piece.start + piece.done, bytes);
      piece.done += bytes;
      const line = `${piece.index} ${piece.done}\n`;
      // A few bytes take longer to hand to another thread than to write.
      const written = writeSync(this.#journal.fd, line, this.#journalEnd);
      // The next line replaces what there is of this one.
      if (written < line.length) throw diskFull();
      this.#journalEnd += written;
    } catch (cause) {
      throw storeError(`${this.path} cannot be written`, cause);
    }
    this.#unsynced += bytes;
    if (this.#unsynced >= SYNC_BYTES) this.#syncEarly();
  }

  /** While the next bytes come: what is on the disk already need not be waited for at the end. */
  #syncEarly(): void {
    if (this.#syncing !== undefined) return;
    this.#unsynced = 0;
    // What is wrong with the disk is said by the one at the end.
    this.#syncing = this.#data.datasync().catch(() => {});
    void this.#syncing.then(() => {
      this.#syncing = undefined;
    });
  }

  /** Forgets all bytes. */
  async reset(): Promise<void> {
    for (const piece of this.pieces) piece.done = 0;
    const head = (await this.#firstLine()).length;
    await this.#journal.truncate(head);
    this.#journalEnd = head;
  }

  /** Makes it a blob. The caller has checked its hash. */
  async keep(): Promise<void> {
    try {
      await this.#data.datasync();
    } catch (cause) {
      throw storeError(`${this.path} cannot be written`, cause);
    }
    this.#store.keep(this.#sha256, this.path);
    rmSync(this.#store.partial(this.#sha256).journal, { force: true });
  }

  /** Throws it away. */
  discard(): void {
    rmSync(this.path, { force: true });
    rmSync(this.#store.partial(this.#sha256).journal, { force: true });
  }

  /** Leaves it for the next try, unless it was kept. */
  async close(): Promise<void> {
    await this.#syncing;
    await this.#data.close();
    await this.#journal.close();
    this.#lock[Symbol.dispose]();
  }

  async #firstLine(): Promise<string> {
    const { buffer, bytesRead } = await this.#journal.read(Buffer.alloc(64), 0, 64, 0);
    const text = buffer.toString("latin1", 0, bytesRead);
    return text.slice(0, text.indexOf("\n") + 1);
  }
}

/** Bytes of a file that an interrupted pull has left; 0 for none. For what a disk must still have. */
export async function receivedBytes(
  store: ModelStore,
  sha256: string,
  bytes: number,
): Promise<number> {
  const paths = store.partial(sha256);
  try {
    await using data = await open(paths.data, constants.O_RDONLY | constants.O_NOFOLLOW);
    await using journal = await open(paths.journal, constants.O_RDONLY | constants.O_NOFOLLOW);
    const text = await readJournal(journal, data, bytes);
    const [, total, pieceBytes] = /^(\d+) (\d+)\n/.exec(text) ?? [];
    if (Number(total) !== bytes || !(Number(pieceBytes) > 0)) return 0;
    const pieces = piecesOf(bytes, Number(pieceBytes));
    replay(text.slice(text.indexOf("\n") + 1), pieces);
    return pieces.reduce((sum, { done }) => sum + done, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw storeError(`${paths.data} cannot be read`, error);
  }
}

function piecesOf(bytes: number, pieceBytes: number): Piece[] {
  const count = Math.ceil(bytes / pieceBytes);
  return Array.from({ length: count }, (_, index) => {
    const start = index * pieceBytes;
    return { index, start, bytes: Math.min(pieceBytes, bytes - start), done: 0 };
  });
}

/** @returns nothing where the data file is not the one that the journal is about */
async function readJournal(journal: FileHandle, data: FileHandle, bytes: number): Promise<string> {
  const [{ size }, found] = await Promise.all([journal.stat(), data.stat()]);
  if (found.size !== bytes || size > MAX_JOURNAL_BYTES) return "";
  const buffer = Buffer.alloc(size);
  await journal.read(buffer, 0, size, 0);
  return buffer.toString("latin1");
}

/** A last line that was cut off counts for nothing; one that makes no sense, neither. */
function replay(text: string, pieces: readonly Piece[]): void {
  for (const [, index, done] of text.matchAll(/^(\d+) (\d+)\n/gm)) {
    const piece = pieces[Number(index)];
    if (piece !== undefined && Number(done) <= piece.bytes) {
      piece.done = Math.max(piece.done, Number(done));
    }
  }
}

function diskFull(): Error {
  return Object.assign(new Error("no space left on the disk"), { code: "ENOSPC" });
}

/** A write may do less than all: on a disk that is nearly full, the next one says so. */
async function writeAll(
  file: FileHandle,
  blocks: readonly Uint8Array[],
  position: number,
  bytes: number,
): Promise<void> {
  const { bytesWritten } = await file.writev(blocks as Uint8Array[], position);
  if (bytesWritten === bytes) return;
  const rest = Buffer.concat(blocks).subarray(bytesWritten);
  for (let done = 0; done < rest.byteLength; ) {
    const { bytesWritten: more } = await file.write(
      rest,
      done,
      rest.byteLength - done,
      position + bytesWritten + done,
    );
    if (more === 0) throw diskFull();
    done += more;
  }
}
