/**
 * Installs the clients of `package.json` beside it, once for each lock file, and Open WebUI. What a registry or a
 * platform lacks is left out; without a registry nothing is installed. Neither is a failure: the tests say what they
 * skip.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clientsFolder, manifestFolder, missing } from "./installed.ts";
import { installOpenWebui } from "./open-webui-install.ts";

/** Of everything together: what a slow registry has not given by then is done without. */
const deadline = performance.now() + 200_000;
const remainingMs = (): number => Math.ceil(Math.max(1, deadline - performance.now()));

for (const [name, install] of [
  ["the clients of npm", installFromNpm],
  ["Open WebUI", () => installOpenWebui(remainingMs)],
] as const) {
  try {
    install();
    console.log(`${name}: installed in ${clientsFolder()}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.log(`${name}: not everything could be installed, so some tests are skipped: ${why}`);
  }
}

/** Does nothing where all of them are there; else what failed before is tried again. */
function installFromNpm(): void {
  const folder = clientsFolder();
  const { optionalDependencies } = JSON.parse(
    readFileSync(join(manifestFolder, "package.json"), "utf8"),
  ) as { optionalDependencies: Record<string, string> };
  const names = Object.keys(optionalDependencies);
  const finished = join(folder, "node_modules", ".is-complete");
  if (existsSync(finished)) return;
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) {
    cpSync(join(manifestFolder, name), join(folder, name));
  }
  // Not `npm ci`, which refuses a registry that lacks an optional package. No package needs its install script.
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  const { status, stderr, error } = spawnSync("npm", ["install", ...flags], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    encoding: "utf8",
    timeout: remainingMs(),
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    throw new Error(error?.message ?? stderr.trim().split("\n").slice(0, 5).join("\n"));
  }
  // Without a registry npm leaves all of them out and calls that a success.
  const reason = missing(names);
  if (reason !== null) throw new Error(reason);
  writeFileSync(finished, "");
}
