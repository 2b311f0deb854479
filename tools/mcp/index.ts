/**
 * Servers of the Model Context Protocol (MCP) as sources of tools, and tools of this program as such a server. What
 * a server says is never trusted: its names, its descriptions, its questions, its results.
 */

export type { McpArtifact } from "./artifacts.ts";
export {
  type AuthorizationCallback,
  forgetMcpAuthorization,
  openAuthorizationCallback,
} from "./authorization-callback.ts";
export type { AuthorizeInBrowser } from "./authorize.ts";
export {
  type McpEndpoint,
  type McpOAuth,
  type McpProcess,
  type McpServerConfig,
  type ParseMcpOptions,
  parseMcpServers,
} from "./config.ts";
export type { ElicitationAnswer, ElicitationHandler, ElicitationRequest } from "./elicitation.ts";
export { McpError, type McpErrorCode } from "./errors.ts";
export type { McpPrompt, McpResource } from "./offers.ts";
export {
  type ServedHttp,
  type ServeMcpOptions,
  serveMcpHttp,
  serveMcpStdio,
} from "./serve/serve.ts";
export type { ServedToolsOptions, ServeLimits } from "./serve/served-tools.ts";
export { validatorTools } from "./serve/validator-tools.ts";
export {
  type McpOptions,
  type McpPromptMessage,
  type McpServerStatus,
  type McpServers,
  type McpToolStatus,
  openMcpServers,
} from "./servers.ts";
