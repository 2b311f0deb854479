/** `chorale python install|list|verify`: packages that the model's Python may import. */
import {
  installPythonPackages,
  listPythonPackages,
  PackageError,
  type PackageErrorCode,
  type PackageProgress,
  verifyPythonPackages,
} from "../../tools/index.ts";
import { packageFolder } from "../environment.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Output } from "./output.ts";
import { visibleText } from "./terminal-text.ts";

export type InstallArguments = {
  readonly names: readonly string[];
  readonly from?: string | undefined;
  readonly lock?: string | undefined;
  readonly json: boolean;
};

/** Errors of the network or a mirror: nothing on the command line is wrong. */
const NOT_OF_THE_COMMAND_LINE: ReadonlySet<string> = new Set<PackageErrorCode>([
  "CHORALE_PACKAGE_DOWNLOAD",
  "CHORALE_PACKAGE_HASH",
  "CHORALE_PACKAGE_ARCHIVE",
]);

/**
 * Progress goes to stderr, what is there in the end to stdout.
 *
 * @throws PackageError for names, a lock file or a folder that the user has to correct
 */
export async function installCommand(
  { names, from, lock, json }: InstallArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const folder = packageFolder(env);
  try {
    const { installed, present } = await installPythonPackages({
      names,
      ...(from !== undefined && { from }),
      ...(lock !== undefined && { lock }),
      folder,
      signal,
      onProgress: watchInstalling(output),
    });
    if (json) {
      output.jsonLine({ folder, installed, present });
      return EXIT.ok;
    }
    for (const { name, version, bytes } of installed) {
      output.line(`Installed ${name} ${version} (${size(bytes)}).`);
    }
    for (const { name, version } of present) output.line(`${name} ${version} is there already.`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof PackageError) || !NOT_OF_THE_COMMAND_LINE.has(error.code)) throw error;
    const hint =
      error.code === "CHORALE_PACKAGE_DOWNLOAD" && from === undefined
        ? " Where it cannot be reached, --from names a mirror or a folder with the file."
        : "";
    output.note(error.message + hint);
    return EXIT.failed;
  }
}

/** One line for each package, its file's size and what it takes unpacked. */
export async function listCommand(
  json: boolean,
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const folder = packageFolder(env);
  const packages = await listPythonPackages(folder);
  const bytes = packages.reduce((sum, one) => sum + one.bytes, 0);
  if (json) {
    output.jsonLine({ folder, bytes, packages });
    return EXIT.ok;
  }
  if (packages.length === 0) {
    output.line(`No packages are installed in ${visibleText(folder)}.`);
    return EXIT.ok;
  }
  const width = Math.max(...packages.map(({ name, version }) => `${name} ${version}`.length));
  for (const one of packages) {
    const label = `${one.name} ${one.version}`.padEnd(width);
    const imports = one.imports.length > 0 ? `  import ${one.imports.join(", ")}` : "";
    output.line(visibleText(`${label}  ${size(one.bytes).padStart(9)}${imports}`));
  }
  const count = packages.length === 1 ? "1 package" : `${packages.length} packages`;
  output.line(`${count}, ${size(bytes)}, in ${visibleText(folder)}.`);
  return EXIT.ok;
}

/** Status 1 when one is broken. */
export async function verifyCommand(
  json: boolean,
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const folder = packageFolder(env);
  const states = await verifyPythonPackages(folder);
  const broken = states.filter(({ problems }) => problems.length > 0);
  const code = broken.length === 0 ? EXIT.ok : EXIT.failed;
  if (json) {
    output.jsonLine({ folder, healthy: broken.length === 0, packages: states });
    return code;
  }
  for (const { name, version, problems } of broken) {
    const label = version === null ? name : `${name} ${version}`;
    output.line(visibleText(`BROKEN ${label}: ${problems.join("; ")}`));
  }
  output.line(`${states.length - broken.length} whole, ${broken.length} broken`);
  if (broken.length > 0) {
    const names = broken.map(({ name }) => name).join(" ");
    output.note(`To repair: chorale python install ${names}`);
  }
  return code;
}

const PROGRESS_MS = 1000;

/** A line when a file begins, and at most one a second while it comes. */
function watchInstalling(output: Output): (progress: PackageProgress) => void {
  let last = 0;
  return ({ name, version, state, bytes, totalBytes, at, count }) => {
    const of = totalBytes === null ? "" : ` of ${size(totalBytes)}`;
    if (state === "started") {
      const resumed = bytes > 0 ? `, going on at ${size(bytes)}` : "";
      const total = totalBytes === null ? "" : ` (${size(totalBytes)})`;
      output.note(`${at} of ${count}: ${name} ${version}${total}${resumed}`);
      last = Date.now();
    }
    if (state === "received" && Date.now() - last >= PROGRESS_MS) {
      output.note(`${at} of ${count}: ${name} ${size(bytes)}${of}`);
      last = Date.now();
    }
  };
}

const KIB = 1024;

function size(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`;
  return bytes < KIB ** 2
    ? `${(bytes / KIB).toFixed(1)} KiB`
    : `${(bytes / KIB ** 2).toFixed(1)} MiB`;
}
