/** `chorale mcp login|logout`: authorizations at servers on the network. */
import { spawn } from "node:child_process";
import {
  forgetMcpAuthorization,
  type McpEndpoint,
  type McpServerConfig,
  openAuthorizationCallback,
  openMcpServers,
} from "../../../tools/index.ts";
import { mcpAuthorizationFile } from "../../environment.ts";
import { UsageError } from "../../errors.ts";
import { homePath } from "../../home.ts";
import { packageVersion } from "../../version.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { type McpFlags, trustedServer } from "./sources.ts";

/** A person may have to look for a password. */
const LOGIN_MS = 10 * 60_000;

type Arguments = McpFlags & { readonly name: string };
type NetworkServer = McpServerConfig & { readonly target: McpEndpoint };

/** Sends the user to the server's page, and keeps what comes back for later runs. */
export async function loginCommand(
  args: Arguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const config = networkServer(args, env);
  const file = mcpAuthorizationFile({ path: homePath(env) });
  // A registration names the port that the user is sent back to, which is another one each time.
  await forgetMcpAuthorization(file, config.target.url);
  await using callback = await openAuthorizationCallback((page) => {
    output.note(`To authorize Chorale at ${args.name}, visit: ${page.href}`);
    openInBrowser(page);
  }, signal);
  const required = { ...config, required: true, startupTimeoutMs: LOGIN_MS };
  await using servers = await openMcpServers([required], {
    env,
    signal,
    version: packageVersion(),
    authorizationFile: file,
    authorize: callback,
  });
  const count = servers.servers[0]?.tools.length ?? 0;
  output.line(visibleText(`${args.name} works, with ${count} tools.`));
  return EXIT.ok;
}

export async function logoutCommand(
  args: Arguments,
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const { target } = networkServer(args, env);
  await forgetMcpAuthorization(mcpAuthorizationFile({ path: homePath(env) }), target.url);
  output.line(visibleText(`Forgot the authorization at ${args.name}.`));
  return EXIT.ok;
}

function networkServer({ name, ...flags }: Arguments, env: NodeJS.ProcessEnv): NetworkServer {
  const config = trustedServer(name, flags, env);
  if (config.target.kind === "http") return { ...config, target: config.target };
  throw new UsageError(`${name} is a program on this machine; only servers with a URL authorize.`);
}

/** Where there is no browser, the address has been shown. */
function openInBrowser(page: URL): void {
  const [command, ...before] =
    process.platform === "darwin"
      ? ["open"]
      : process.platform === "win32"
        ? ["rundll32", "url.dll,FileProtocolHandler"]
        : ["xdg-open"];
  if (command === undefined) return;
  const child = spawn(command, [...before, page.href], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
