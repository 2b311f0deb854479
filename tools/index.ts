/**
 * Tools turn one call into one result. They know neither tokens nor the model nor the loop: what they
 * need of them comes in a `ToolContext`. Every result is data for the model, never an instruction.
 */

export { verifyTool } from "./arguments.ts";
export {
  type BrowserBackend,
  type BrowserTools,
  type BrowserToolsOptions,
  BrowsingError,
  type CitedText,
  createBrowserTools,
  DocumentFolderError,
  normaliseCitations,
  openDocumentFolder,
} from "./browser/index.ts";
export {
  DuplicateToolError,
  PythonFileError,
  PythonStartError,
  PythonUnavailableError,
  SchemaError,
  ToolDefinitionError,
  ToolModuleError,
  ToolsError,
} from "./errors.ts";
export { type ExecuteContext, executeTool } from "./execute.ts";
export {
  defineTool,
  type IsolatedToolDefinition,
  type StandardSchema,
  type ToolDefinition,
} from "./function.ts";
export { type SandboxReport, sandboxReport, type WallReport } from "./isolate/index.ts";
export { loadToolModule } from "./module.ts";
export {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  type GuardedRequest,
  type GuardedResponse,
  HostPatternError,
  NetError,
  type NetLimits,
} from "./net/index.ts";
export {
  type Grant,
  GrantError,
  type GrantedPermissions,
  loadPlugin,
  type Permissions,
  type Plugin,
  type PluginIsolation,
  PluginLoadError,
  type PluginManifest,
  PluginManifestError,
  type PluginNetOptions,
  type PluginOptions,
  parseGrants,
  readManifest,
} from "./plugins/index.ts";
export {
  type Artifact,
  createPythonTool,
  type InputFile,
  installPythonPackages,
  listPythonPackages,
  openPythonPackages,
  PACKAGE_FOLDER,
  PackageArchiveError,
  PackageDependencyError,
  PackageDownloadError,
  PackageError,
  PackageHashError,
  type PackageInstallOptions,
  PackageLockError,
  PackageMissingError,
  type PackageProgress,
  type PackageState,
  PackageStoreError,
  type PackagesInstalled,
  PackageUnknownError,
  type PythonPackages,
  type PythonPackagesOptions,
  PythonSpare,
  type PythonSpareOptions,
  type PythonTool,
  type PythonToolOptions,
  pythonProblem,
  readInputFiles,
  type StoredPackage,
  verifyPythonPackages,
} from "./python/index.ts";
export { isToolName, namespaceOf, ToolRegistry } from "./registry.ts";
export type { Tool, ToolAnnotations, ToolContext, ToolOutput, ToolResult } from "./tool.ts";
export { type Truncation, truncateToTokens } from "./truncate.ts";
export {
  createValidator,
  type JsonValidator,
  type JsonValidatorOptions,
  type ValidationAction,
  type ValidationIssue,
  type ValidationResult,
  type Validator,
  type ValidatorOptions,
  type XmlValidatorOptions,
} from "./validator/index.ts";
