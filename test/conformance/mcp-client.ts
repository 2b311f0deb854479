/**
 * The client of the conformance suite of MCP (`@modelcontextprotocol/conformance`): it connects to the server whose
 * address is its argument, as a run of an agent does, lists the tools and calls each of them once.
 *
 * The suite says in the environment which scenario it plays, and what the user of the scenario knows.
 */
import { executeTool } from "../../tools/calls/execute.ts";
import { type McpOptions, openMcpServers, parseMcpServers } from "../../tools/mcp/index.ts";

const url = process.argv.at(-1) ?? "";
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const known = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as Readonly<
  Record<string, string>
>;

/** What calls need: the suite's tools say nothing of it in their schemas. */
const ARGUMENTS: Readonly<Record<string, object>> = { add_numbers: { a: 5, b: 3 } };

/** As the user would configure the server. */
function oauth(): object {
  const { client_id: clientId, client_secret: clientSecret, private_key_pem: privateKey } = known;
  if (scenario.startsWith("auth/client-credentials")) {
    return {
      grant: "client_credentials",
      clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      ...(privateKey !== undefined && { privateKey, algorithm: known["signing_algorithm"] }),
    };
  }
  if (scenario === "auth/cross-app-access-complete-flow") {
    const {
      idp_token_endpoint: idpTokenEndpoint,
      idp_client_id: idpClientId,
      idp_id_token: idpIdToken,
    } = known;
    return {
      grant: "cross_app_access",
      clientId,
      clientSecret,
      idpTokenEndpoint,
      idpClientId,
      idpIdToken,
    };
  }
  return {
    // Its server, of the protocol's first revision with authorizations, names an issuer that is not where it is.
    skipIssuerValidation: scenario === "auth/2025-03-26-oauth-metadata-backcompat",
    ...(clientId !== undefined && { clientId }),
    ...(clientSecret !== undefined && { clientSecret }),
    // The suite compares it with this address; nothing is at it.
    clientMetadataUrl: "https://conformance-test.local/client-metadata.json",
  };
}

/** The user's browser: the suite's page of authorization sends back at once. */
const authorize: McpOptions["authorize"] = {
  redirectUrl: "http://localhost:3000/callback",
  visit: async ({ url: page }) => {
    const response = await fetch(page, { redirect: "manual" });
    return new URL(response.headers.get("location") ?? "", page);
  },
};

await using servers = await openMcpServers(
  parseMcpServers(
    { suite: { type: "http", url, required: true, startup_timeout_sec: 25, oauth: oauth() } },
    { env: {}, folder: ".", source: "the conformance suite" },
  ),
  {
    authorize,
    onElicit: async () => ({ action: "accept", content: {} }),
    onNote: (note) => console.error(note),
  },
);
const [server] = servers.servers;
for (const { name, originalName } of server?.tools ?? []) {
  const tool = servers.tools.find(({ recipient }) => recipient === `functions.${name}`);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  const result = await executeTool(tool, JSON.stringify(ARGUMENTS[originalName] ?? {}), {
    signal: new AbortController().signal,
    callId: name,
    approved: true,
    countTokens: (text) => text.length,
    resultTokenLimit: 10_000,
  });
  console.log(`${originalName}: ${result.status}: ${result.text}`);
  if (result.status === "failed") process.exitCode = 1;
}
