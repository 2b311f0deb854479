/**
 * Installs the clients of `package.json` beside it, once for each lock file. What a registry or a platform lacks is
 * left out; without a registry nothing is installed. Neither is a failure: the tests say what they skip.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { clientsFolder, manifestFolder } from "./installed.ts";

/** Downloads of a registry that is slow are given up: the tests are then skipped. */
const INSTALL_TIMEOUT_MS = 180_000;

const folder = clientsFolder();
if (existsSync(join(folder, "node_modules"))) console.log(`clients are installed in ${folder}`);
else install();

function install(): void {
  const beside = `${folder}.${process.pid}`;
  mkdirSync(dirname(folder), { recursive: true });
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside);
  for (const name of ["package.json", "package-lock.json"]) {
    cpSync(join(manifestFolder, name), join(beside, name));
  }
  // Not `npm ci`, which refuses a registry that lacks an optional package. No package needs its install script.
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  const { status, stderr, error } = spawnSync("npm", ["install", ...flags], {
    cwd: beside,
    stdio: ["ignore", "inherit", "pipe"],
    encoding: "utf8",
    timeout: INSTALL_TIMEOUT_MS,
    shell: process.platform === "win32",
  });
  if (status === 0) {
    renameSync(beside, folder);
    console.log(`clients were installed into ${folder}`);
    return;
  }
  rmSync(beside, { recursive: true, force: true });
  const why = error?.message ?? stderr.trim().split("\n").slice(0, 5).join("\n");
  console.log(`the clients could not be installed, so their tests are skipped: ${why}`);
}
