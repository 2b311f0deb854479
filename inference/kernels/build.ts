/**
 * Builds the kernels: `npm run build:kernels` builds into a temporary folder and compares with the
 * committed bytes; with `-- --write` it replaces them and their provenance.
 *
 * Wanted: a rustc that has the target wasm32-unknown-unknown (rustup target add
 * wasm32-unknown-unknown), or one with the library sources beside it, from which `core` is compiled
 * first (Debian: apt-get install rustc-web rust-web-src lld-19). RUSTC and WASM_LD override what is
 * found. Users and tests need none of this: the built files are in the repository.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { KERNEL_NAMES } from "../wasm/kernels.ts";
import {
  BUILDS,
  type BuildName,
  PROVENANCE,
  type Provenance,
  readProvenance,
  sha256,
  sourceHash,
} from "./provenance.ts";

const TARGET = "wasm32-unknown-unknown";
const CRATE = fileURLToPath(new URL(".", import.meta.url));

const SHARED_FLAGS = [
  "--edition=2021",
  "--crate-type=rlib",
  `--target=${TARGET}`,
  "-Copt-level=3",
  "-Cpanic=abort",
  "-Ccodegen-units=1",
  // Unrolled, the inner loops become one block whose loads are all moved to its front: more live
  // vectors than there are registers. As loops they are 20 to 40 % faster.
  "-Cllvm-args=-unroll-full-max-count=1",
  // Nothing of the machine's paths may reach the bytes.
  "--remap-path-prefix=<crate>=/kernels",
];
const RELAXED_FLAGS = [...SHARED_FLAGS, "-Ctarget-feature=+simd128,+bulk-memory,+relaxed-simd"];
const RUSTC_FLAGS: Readonly<Record<BuildName, readonly string[]>> = {
  "kernels.wasm": RELAXED_FLAGS,
  // Without loop strength reduction, neighbouring loads of a loop keep one address and two offsets, which
  // V8's revectorizer wants. Without revectorization this is up to a tenth slower.
  "kernels-wide.wasm": [...RELAXED_FLAGS, "-Cllvm-args=-disable-lsr", "--cfg=wide"],
  "kernels-baseline.wasm": [...SHARED_FLAGS, "-Ctarget-feature=+simd128,+bulk-memory"],
};

const LINKER_FLAGS = [
  "--no-entry",
  "--gc-sections",
  "--strip-all",
  "--import-memory",
  "--shared-memory",
  "--max-memory=4294967296",
  // `core` is compiled without atomics; nothing here needs any, and the crate has no statics.
  "--no-check-features",
  // All instances of a memory would share one stack, so there must be none: with size 0 at address 0 the
  // first use of it is an access out of bounds.
  "-zstack-size=0",
  "--stack-first",
  ...KERNEL_NAMES.map((name) => `--export=${name}`),
];

type Toolchain = {
  readonly rustc: string;
  readonly version: string;
  readonly sysroot: string;
  readonly linker: readonly string[];
  readonly linkerVersion: string;
};

class BuildError extends Error {}

main(process.argv.slice(2));

function main(args: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "chorale-kernels-"));
  try {
    const write = args.includes("--write");
    const unknown = args.find((arg) => arg !== "--write" && arg !== "--check");
    if (unknown !== undefined) {
      throw new BuildError(`Unknown argument ${unknown}; accepted: --check (default), --write.`);
    }
    const toolchain = findToolchain(folder);
    const built = new Map(BUILDS.map((name) => [name, build(toolchain, name, folder)]));
    if (write) writeBuilds(toolchain, built);
    else compareBuilds(toolchain, built);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeBuilds(toolchain: Toolchain, built: ReadonlyMap<BuildName, Buffer>): void {
  const describe = (name: BuildName): Provenance["builds"][BuildName] => {
    const bytes = built.get(name) ?? Buffer.alloc(0);
    writeFileSync(join(CRATE, name), bytes);
    return { sha256: sha256(bytes), rustcFlags: RUSTC_FLAGS[name] };
  };
  const provenance: Provenance = {
    sourceSha256: sourceHash(),
    rustc: toolchain.version,
    linker: toolchain.linkerVersion,
    linkerFlags: LINKER_FLAGS,
    wasmOpt: null,
    builds: {
      "kernels.wasm": describe("kernels.wasm"),
      "kernels-wide.wasm": describe("kernels-wide.wasm"),
      "kernels-baseline.wasm": describe("kernels-baseline.wasm"),
    },
  };
  writeFileSync(PROVENANCE, `${JSON.stringify(provenance, null, 2)}\n`);
  for (const [name, bytes] of built) process.stdout.write(`${name}: ${bytes.length} bytes\n`);
}

function compareBuilds(toolchain: Toolchain, built: ReadonlyMap<BuildName, Buffer>): void {
  const committed = readProvenance();
  if (committed.sourceSha256 !== sourceHash()) {
    throw new BuildError(
      "The sources are not those of the committed builds: run npm run build:kernels -- --write.",
    );
  }
  for (const [name, bytes] of built) {
    if (bytes.equals(readFileSync(join(CRATE, name)))) {
      process.stdout.write(`${name}: ${bytes.length} bytes, the same as committed\n`);
      continue;
    }
    const sameTools =
      committed.rustc === toolchain.version && committed.linker === toolchain.linkerVersion;
    throw new BuildError(
      `${name} differs from the committed file. It was built with ${committed.rustc} and ` +
        `${committed.linker}; here: ${sameTools ? "the same" : `${toolchain.version} and ${toolchain.linkerVersion}`}.`,
    );
  }
}

function build(toolchain: Toolchain, name: BuildName, folder: string): Buffer {
  const object = join(folder, `${name}.o`);
  const out = join(folder, name);
  const flags = RUSTC_FLAGS[name].map((flag) => flag.replace("<crate>", CRATE));
  run(toolchain.rustc, [
    join(CRATE, "src/lib.rs"),
    "--crate-name=kernels",
    "--emit=obj",
    `--sysroot=${toolchain.sysroot}`,
    ...flags,
    "-o",
    object,
  ]);
  const [linker = "", ...flavor] = toolchain.linker;
  run(linker, [...flavor, object, ...LINKER_FLAGS, "-o", out]);
  return readFileSync(out);
}

function findToolchain(folder: string): Toolchain {
  const override = process.env["RUSTC"];
  const tried: string[] = [];
  for (const rustc of override === undefined ? ["rustc", "/usr/bin/rustc"] : [override]) {
    const version = firstLine(rustc, ["--version"]);
    const root = firstLine(rustc, ["--print", "sysroot"]);
    if (version === undefined || root === undefined) {
      tried.push(`${rustc}: does not run`);
      continue;
    }
    const library = join(root, "lib/rustlib/src/rust/library");
    const ready = existsSync(join(root, "lib/rustlib", TARGET, "lib"));
    if (!ready && !existsSync(join(library, "core/src/lib.rs"))) {
      tried.push(`${rustc} (${version}): neither the target ${TARGET} nor library sources`);
      continue;
    }
    const sysroot = ready ? root : compileCore(rustc, library, folder);
    return { rustc, version, sysroot, ...findLinker(rustc, root) };
  }
  throw new BuildError(
    `Cannot build the kernels: no usable rustc.\n  ${tried.join("\n  ")}\n` +
      `Accepted: rustup target add ${TARGET}; or Debian's rustc-web, rust-web-src and lld-19.`,
  );
}

function findLinker(
  rustc: string,
  root: string,
): { readonly linker: readonly string[]; readonly linkerVersion: string } {
  const host = /^host: (.*)$/m.exec(run(rustc, ["-vV"]))?.[1] ?? "";
  const override = process.env["WASM_LD"];
  const bundled = join(root, "lib/rustlib", host, "bin/rust-lld");
  const candidates =
    override === undefined
      ? [[bundled, "-flavor", "wasm"], ["wasm-ld"], ["wasm-ld-19"]]
      : [[override]];
  for (const linker of candidates) {
    const [command = "", ...flavor] = linker;
    const linkerVersion = firstLine(command, [...flavor, "--version"]);
    if (linkerVersion !== undefined) return { linker, linkerVersion };
  }
  throw new BuildError("Cannot link the kernels: there is no rust-lld, wasm-ld or wasm-ld-19.");
}

/** `core` and `compiler_builtins` for the target, from the library sources; about half a minute. */
function compileCore(rustc: string, library: string, folder: string): string {
  const sysroot = join(folder, "sysroot");
  const out = join(sysroot, "lib/rustlib", TARGET, "lib");
  mkdirSync(out, { recursive: true });
  const compile = (crate: string, source: string, extra: readonly string[]): void => {
    run(rustc, [
      `--crate-name=${crate}`,
      "--edition=2024",
      join(library, source),
      "--crate-type=rlib",
      `--target=${TARGET}`,
      "-Copt-level=3",
      "-Cpanic=abort",
      "--cap-lints=allow",
      `--out-dir=${out}`,
      `-Cmetadata=${crate}`,
      ...extra,
    ]);
  };
  compile("core", "core/src/lib.rs", []);
  compile("compiler_builtins", "compiler-builtins/compiler-builtins/src/lib.rs", [
    '--cfg=feature="compiler-builtins"',
    '--cfg=feature="mem"',
    `--sysroot=${sysroot}`,
  ]);
  return sysroot;
}

function run(command: string, args: readonly string[]): string {
  // The library sources use unstable features; a release compiler accepts them under this variable.
  const env = { ...process.env, RUSTC_BOOTSTRAP: "1" };
  const result = spawnSync(command, args, { encoding: "utf8", env, maxBuffer: 1 << 26 });
  if (result.error !== undefined || result.status !== 0) {
    const why = result.error?.message ?? result.stderr;
    throw new BuildError(`${command} ${args.join(" ")} failed:\n${why}`);
  }
  return result.stdout;
}

function firstLine(command: string, args: readonly string[]): string | undefined {
  const result = spawnSync(command, args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.split("\n")[0]?.trim() : undefined;
}
