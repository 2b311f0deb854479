/**
 * Builds llama-server once, from the source within `node-llama-cpp` of npm: for the CPU alone, without anything that
 * fetches. What is missing for that is said, and is no failure: the tests then say that they are skipped.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { llamaFolder, llamaServerPath, missingLlamaServer, SOURCE } from "./installed.ts";

/** Of one step; compiling takes 10 to 20 minutes of two cores. */
const STEP_MS = 90 * 60_000;

/** What a step needs, and what it is called where it is missing. */
const NEEDED = [
  ["git", ["git"]],
  ["cmake", ["cmake"]],
  ["tar", ["tar"]],
  ["a C++ compiler (g++ or clang++)", ["c++", "g++", "clang++"]],
  ["make or ninja", ["ninja", "make"]],
] as const;

/**
 * For one core as for all of them, on every machine of an architecture: sums in the same order, and no instructions of
 * the machine that compiles alone.
 */
const FLAGS = [
  "-DCMAKE_BUILD_TYPE=Release",
  "-DBUILD_SHARED_LIBS=OFF",
  "-DGGML_NATIVE=OFF",
  "-DGGML_OPENMP=OFF",
  "-DGGML_LLAMAFILE=OFF",
  "-DLLAMA_CURL=OFF",
  "-DLLAMA_OPENSSL=OFF",
  "-DLLAMA_BUILD_TESTS=OFF",
  "-DLLAMA_BUILD_EXAMPLES=OFF",
  "-DLLAMA_BUILD_UI=OFF",
  "-DLLAMA_USE_PREBUILT_UI=OFF",
] as const;

try {
  if (missingLlamaServer() !== null) build();
  console.log(`llama-server: ${llamaServerPath()}`);
} catch (error) {
  const why = error instanceof Error ? error.message : String(error);
  console.log(`llama-server was not built, so its tests are skipped: ${why}`);
}

function build(): void {
  const missing = NEEDED.filter(([, commands]) => !commands.some(isThere)).map(([name]) => name);
  if (missing.length > 0) throw new Error(`not found: ${missing.join(", ")}`);
  const folder = llamaFolder();
  mkdirSync(folder, { recursive: true });
  // A place of its own, so that two builds at once are not in each other's way.
  const work = mkdtempSync(join(folder, "build-"));
  try {
    const source = sourceIn(work);
    console.log(`compiling llama-server in ${work}, which takes a while`);
    const generator = isThere("ninja") ? ["-G", "Ninja"] : [];
    step(["cmake", "-S", source, "-B", join(work, "out"), ...generator, ...FLAGS]);
    const jobs = String(availableParallelism());
    step(["cmake", "--build", join(work, "out"), "--target", "llama-server", "-j", jobs]);
    const built = `${llamaServerPath()}.new`;
    const name = process.platform === "win32" ? "llama-server.exe" : "llama-server";
    copyFileSync(join(work, "out", "bin", name), built);
    renameSync(built, llamaServerPath());
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The source as a git work tree. @throws Error where the package has another bundle than the one that is known */
function sourceIn(work: string): string {
  step(["npm", "pack", `${SOURCE.package}@${SOURCE.version}`, "--silent"], work);
  step(["tar", "-xzf", `${SOURCE.package}-${SOURCE.version}.tgz`, "package/llama"], work);
  const bundle = join(work, "package", "llama", "gitRelease.bundle");
  const found = createHash("sha256").update(readFileSync(bundle)).digest("hex");
  if (found !== SOURCE.sha256) {
    throw new Error(`${bundle} has the SHA-256 ${found}; accepted: ${SOURCE.sha256}`);
  }
  step(["git", "-c", "advice.detachedHead=false", "clone", "--quiet", bundle, "source"], work);
  return join(work, "source");
}

function isThere(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** @throws Error with the last lines of what the command said */
function step(command: readonly string[], cwd?: string): void {
  const [program = "", ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 << 20,
    timeout: STEP_MS,
    shell: process.platform === "win32",
  });
  if (status === 0) return;
  const said = `${stdout ?? ""}\n${stderr ?? ""}`.trim().split("\n").slice(-12).join("\n");
  throw new Error(`${command.slice(0, 2).join(" ")}: ${error?.message ?? said}`);
}
