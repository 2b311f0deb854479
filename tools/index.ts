/**
 * Tools turn one call into one result. They know neither tokens nor the model nor the loop: what they
 * need of them comes in a `ToolContext`. Every result is data for the model, never an instruction.
 */

export {
  type Attachment,
  AttachmentError,
  type BrowserBackend,
  BrowserSession,
  type BrowserTools,
  type BrowserToolsOptions,
  BrowsingError,
  type Citation,
  type CitedText,
  createBrowserTools,
  DocumentFolderError,
  type FolderBackend,
  type FolderLimits,
  type FolderOptions,
  type FolderSummary,
  folderNotes,
  type LineRange,
  type LinkTarget,
  normaliseCitations,
  openDocumentFolder,
  type Page,
  type PageContent,
  type PageKind,
  type PageLine,
  type PageLink,
  readAttachment,
  type SearchHit,
  type ShownPage,
  type SkippedFile,
} from "./browser/index.ts";
export { needsApproval } from "./calls/approval.ts";
export {
  type CallProblem,
  type PreparedCall,
  prepareCall,
  verifyTool,
} from "./calls/arguments.ts";
export { type ExecuteContext, executeTool, runPreparedCall } from "./calls/execute.ts";
export { writeFileAtomic } from "./core/atomic-write.ts";
export type { ContentBlock, EmbeddedResource } from "./core/content.ts";
export {
  DuplicateToolError,
  PythonFileError,
  PythonStartError,
  PythonUnavailableError,
  SchemaError,
  ToolDefinitionError,
  ToolModuleError,
  ToolsError,
} from "./core/errors.ts";
export type { JsonValue } from "./core/json-value.ts";
export { nearestNames } from "./core/nearest-names.ts";
export { FileReadError, readFileOrPipe, readRegularFile } from "./core/read-file.ts";
export { isToolName, nameOf, namespaceOf, ToolRegistry } from "./core/registry.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./core/standard-schema.ts";
export { stateDir } from "./core/state-dir.ts";
export {
  type ApprovalRule,
  isClientSideTool,
  type Tool,
  type ToolAnnotations,
  type ToolContext,
  type ToolOrigin,
  type ToolOutput,
  type ToolProgress,
  type ToolResult,
} from "./core/tool.ts";
export { type Truncation, truncateToTokens } from "./core/truncate.ts";
export { type LinedDocuments, readLinedYaml, YamlError } from "./core/yaml-lines.ts";
export {
  defineTool,
  type IsolatedToolDefinition,
  type ToolDefinition,
} from "./functions/define.ts";
export { loadToolModule, type ToolModuleOptions } from "./functions/module.ts";
export {
  type OsSandbox,
  type SandboxLayer,
  type SandboxReport,
  sandboxReport,
} from "./isolate/index.ts";
export {
  type AuthorizationCallback,
  type AuthorizeInBrowser,
  type ElicitationAnswer,
  type ElicitationHandler,
  type ElicitationRequest,
  forgetMcpAuthorization,
  type McpArtifact,
  type McpEndpoint,
  McpError,
  type McpErrorCode,
  type McpOAuth,
  type McpOptions,
  type McpProcess,
  type McpPrompt,
  type McpPromptMessage,
  type McpResource,
  type McpServerConfig,
  type McpServerStatus,
  type McpServers,
  type McpToolStatus,
  openAuthorizationCallback,
  openMcpServers,
  type ParseMcpOptions,
  parseMcpServers,
  type ServedHttp,
  type ServedToolsOptions,
  type ServeLimits,
  type ServeMcpOptions,
  serveMcpHttp,
  serveMcpStdio,
  validatorTools,
} from "./mcp/index.ts";
export {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  type GuardedRequest,
  type GuardedResponse,
  type HostPattern,
  HostPatternError,
  isHostGranted,
  NetError,
  type NetLimits,
  parseHostPattern,
  type Resolver,
} from "./net/index.ts";
export {
  type Grant,
  GrantError,
  type GrantedPermissions,
  loadPlugin,
  type Permissions,
  type Plugin,
  type PluginIsolation,
  type PluginLimits,
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
  type LockedPackage,
  listPythonPackages,
  openPythonPackages,
  PACKAGE_FOLDER,
  type PackageEntry,
  PackageError,
  type PackageErrorCode,
  type PackageInstallOptions,
  type PackageManifest,
  type PackagePlace,
  type PackageProgress,
  type PackageState,
  type PackagesInstalled,
  type PythonPackages,
  type PythonPackagesOptions,
  type PythonTool,
  type PythonToolOptions,
  PythonWarmPool,
  type PythonWarmPoolOptions,
  pythonProblem,
  readInputFiles,
  type StoredPackage,
  verifyPythonPackages,
} from "./python/index.ts";
export {
  type AnyValidator,
  createValidator,
  decodeXml,
  type JsonSchemaDialect,
  type JsonSchemaDraft,
  type JsonValidator,
  type JsonValidatorOptions,
  matchPattern,
  readXmlSchema,
  type ValidationAction,
  type ValidationIssue,
  type ValidationResult,
  type Validator,
  type ValidatorOptions,
  type Verdict,
  type XmlSchemaSource,
  type XmlValidator,
  type XmlValidatorOptions,
  xmlSchemaText,
} from "./validator/index.ts";
