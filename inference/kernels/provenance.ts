/** What `kernels.wasm.json` says about the committed builds, and how its source hash is made. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

export const BUILDS = ["kernels.wasm", "kernels-wide.wasm", "kernels-baseline.wasm"] as const;
export type BuildName = (typeof BUILDS)[number];

export type Provenance = {
  /** Of Cargo.toml and src/*.rs, as `sourceHash` makes it. */
  readonly sourceSha256: string;
  /** First line of `rustc --version`. */
  readonly rustc: string;
  /** First line of `wasm-ld --version`. */
  readonly linker: string;
  readonly linkerFlags: readonly string[];
  /** No optimiser runs after the linker. */
  readonly wasmOpt: null;
  readonly builds: Readonly<
    Record<BuildName, { readonly sha256: string; readonly rustcFlags: readonly string[] }>
  >;
};

export const PROVENANCE: URL = new URL("kernels.wasm.json", import.meta.url);

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Hash over every source file of the crate: name, NUL, content, NUL, in the order of the names. */
export function sourceHash(): string {
  const sources = readdirSync(new URL("src/", import.meta.url)).map((name) => `src/${name}`);
  const hash = createHash("sha256");
  for (const name of ["Cargo.toml", ...sources].sort()) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(new URL(name, import.meta.url)))
      .update("\0");
  }
  return hash.digest("hex");
}

export function readProvenance(): Provenance {
  return JSON.parse(readFileSync(PROVENANCE, "utf8")) as Provenance;
}
