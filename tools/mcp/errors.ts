/** What goes wrong with MCP servers before a tool is called; what goes wrong in a call is a result. */
import { ToolsError } from "../core/errors.ts";

export type McpErrorCode =
  /** The configuration of a server cannot be used. */
  | "CHORALE_MCP_CONFIG"
  /** A server does not start, does not answer, or answers what the protocol does not have. */
  | "CHORALE_MCP_CONNECT"
  /** A server wants an authorization that it does not have. */
  | "CHORALE_MCP_AUTHORIZATION"
  /** A server refused a request, or its answer cannot be used. */
  | "CHORALE_MCP_REQUEST";

export class McpError extends ToolsError {
  static override readonly brand: string = "chorale.McpError";
  declare readonly code: McpErrorCode;
  /** The server's name in the configuration; undefined where the whole configuration is meant. */
  readonly server: string | undefined;

  constructor(
    code: McpErrorCode,
    message: string,
    options: ErrorOptions & { readonly server?: string | undefined } = {},
  ) {
    super(code, message, options);
    this.server = options.server;
  }
}
