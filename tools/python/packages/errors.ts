/** Why packages of Python cannot be installed or given to a session. */

import { ToolsError } from "../../core/errors.ts";
import { messageOf } from "../../core/text.ts";

/**
 * - `LOCK`: nothing can be resolved from the lock file.
 * - `UNKNOWN`: the lock file does not have the packages.
 * - `DEPENDENCY`: a package needs another that the lock file does not have.
 * - `DOWNLOAD`: the file could not be fetched whole. What was received is kept, and the next try goes on.
 * - `HASH`: the file is not the one that the lock file means.
 * - `ARCHIVE`: the file is the right one, and its archive breaks the rules for archives.
 * - `STORE`: the folder of packages cannot be read or written.
 * - `MISSING`: the packages for a session are not installed.
 */
export type PackageErrorCode = `CHORALE_PACKAGE_${
  | "LOCK"
  | "UNKNOWN"
  | "DEPENDENCY"
  | "DOWNLOAD"
  | "HASH"
  | "ARCHIVE"
  | "STORE"
  | "MISSING"}`;

/** Thrown when packages for Python cannot be installed, listed or opened; `code` says what happened. */
export class PackageError extends ToolsError {
  static override readonly brand: string = "chorale.PackageError";
  declare readonly code: PackageErrorCode;
  /** The names of the packages that the error is about; empty for an error about a folder or a file. */
  readonly packages: readonly string[];

  constructor(
    code: PackageErrorCode,
    message: string,
    options: ErrorOptions & { readonly packages?: readonly string[] } = {},
  ) {
    const { packages = [], ...rest } = options;
    super(code, message, rest);
    this.packages = packages;
  }
}

export function lockError(path: string, problem: string, cause?: unknown): PackageError {
  const message = `The lock file ${path} cannot be used: ${problem}.`;
  return new PackageError("CHORALE_PACKAGE_LOCK", message, withCause(cause));
}

/** @param similar  names in the lock file that are near the unknown ones */
export function unknownPackages(
  packages: readonly string[],
  similar: readonly string[],
  available: number,
): PackageError {
  const hint = similar.length === 0 ? "" : ` Similar names: ${similar.join(", ")}.`;
  const names = packages.map(shown).join(", ");
  return new PackageError(
    "CHORALE_PACKAGE_UNKNOWN",
    `There is no package ${names} among the ${available} that are built for this Python.${hint}`,
    { packages },
  );
}

/** @param chain  from the package that was asked for to the one that is missing */
export function missingDependency(chain: readonly string[]): PackageError {
  const [missing = ""] = chain.slice(-1);
  const [needing = ""] = chain.slice(-2);
  const first = chain.slice(0, MAX_CHAIN);
  const links = first.length < chain.length ? [...first, "…", needing, missing] : first;
  const how = chain.length > 2 ? ` (${links.map(shown).join(" → ")})` : "";
  return new PackageError(
    "CHORALE_PACKAGE_DEPENDENCY",
    `${shown(needing)} needs ${shown(missing)}, which the lock file does not have${how}.`,
    { packages: [missing] },
  );
}

export function downloadError(
  name: string,
  from: string,
  problem: string,
  cause: unknown,
): PackageError {
  const message = `${name} could not be fetched from ${from}: ${problem}.`;
  return new PackageError("CHORALE_PACKAGE_DOWNLOAD", message, { packages: [name], cause });
}

export function wrongHash(
  name: string,
  from: string,
  expected: string,
  found: { readonly sha256: string; readonly bytes: number },
): PackageError {
  return new PackageError(
    "CHORALE_PACKAGE_HASH",
    `${name} from ${from} is not what the lock file says and was not installed: ${found.bytes} bytes with SHA-256 ${found.sha256}, expected ${expected}.`,
    { packages: [name] },
  );
}

/** @param problem  of the entry, or of the whole archive where there is none ("it …") */
export function archiveError(
  fileName: string,
  entry: string | null,
  problem: string,
): PackageError {
  const about = entry === null ? "" : `its entry ${shown(entry)} `;
  const message = `${fileName} was not installed: ${about}${problem}.`;
  return new PackageError("CHORALE_PACKAGE_ARCHIVE", message);
}

export function storeError(
  path: string,
  attempt: "read" | "written",
  cause: unknown,
): PackageError {
  const why = messageOf(cause);
  const message = `The packages in ${path} cannot be ${attempt}: ${why}.`;
  return new PackageError("CHORALE_PACKAGE_STORE", message, { cause });
}

export function notInstalled(
  packages: readonly string[],
  installed: readonly string[],
): PackageError {
  const has = installed.length === 0 ? "none is" : `installed: ${installed.join(", ")}`;
  return new PackageError(
    "CHORALE_PACKAGE_MISSING",
    `Python cannot be given ${packages.map(shown).join(", ")}: not installed (${has}).`,
    { packages },
  );
}

const withCause = (cause: unknown): ErrorOptions => (cause === undefined ? {} : { cause });

const MAX_CHAIN = 10;
const MAX_SHOWN_CHARACTERS = 120;

/** A text from a lock file, an archive or a command line, cut, and without characters a terminal obeys. */
function shown(text: string): string {
  const plain = JSON.stringify(text.toWellFormed()).slice(1, -1);
  return plain.length <= MAX_SHOWN_CHARACTERS ? plain : `${plain.slice(0, MAX_SHOWN_CHARACTERS)}…`;
}
