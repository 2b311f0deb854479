/**
 * Plugins: packages of tools whose code is not trusted. A plugin runs in an isolate in a supervised
 * process of its own, has what its manifest asks for and the user granted, and can take down nothing but
 * itself.
 */
export {
  GrantError,
  PluginLoadError,
  PluginManifestError,
} from "./errors.ts";
export type { ToolContext as IsolatedToolContext } from "./guest-api.d.ts";
export type { PluginNetOptions } from "./host-functions.ts";
export { createIsolatedRun, type IsolatedRun } from "./isolated-tool.ts";
export type { PluginLimits } from "./limits.ts";
export { type PluginIsolation, type PluginManifest, readManifest } from "./manifest.ts";
export {
  type Grant,
  type GrantedPermissions,
  type Permissions,
  parseGrants,
} from "./permissions.ts";
export { loadPlugin, type Plugin, type PluginOptions } from "./plugin.ts";
