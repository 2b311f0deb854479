/** What the agent tells the interpreter's process, and that its isolate, about a session's packages. */
import type { PackagePlace } from "./lock.ts";

export type PackageEntry = {
  readonly name: string;
  readonly version: string;
  readonly imports: readonly string[];
  readonly depends: readonly string[];
  readonly place: PackagePlace;
  /** The path of its archive, which the process may read. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
};

export type PackageManifest = {
  readonly packages: readonly PackageEntry[];
  /** Modules of packages that are installed and that this session does not get. */
  readonly withheld: readonly string[];
  /** Module to the package that a user could install for it. */
  readonly installCommand: string | null;
  readonly installable: Readonly<Record<string, string>>;
};
