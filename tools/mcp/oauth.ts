/**
 * Authorizations of servers on the network (OAuth 2.1 as MCP has it). The SDK speaks the protocol; here is what
 * it needs of this program: where tokens are kept, and how the user is sent to the server's page and back.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomic } from "../core/atomic-write.ts";
import { isRecord } from "../core/record.ts";
import { messageOf } from "../core/text.ts";
import type { AuthorizeInBrowser } from "./authorize.ts";
import type { McpOAuth, McpServerConfig } from "./config.ts";
import { McpError } from "./errors.ts";
import type { OAuthClientProvider } from "./sdk.ts";

type Tokens = NonNullable<Awaited<ReturnType<OAuthClientProvider["tokens"]>>>;
type ClientInformation = NonNullable<Awaited<ReturnType<OAuthClientProvider["clientInformation"]>>>;
type DiscoveryState = NonNullable<
  Awaited<ReturnType<NonNullable<OAuthClientProvider["discoveryState"]>>>
>;

/** What is kept of one server. */
type Kept = { readonly tokens?: Tokens; readonly client?: ClientInformation };

/** An authorization of a person that is on its way: the parameters with which the server sent them back. */
export type AuthorizationProvider = OAuthClientProvider & {
  /** Taken once. */
  takeReturned(): URLSearchParams | null;
};

/** Without a way to ask the user, tokens that are kept are still used and renewed; the user is sent nowhere. */
const NO_BROWSER_REDIRECT = "http://127.0.0.1/callback";

export class McpAuthorizations {
  readonly #path: string | undefined;
  readonly #authorize: AuthorizeInBrowser | undefined;
  #kept: Promise<Map<string, Kept>> | undefined;
  #writing: Promise<void> = Promise.resolve();

  /** @param path  of the file; undefined: in memory */
  constructor(path: string | undefined, authorize: AuthorizeInBrowser | undefined) {
    this.#path = path;
    this.#authorize = authorize;
  }

  /** Undefined for a server that is a process. */
  providerFor({ name, target }: McpServerConfig): (() => Promise<OAuthClientProvider>) | undefined {
    if (target.kind !== "http") return undefined;
    const { url, oauth } = target;
    if (oauth.grant === "authorization_code") {
      const provider = this.#interactive(name, url, oauth);
      return async () => provider;
    }
    return async () => withoutUser(await import("./sdk.ts"), oauth);
  }

  /** Forgets what is kept of a server. */
  async forget(url: string): Promise<void> {
    await this.#change(url, () => ({}));
  }

  #interactive(
    server: string,
    url: string,
    { clientId, clientSecret, clientMetadataUrl, scope }: McpOAuth,
  ): AuthorizationProvider {
    const authorize = this.#authorize;
    const redirectUrl = authorize?.redirectUrl ?? NO_BROWSER_REDIRECT;
    let verifier = "";
    let state = "";
    let discovery: DiscoveryState | undefined;
    let returned: URLSearchParams | null = null;
    const kept = async (): Promise<Kept> => (await this.#read()).get(url) ?? {};
    return {
      redirectUrl,
      ...(clientMetadataUrl !== undefined && { clientMetadataUrl }),
      clientMetadata: {
        client_name: "Chorale",
        redirect_uris: [redirectUrl],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        ...(clientSecret === undefined && { token_endpoint_auth_method: "none" }),
        ...(scope !== undefined && { scope }),
      },
      state: () => {
        state = randomBytes(16).toString("hex");
        return state;
      },
      clientInformation: async () =>
        clientId === undefined
          ? (await kept()).client
          : { client_id: clientId, ...(clientSecret && { client_secret: clientSecret }) },
      saveClientInformation: (client) => this.#change(url, (was) => ({ ...was, client })),
      tokens: async () => (await kept()).tokens,
      saveTokens: (tokens) => this.#change(url, (was) => ({ ...was, tokens })),
      redirectToAuthorization: async (page) => {
        if (authorize === undefined) {
          throw new McpError(
            "CHORALE_MCP_AUTHORIZATION",
            `The MCP server ${server} asks for an authorization, which its user has to give first.`,
            { server },
          );
        }
        const { searchParams } = await authorize.visit({ server, url: page });
        if (searchParams.get("state") !== state) {
          const message = `The MCP server ${server} was not authorized: what came back belongs to another request.`;
          throw new McpError("CHORALE_MCP_AUTHORIZATION", message, { server });
        }
        returned = searchParams;
      },
      saveCodeVerifier: (text) => {
        verifier = text;
      },
      codeVerifier: () => verifier,
      saveDiscoveryState: (found) => {
        discovery = found;
      },
      discoveryState: () => discovery,
      invalidateCredentials: async (what) => {
        if (what === "all" || what === "discovery") discovery = undefined;
        if (what === "all" || what === "verifier") verifier = "";
        if (what === "discovery" || what === "verifier") return;
        await this.#change(url, ({ tokens, client }) => ({
          ...(what === "client" && tokens && { tokens }),
          ...(what === "tokens" && client && { client }),
        }));
      },
      takeReturned: () => {
        const taken = returned;
        returned = null;
        return taken;
      },
    };
  }

  async #read(): Promise<Map<string, Kept>> {
    this.#kept ??= readKept(this.#path);
    return this.#kept;
  }

  async #change(url: string, change: (was: Kept) => Kept): Promise<void> {
    const all = await this.#read();
    all.set(url, change(all.get(url) ?? {}));
    const path = this.#path;
    if (path === undefined) return;
    // One after the other, so that the last state is the one that stays.
    this.#writing = this.#writing
      .catch(() => {})
      .then(async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFileAtomic(path, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
      });
    await this.#writing;
  }
}

/** Grants in which the user of this program has no part. */
function withoutUser(sdk: typeof import("./sdk.ts"), oauth: McpOAuth): OAuthClientProvider {
  const { clientId = "", clientSecret = "", privateKey, algorithm = "ES256", scope } = oauth;
  const common = { clientId, clientName: "Chorale", ...(scope !== undefined && { scope }) };
  if (oauth.grant === "cross_app_access") {
    const { idpTokenEndpoint = "", idpClientId = "", idpIdToken = "" } = oauth;
    return new sdk.CrossAppAccessProvider({
      ...common,
      clientSecret,
      assertion: async ({ authorizationServerUrl, resourceUrl, scope, fetchFn }) => {
        const { jwtAuthGrant } = await sdk.requestJwtAuthorizationGrant({
          tokenEndpoint: idpTokenEndpoint,
          clientId: idpClientId,
          idToken: idpIdToken,
          audience: authorizationServerUrl,
          resource: resourceUrl,
          fetchFn,
          ...(scope !== undefined && { scope }),
        });
        return jwtAuthGrant;
      },
    });
  }
  return privateKey === undefined
    ? new sdk.ClientCredentialsProvider({ ...common, clientSecret })
    : new sdk.PrivateKeyJwtProvider({ ...common, privateKey, algorithm });
}

async function readKept(path: string | undefined): Promise<Map<string, Kept>> {
  if (path === undefined) return new Map();
  try {
    const json: unknown = JSON.parse(await readFile(path, "utf8"));
    if (!isRecord(json)) throw new Error("it holds no object");
    return new Map(Object.entries(json) as [string, Kept][]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw new McpError(
      "CHORALE_MCP_AUTHORIZATION",
      `The authorizations of MCP servers in ${path} cannot be read: ${messageOf(error)}. Delete the file to authorize anew.`,
    );
  }
}
