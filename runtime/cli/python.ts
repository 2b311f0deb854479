/** The Python of a command, with the files that the user gives to it and gets from it. */
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  createPythonTool,
  type InputFile,
  openPythonPackages,
  PackageError,
  type PythonPackages,
  type PythonTool,
  pythonProblem,
  readInputFiles,
} from "../../tools/index.ts";
import type { Home } from "../home.ts";
import type { CommandContext } from "./command-context.ts";
import { packageFolder } from "./python-packages.ts";

export type PythonArguments = {
  /** Of `--file`: copies of these are what cells can read. */
  readonly files: readonly string[];
  /** Of `--artifacts`: where the files that cells write land. */
  readonly artifacts?: string;
  /** Of `--packages`: what cells may import; absent: all that are installed. */
  readonly packages?: readonly string[];
};

export type OpenedPython = {
  /** Absent where its sandbox is missing: the model is not offered what cannot run. */
  readonly python: PythonTool | undefined;
  /** For the developer message, when the user gave a file or a folder: where they are. */
  readonly briefing: string | undefined;
};

/** @throws ToolsError for a file or a package that cannot be given; nothing was started */
export async function openPython(
  { files: paths, artifacts, packages: allow }: PythonArguments,
  home: Home,
  { output, env }: Pick<CommandContext, "output" | "env">,
): Promise<OpenedPython> {
  const files = await readInputFiles(paths);
  const problem = pythonProblem();
  if (problem !== null) {
    output.note(problem);
    return { python: undefined, briefing: undefined };
  }
  const packages = await openPackages(allow, { output, env });
  const artifactFolder = artifacts === undefined ? newFolder(home) : resolve(artifacts);
  return {
    python: createPythonTool({
      cacheDir: home.path,
      files,
      artifactFolder,
      ...(packages && { packages }),
    }),
    briefing: briefing(files, artifacts !== undefined),
  };
}

/**
 * The packages that were named; else all that are installed, or none where those cannot be read.
 *
 * @throws PackageError for a name that is not installed
 */
export async function openPackages(
  named: readonly string[] | undefined,
  { output, env }: Pick<CommandContext, "output" | "env">,
): Promise<PythonPackages | undefined> {
  const folder = packageFolder(env);
  try {
    return await openPythonPackages({ folder, allow: named ?? "all" });
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    const { code, message, packages } = error;
    if (code === "CHORALE_PACKAGE_MISSING") {
      const install = `Install with: chorale python install ${packages.join(" ")}`;
      throw new PackageError(code, `${message} ${install}`, { packages, cause: error });
    }
    if (named !== undefined || code !== "CHORALE_PACKAGE_STORE") throw error;
    output.note(message);
    return undefined;
  }
}

/** Of this run alone; it is created with the first file. */
function newFolder(home: Home): string {
  // A temporary state folder goes with the run, and what the model made should not.
  const base = home.temporary ? join(tmpdir(), "chorale-artifacts") : join(home.path, "artifacts");
  const time = new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");
  return join(base, `${time}-${randomBytes(3).toString("hex")}`);
}

/** Only where the user asked for it: the trained prompt stays as it is otherwise. */
function briefing(files: readonly InputFile[], keepsFiles: boolean): string | undefined {
  const sentences: string[] = [];
  if (files.length > 0) {
    const list = files.map(({ name, bytes }) => `/mnt/data/${name} (${bytes.length} bytes)`);
    sentences.push(`Files of the user, readable in Python: ${list.join(", ")}.`);
  }
  if (keepsFiles || files.length > 0) {
    sentences.push("Files that Python code writes to /outputs are given to the user.");
  }
  return sentences.length === 0 ? undefined : sentences.join(" ");
}
