/** What the state folder holds: room, the file of conversations, Python's memory image and its packages. */
import { existsSync, readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { verifyPythonPackages } from "../../../tools/index.ts";
import { packageFolder, threadsPath } from "../../environment.ts";
import { messageOf } from "../../errors.ts";
import { openHome } from "../../home.ts";
import { SqliteThreadStore } from "../../index.ts";
import { type Check, size } from "./check.ts";

/** Less leaves no room for sessions and artifacts. */
const LITTLE_DISK_BYTES = 1024 ** 3;

export async function stateChecks(env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  let problem: string | null = null;
  const home = openHome(env, (sentence) => {
    problem = sentence;
  });
  try {
    if (problem !== null) {
      const mend = "Set CHORALE_HOME to a folder that can be written.";
      return [{ name: "state folder", status: "problem", detail: problem, mend }];
    }
    return [diskCheck(home.path), await threadsCheck(threadsPath(home)), snapshotCheck(home.path)];
  } finally {
    home.close();
  }
}

function diskCheck(folder: string): Check {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const isLow = free < LITTLE_DISK_BYTES;
  return {
    name: "state folder",
    status: isLow ? "note" : "ok",
    detail: `${folder} can be written; ${size(free)} of disk are free.`,
    ...(isLow && {
      mend: "Free some of the disk, or set CHORALE_HOME to a folder on a larger one.",
    }),
  };
}

/** The file is read whole, as SQLite itself checks it. */
async function threadsCheck(path: string): Promise<Check> {
  const name = "conversations";
  const { sqlite } = process.versions;
  if (!existsSync(path)) {
    try {
      await new SqliteThreadStore(":memory:").close();
      return { name, status: "ok", detail: `SQLite ${sqlite}; none are kept yet.` };
    } catch (error) {
      return { name, status: "problem", detail: messageOf(error) };
    }
  }
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const [row] = database.prepare("PRAGMA quick_check(1)").all();
    const found = String(row?.["quick_check"]);
    if (found !== "ok") throw new Error(found);
    await using store = new SqliteThreadStore(path);
    const threads = await store.list();
    const bytes = statSync(path).size;
    const detail = `SQLite ${sqlite}; ${threads.length} in ${path}, ${size(bytes)}.`;
    return { name, status: "ok", detail };
  } catch (error) {
    return {
      name,
      status: "problem",
      detail: `${path} is damaged or cannot be used: ${messageOf(error)}.`,
      mend: `Move it away (with the files beside it that begin with its name); sqlite3 ${path} .recover saves what can be saved.`,
    };
  }
}

/** Python starts from it in a fraction of the time. */
function snapshotCheck(folder: string): Check {
  const files = readdirSync(folder).filter((name) => /^python-.*\.snapshot$/.test(name));
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return {
    name: "python snapshot",
    status: "ok",
    detail:
      files.length > 0
        ? `${files.length} in the state folder, ${size(bytes)}.`
        : "None yet; the first Python call makes it, and takes a few seconds longer.",
  };
}

/** What Python can import beside its standard library; hashed, since a broken one fails when it is used. */
export async function packageCheck(env: NodeJS.ProcessEnv): Promise<Check> {
  const name = "python packages";
  try {
    const states = await verifyPythonPackages(packageFolder(env));
    const broken = states.filter(({ problems }) => problems.length > 0).map((one) => one.name);
    if (broken.length > 0) {
      return {
        name,
        status: "note",
        detail: `Broken: ${broken.join(", ")}.`,
        mend: `chorale python install ${broken.join(" ")}`,
      };
    }
    const detail =
      states.length === 0
        ? "None; chorale python install brings numpy, pandas and others."
        : `${states.length} installed: ${states.map((one) => one.name).join(", ")}.`;
    return { name, status: "ok", detail };
  } catch (error) {
    return { name, status: "note", detail: messageOf(error) };
  }
}
