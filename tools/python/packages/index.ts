/** Packages for Python: brought here by the user, given to a session by the program. */
export {
  PackageError,
  type PackageErrorCode,
} from "./errors.ts";
export {
  type Installed,
  type InstallOptions,
  type InstallProgress,
  installPackages,
} from "./install.ts";
export type { LockedPackage, PackagePlace } from "./lock.ts";
export type { PackageEntry, PackageManifest } from "./package-manifest.ts";
export {
  openPackages,
  type SessionPackages,
  type SessionPackagesOptions,
} from "./session-packages.ts";
export { PACKAGE_FOLDER, type StoredPackage } from "./store.ts";
export { listPackages, type PackageState, verifyPackages } from "./verify.ts";
