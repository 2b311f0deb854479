/**
 * Packs this repository as `npm publish` would and installs the package into an empty project, as its user
 * would. The registry (or npm's cache) gives the dependencies; the tests of this folder need no network.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The file that `npm pack` wrote. */
    tarball: string;
    /** Folder of the project that the package is installed in. */
    project: string;
    /** Folder that `npm install --global` installed it in. */
    globalPrefix: string;
    /** State folder of the commands and programs. */
    home: string;
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url));

function npm(cwd: string, ...args: string[]): string {
  const { npm_config_global: _, ...env } = process.env;
  return execFileSync("npm", [...args, "--prefer-offline", "--no-audit", "--no-fund"], {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
  });
}

export default function setup({ provide }: TestProject): () => void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "chorale-package-")));
  const packed = JSON.parse(npm(root, "pack", "--json", "--silent", "--pack-destination", folder));
  const tarball = join(folder, packed[0].filename);

  const project = join(folder, "a project");
  mkdirSync(project);
  mkdirSync(join(folder, "state"));
  const manifest = { name: "a-project", private: true, type: "module" };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  npm(project, "install", tarball);

  const globalPrefix = join(folder, "global");
  npm(folder, "install", "--global", "--prefix", globalPrefix, tarball);

  provide("tarball", tarball);
  provide("project", project);
  provide("globalPrefix", globalPrefix);
  provide("home", join(folder, "state"));
  return () => rmSync(folder, { recursive: true, force: true });
}
