/** Python for the model: stateful, sandboxed, nothing to install. */
export type { Artifact } from "./artifacts.ts";
export { freeName, safeFileName } from "./file-name.ts";
export { type InputFile, readInputFiles } from "./input-files.ts";
export { pythonProblem } from "./launch.ts";
export {
  type Installed as PackagesInstalled,
  type InstallOptions as PackageInstallOptions,
  type InstallProgress as PackageProgress,
  installPackages as installPythonPackages,
  type LockedPackage,
  listPackages as listPythonPackages,
  openPackages as openPythonPackages,
  PACKAGE_FOLDER,
  type PackageEntry,
  PackageError,
  type PackageErrorCode,
  type PackageManifest,
  type PackagePlace,
  type PackageState,
  type SessionPackages as PythonPackages,
  type SessionPackagesOptions as PythonPackagesOptions,
  type StoredPackage,
  verifyPackages as verifyPythonPackages,
} from "./packages/index.ts";
export { createPythonTool, type PythonTool, type PythonToolOptions } from "./python-tool.ts";
export { PythonWarmPool, type PythonWarmPoolOptions } from "./warm-pool.ts";
