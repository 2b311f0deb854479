/** Where the clients of these tests are installed, and which of them are. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const manifestFolder: string = fileURLToPath(new URL("./", import.meta.url));

/**
 * A folder of the user's cache, for one lock file and one kind of machine: `CHORALE_TEST_CLIENTS` names another.
 * Outside of the repository, since it has more than a gigabyte and outlives a clone.
 */
export function clientsFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env["CHORALE_TEST_CLIENTS"];
  if (given) return given;
  const lock = readFileSync(join(manifestFolder, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex").slice(0, 16);
  const cache = env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "chorale-test-clients", `${digest}-${process.platform}-${process.arch}`);
}

/** The version of a package that is installed; null: npm could not install it, or was not asked to. */
function installedVersion(name: string): string | null {
  const path = join(clientsFolder(), "node_modules", name, "package.json");
  if (!existsSync(path)) return null;
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** Why clients cannot be tried; null: all of them are installed. */
export function missing(names: readonly string[]): string | null {
  const absent = names.filter((name) => installedVersion(name) === null);
  if (absent.length === 0) return null;
  return `${absent.join(", ")} not installed in ${clientsFolder()} (npm run test:clients installs what the registry has)`;
}
