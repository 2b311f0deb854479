/**
 * Finding and loading isolated-vm. The agent only looks for its binary; supervised processes load it, by
 * its path, since they may read that one file and nothing around it.
 *
 * Version 7.0.1 or newer: before it, a guest could corrupt the host's memory (GHSA-864f-rcv7-6rh4).
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type IsolatedVm from "isolated-vm";
import { missingPackage } from "./optional-package.ts";

export type Ivm = typeof IsolatedVm;

export type IsolatedVmBinary =
  | { readonly path: string; readonly version: string }
  /** `problem`: a sentence. */
  | { readonly path: null; readonly problem: string };

/** The binary for this platform and this Node, whether or not it can be loaded. */
export function findIsolatedVm(): IsolatedVmBinary {
  const require = createRequire(import.meta.url);
  let folder: string;
  let version: string;
  try {
    const manifest = require.resolve("isolated-vm/package.json");
    folder = dirname(manifest);
    version = require(manifest).version;
  } catch {
    return { path: null, problem: missingPackage("isolated-vm") };
  }
  const platform = `${process.platform}-${process.arch}`;
  const libc =
    process.platform !== "linux" ? "" : existsSync("/etc/alpine-release") ? ".musl" : ".glibc";
  const prebuilt = `isolated-vm.abi${process.versions.modules}${libc}.node`;
  const candidates = [
    join(folder, "prebuilds", platform, prebuilt),
    join(folder, "build", "Release", "isolated_vm.node"),
  ];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path !== undefined) return { path, version };
  const problem = `isolated-vm ${version} has no binary for ${platform} and Node ${process.versions.node}.`;
  return { path: null, problem };
}

/**
 * For supervised processes only: a heap bomb in an isolate ends the process that it lives in. The process
 * gives up the permission to load any other native code.
 *
 * @param path  of `findIsolatedVm`; the process must have been launched with it as `addon`
 */
export function loadIsolatedVm(path: string): Ivm {
  const { ivm } = createRequire(import.meta.url)(path);
  // Not in the types of this version.
  const permission = process.permission as { drop?(scope: string): void } | undefined;
  permission?.drop?.("addon");
  return ivm;
}
