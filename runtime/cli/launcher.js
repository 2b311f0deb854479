#!/usr/bin/env node
// The `chorale` command. This file runs on the Node that is first in PATH, so it is plain JavaScript in
// the syntax of Node 12. Chorale itself needs the Node named below. In a clone of the repository, where
// `npm install` puts that Node into node_modules, an older one runs it instead, with the same terminal and
// signals.

// biome-ignore lint/style/useNodejsImportProtocol: the prefix is unknown to the Nodes this must run on
import { spawn } from "child_process";
// biome-ignore lint/style/useNodejsImportProtocol: as above
import { existsSync, mkdirSync } from "fs";
// biome-ignore lint/style/useNodejsImportProtocol: as above
import { constants, homedir } from "os";
// biome-ignore lint/style/useNodejsImportProtocol: as above
import { delimiter, dirname, isAbsolute, join } from "path";
// biome-ignore lint/style/useNodejsImportProtocol: as above
import { fileURLToPath } from "url";

const NEEDED_MAJOR = 24;
const here = dirname(fileURLToPath(import.meta.url));
/** Whether this is a clone, which runs its sources; the installed package has JavaScript instead. */
const isClone = existsSync(join(here, "main.ts"));

if (Number(process.versions.node.split(".")[0]) >= NEEDED_MAJOR) {
  // Until the command says otherwise: Node also ends, with 0, when everything left waits for nothing.
  process.exitCode = 1;
  if (isClone) goToCaller();
  keepCompiledCode()
    .then(findOwnPackage)
    .then(() => import(isClone ? "./main.ts" : "./main.js"))
    .then((cli) => cli.main(process.argv.slice(2)));
} else {
  const newer = isClone ? installedNode() : null;
  // The variable stops a second round if the installed Node is itself too old.
  if (newer === null || process.env.CHORALE_RELAUNCHED === "1") {
    const clone = `run \`npm install\` in ${join(here, "..", "..")}, which brings its own Node, or `;
    process.stderr.write(
      `chorale: Node ${NEEDED_MAJOR} or newer is needed, and this is ${process.versions.node}: ` +
        `${isClone ? clone : ""}install Node ${NEEDED_MAJOR} from https://nodejs.org.\n`,
    );
    process.exitCode = 2;
  } else {
    relaunch(newer);
  }
}

/**
 * Has Node keep what it makes of Chorale's files before it runs them, which is more than half of what a
 * start takes: in the state folder (`runtime/home.ts` says which), once there is one; in a clone without one,
 * where the types have to be taken out of the sources as well, among the packages.
 */
function keepCompiledCode() {
  const data = process.env.XDG_DATA_HOME || "";
  const share = isAbsolute(data) ? data : join(homedir(), ".local", "share");
  const home = process.env.CHORALE_HOME || join(share, "chorale");
  const packages = join(here, "..", "..", "node_modules");
  const isKept = existsSync(home);
  let folder = join(home, "compiled");
  try {
    if (!isKept) {
      if (!isClone || !existsSync(packages)) return Promise.resolve();
      folder = join(packages, ".cache", "chorale");
    }
    // In a folder like /proc, making one with those above it would never end.
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700, recursive: !isKept });
  } catch (_error) {
    // Nothing can be kept there, which only costs time.
    return Promise.resolve();
  }
  // biome-ignore lint/style/useNodejsImportProtocol: as above
  return import("module").then(({ enableCompileCache }) => enableCompileCache(folder));
}

/**
 * Lets a module that Chorale is given (`--tool FILE.ts`) import "chorale" from anywhere: the package that is
 * installed where the module lies, else this one. In a clone, where there is nothing built, the condition
 * `chorale-source` in package.json names the sources.
 */
function findOwnPackage() {
  // biome-ignore lint/style/useNodejsImportProtocol: as above
  return import("module").then(({ registerHooks }) => {
    registerHooks({
      resolve: (specifier, context, next) => {
        if (!/^chorale(\/|$)/.test(specifier)) return next(specifier, context);
        const conditions = isClone
          ? context.conditions.concat("chorale-source")
          : context.conditions;
        try {
          return next(specifier, Object.assign({}, context, { conditions: conditions }));
        } catch (error) {
          if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
          const here = { conditions: conditions, parentURL: import.meta.url };
          return next(specifier, Object.assign({}, context, here));
        }
      },
    });
  });
}

/** npm runs a script of package.json in the folder of that file; paths are meant from where npm was called. */
function goToCaller() {
  const { INIT_CWD, npm_lifecycle_event } = process.env;
  if (npm_lifecycle_event !== "chorale" || !INIT_CWD) return;
  try {
    process.chdir(INIT_CWD);
  } catch (_error) {
    // The folder is gone; the paths in it as well.
  }
}

/** Path of the binary of the npm package `node`, looked for upwards from here; null if there is none. */
function installedNode() {
  const name = join(
    "node_modules",
    "node",
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  for (let folder = here; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return join(folder, name);
    if (dirname(folder) === folder) return null;
  }
}

/** Runs this file with `node`; its exit code or signal becomes ours. */
function relaunch(node) {
  const env = Object.assign({}, process.env, {
    CHORALE_RELAUNCHED: "1",
    CHORALE_CALLER: String(process.ppid),
    PATH: dirname(node) + delimiter + (process.env.PATH || ""),
  });
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), {
    stdio: "inherit",
    env: env,
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  signals.forEach((signal) => {
    // Having a handler also keeps this process alive until the child has ended in its own way.
    process.on(signal, () => {
      child.kill(signal);
    });
  });
  child.on("error", (error) => {
    process.stderr.write(`chorale: cannot run ${node}: ${error.message}\n`);
    process.exit(2);
  });
  child.on("exit", (code, signal) => {
    process.exit(code === null ? 128 + (constants.signals[signal] || 0) : code);
  });
}
