/** The client side of the MCP SDK as this folder uses it; bundled into the package (`scripts/bundle.ts`). */

export {
  type CallToolResult,
  Client,
  ClientCredentialsProvider,
  CrossAppAccessProvider,
  deserializeMessage,
  type FetchLike,
  type JSONRPCMessage,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  ProtocolError,
  requestJwtAuthorizationGrant,
  SdkError,
  SdkHttpError,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  serializeMessage,
  type Transport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
