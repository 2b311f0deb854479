/** Why packages of Python cannot be installed or given to a session. */
import { ToolsError } from "../../core/errors.ts";

/** Base of every error of this folder. */
export class PackageError extends ToolsError {}

/** A lock file that nothing can be resolved from. */
export class PackageLockError extends PackageError {
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super("CHORALE_PACKAGE_LOCK", `The lock file ${path} cannot be used: ${problem}.`, options);
    this.path = path;
  }
}

/** Names that the lock file does not have; `similar` are some that it does. */
export class PackageUnknownError extends PackageError {
  readonly packages: readonly string[];
  readonly similar: readonly string[];

  constructor(packages: readonly string[], similar: readonly string[], available: number) {
    const names = packages.map(shown).join(", ");
    const hint = similar.length === 0 ? "" : ` Similar names: ${similar.join(", ")}.`;
    super(
      "CHORALE_PACKAGE_UNKNOWN",
      `There is no package ${names} among the ${available} that are built for this Python.${hint}`,
    );
    this.packages = packages;
    this.similar = similar;
  }
}

/** A package needs another that the lock file does not have. */
export class PackageDependencyError extends PackageError {
  /** From the package that was asked for to the one that is missing. */
  readonly chain: readonly string[];

  constructor(chain: readonly string[]) {
    const [missing = ""] = chain.slice(-1);
    const [needing = ""] = chain.slice(-2);
    const how = chain.length > 2 ? ` (${chain.join(" → ")})` : "";
    super(
      "CHORALE_PACKAGE_DEPENDENCY",
      `${needing} needs ${shown(missing)}, which the lock file does not have${how}.`,
    );
    this.chain = chain;
  }
}

/** The file could not be had, or not wholly. What was received is kept, so that trying again goes on. */
export class PackageDownloadError extends PackageError {
  readonly package: string;
  readonly from: string;

  constructor(name: string, from: string, problem: string, options?: ErrorOptions) {
    super(
      "CHORALE_PACKAGE_DOWNLOAD",
      `${name} could not be had from ${from}: ${problem}.`,
      options,
    );
    this.package = name;
    this.from = from;
  }
}

/** The file is not the one that the lock file means. */
export class PackageHashError extends PackageError {
  readonly package: string;
  readonly expected: string;
  readonly found: string;

  constructor(name: string, from: string, expected: string, found: string, bytes: number) {
    super(
      "CHORALE_PACKAGE_HASH",
      `${name} from ${from} is not what the lock file says and was not installed: ${bytes} bytes with SHA-256 ${found}, expected ${expected}.`,
    );
    this.package = name;
    this.expected = expected;
    this.found = found;
  }
}

/** The file is what it should be, and no archive that would be unpacked. */
export class PackageArchiveError extends PackageError {
  readonly fileName: string;
  readonly entry: string | null;

  constructor(fileName: string, entry: string | null, problem: string) {
    const where = entry === null ? "" : `: ${shown(entry)}`;
    super("CHORALE_PACKAGE_ARCHIVE", `${fileName} was not installed${where} ${problem}.`);
    this.fileName = fileName;
    this.entry = entry;
  }
}

/** The folder of packages cannot be read or written. */
export class PackageStoreError extends PackageError {
  readonly path: string;

  constructor(path: string, attempt: string, options?: ErrorOptions) {
    const { cause } = options ?? {};
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      "CHORALE_PACKAGE_STORE",
      `The packages in ${path} cannot be ${attempt}: ${why}.`,
      options,
    );
    this.path = path;
  }
}

/** A session was to get packages that are not installed. */
export class PackageMissingError extends PackageError {
  readonly packages: readonly string[];

  constructor(packages: readonly string[], installed: readonly string[]) {
    const names = packages.map(shown);
    const has = installed.length === 0 ? "none is" : `installed: ${installed.join(", ")}`;
    super(
      "CHORALE_PACKAGE_MISSING",
      `Python cannot be given ${names.join(", ")}: not installed (${has}). Install with: chorale python install ${names.join(" ")}`,
    );
    this.packages = packages;
  }
}

const SHOWN_CHARACTERS = 120;

/** Text of others, short and with nothing in it that a terminal would obey. */
function shown(text: string): string {
  const plain = JSON.stringify(text.toWellFormed()).slice(1, -1);
  return plain.length <= SHOWN_CHARACTERS ? plain : `${plain.slice(0, SHOWN_CHARACTERS)}…`;
}
