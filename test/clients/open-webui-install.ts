/**
 * Open WebUI from PyPI, without the packages that run models themselves: they bring gigabytes, and are loaded only
 * for embeddings, speech and recognized text.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clientsFolder } from "./installed.ts";

const OPEN_WEBUI = "0.12.4";
const UV = "0.13.9";
const LEFT_OUT =
  /^(?:accelerate|sentence-transformers|faster-whisper|einops|sentencepiece|opencv-python-headless|rapidocr)\b/;
/** Python's versions that the package takes. */
const PYTHONS = ["python3.12", "python3.11", "python3"];

const folder = (): string => join(clientsFolder(), `open-webui-${OPEN_WEBUI}`);
const bin = (name: string): string => join(folder(), "bin", name);
const finished = (): string => join(folder(), "is-complete");

/** The command; null: it is not installed. */
export const openWebuiCommand = (): string | null =>
  existsSync(finished()) ? bin("open-webui") : null;

/**
 * Installs it once.
 * @param remainingMs  what is left of the time for it
 * @throws Error that says what is missing
 */
export function installOpenWebui(remainingMs: () => number): void {
  if (openWebuiCommand() !== null) return;
  const python = PYTHONS.find((name) => {
    const { stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
    return /^Python 3\.1[12]\./.test(stdout ?? "");
  });
  if (python === undefined) throw new Error("it takes Python 3.11 or 3.12, and there is none");
  const step = (command: string, ...args: readonly string[]): void => {
    const { status, stderr, error } = spawnSync(command, args, {
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
      timeout: remainingMs(),
    });
    if (status === 0) return;
    throw new Error(error?.message ?? stderr.trim().split("\n").slice(-5).join("\n"));
  };
  rmSync(folder(), { recursive: true, force: true });
  mkdirSync(clientsFolder(), { recursive: true });
  step(python, "-m", "venv", folder());
  step(bin("pip"), "install", "--quiet", `uv==${UV}`);
  const install = (...what: readonly string[]): void =>
    step(bin("uv"), "pip", "install", "--quiet", "--python", bin("python"), ...what);
  install("--no-deps", `open-webui==${OPEN_WEBUI}`);
  const needed = join(folder(), "requirements.txt");
  writeFileSync(needed, requirements().join("\n"));
  install("-r", needed);
  writeFileSync(finished(), "");
}

/** What the package says that it needs, exact versions. */
function requirements(): readonly string[] {
  const show = "import importlib.metadata as m; print('\\n'.join(m.requires('open-webui') or []))";
  const { stdout } = spawnSync(bin("python"), ["-c", show], { encoding: "utf8" });
  return stdout
    .split("\n")
    .filter((line) => line !== "" && !line.includes("extra ==") && !LEFT_OUT.test(line));
}
