/**
 * Where the index of a folder is kept from one time to the next. Every index has a folder of its own,
 * `HASH-VERSION-RANDOM`, whose name is never used a second time: one that is removed while another process
 * has it open goes on to exist for that process, and nothing of it can meet the files of a later index.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

export type KeptIndexLimits = {
  /** Of all indexes together; the one in use is kept even where it is larger. */
  readonly maxBytes: number;
  /** An index that was not used for as long is removed. */
  readonly maxAgeMs: number;
};

const DEFAULT_LIMITS: KeptIndexLimits = {
  maxBytes: 4 * 2 ** 30,
  maxAgeMs: 60 * 24 * 60 * 60 * 1000,
};

const INDEX_FOLDER = /^[0-9a-f]{24}-\d+-[0-9a-f]{12}$/;
/** What is being removed; a process that was ended in the middle of that leaves it. */
const REMOVED = /^removed-[0-9a-f]{12}$/;

/**
 * The file of the index of a folder, in a folder that exists.
 *
 * @param state    folder of all indexes; it is made
 * @param root     real path of the documents
 * @param version  of the code that writes indexes: each version has its own
 * @throws an error of the file system when the folder cannot be made or written
 */
export async function keptIndexFile(state: string, root: string, version: number): Promise<string> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const prefix = `${createHash("sha256").update(root).digest("hex").slice(0, 24)}-${version}-`;
  let folder = await firstWith(state, prefix);
  if (folder === undefined) {
    const own = prefix + randomName();
    await mkdir(join(state, own), { mode: 0o700 });
    // Where another process made one at the same time, one of them is used by both.
    folder = (await firstWith(state, prefix)) ?? own;
    if (folder !== own) await rm(join(state, own), { recursive: true, force: true });
  }
  const now = new Date();
  await utimes(join(state, folder), now, now);
  return join(state, folder, "index.sqlite");
}

/** Removes an index that cannot be used. */
export async function removeKeptIndex(state: string, file: string): Promise<void> {
  await removeFolder(state, join(file, ".."));
}

/** Removes what was not used for long, and the indexes used longest ago until the others fit. */
export async function purgeKeptIndexes(
  state: string,
  inUse: string,
  { maxBytes, maxAgeMs }: KeptIndexLimits = DEFAULT_LIMITS,
): Promise<void> {
  const folders: { readonly path: string; readonly usedAt: number; readonly bytes: number }[] = [];
  for (const name of await readdir(state)) {
    const path = join(state, name);
    if (REMOVED.test(name)) await rm(path, { recursive: true, force: true });
    else if (INDEX_FOLDER.test(name)) folders.push({ path, ...(await measure(path)) });
  }
  const isOwn = ({ path }: { readonly path: string }): boolean => path === join(inUse, "..");
  folders.sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)) || b.usedAt - a.usedAt);
  let bytes = 0;
  for (const folder of folders) {
    bytes += folder.bytes;
    if (isOwn(folder)) continue;
    if (bytes > maxBytes || Date.now() - folder.usedAt > maxAgeMs) {
      await removeFolder(state, folder.path);
    }
  }
}

async function firstWith(state: string, prefix: string): Promise<string | undefined> {
  const names = await readdir(state);
  return names.filter((name) => name.startsWith(prefix) && INDEX_FOLDER.test(name)).sort()[0];
}

async function measure(folder: string): Promise<{ usedAt: number; bytes: number }> {
  // Another process may have removed it.
  const names = await readdir(folder).catch(() => []);
  const [own, ...files] = await Promise.all(
    ["", ...names].map((name) => stat(join(folder, name)).catch(() => undefined)),
  );
  const bytes = files.reduce((sum, file) => sum + (file?.size ?? 0), 0);
  return { usedAt: own?.mtimeMs ?? 0, bytes };
}

/** Under another name first: no process finds half of it. */
async function removeFolder(state: string, folder: string): Promise<void> {
  const removed = join(state, `removed-${randomName()}`);
  try {
    await rename(folder, removed);
    await rm(removed, { recursive: true, force: true });
  } catch {
    // Another process removed it, or has it open where that keeps a folder from being renamed.
  }
}

function randomName(): string {
  return randomBytes(6).toString("hex");
}
