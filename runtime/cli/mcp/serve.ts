/** `chorale mcp serve`: Python, documents and the validator as an MCP server for another agent. */
import { once } from "node:events";
import {
  type ServeMcpOptions,
  serveMcpHttp,
  serveMcpStdio,
  type Tool,
  validatorTools,
} from "../../../tools/index.ts";
import { openPython, openTools } from "../../environment.ts";
import { openHome } from "../../home.ts";
import { loadO200kHarmony } from "../../index.ts";
import { packageVersion } from "../../version.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { WebArguments } from "../flags.ts";
import { webConfiguration } from "../web-configuration.ts";

export type ServeArguments = WebArguments & {
  /** Port of this machine; absent: standard input and output. */
  readonly http: number | undefined;
  readonly docs: string | undefined;
  readonly file: readonly string[];
  readonly artifacts: string | undefined;
  readonly packages: readonly string[] | undefined;
  readonly noPython: boolean;
};

const TOKEN_VARIABLE = "CHORALE_MCP_TOKEN";

/**
 * Serves until its client is gone, or it is stopped.
 * @throws ToolsError for a folder, a file or a package that cannot be given, and a port that is taken
 */
export async function serveCommand(
  args: ServeArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const note = (sentence: string): void => output.note(sentence);
  await using opened = new AsyncDisposableStack();
  const home = openHome(env, note);
  opened.defer(() => home.close());
  const { file: files, artifacts, packages } = args;
  const python = args.noPython
    ? null
    : await openPython({ files, artifacts, packages }, home, env, note);
  const given: readonly Tool[] = [...(python === null ? [] : [python.tool]), ...validatorTools()];
  const { tools } = opened.use(
    await openTools(
      { env, home, documents: args.docs, web: webConfiguration(args), onNote: note },
      given,
    ),
  );
  let tokenizer: ReturnType<typeof loadO200kHarmony> | undefined;
  const options: ServeMcpOptions = {
    tools,
    version: packageVersion(),
    instructions: python?.briefing,
    countTokens: (text) => {
      tokenizer ??= loadO200kHarmony();
      return tokenizer.encode(text).length;
    },
    signal,
    onNote: note,
  };
  if (args.http === undefined) {
    if (process.stdin.isTTY === true) {
      note("this is a server for other programs; they speak to it on standard input and output");
    }
    await serveMcpStdio(options);
  } else {
    const token = env[TOKEN_VARIABLE] || undefined;
    const server = opened.use(await serveMcpHttp(options, { port: args.http, token }));
    note(
      `serving ${tools.length} tools at ${server.url}${token === undefined ? "" : `, for those who have the token of ${TOKEN_VARIABLE}`}`,
    );
    if (!signal.aborted) await once(signal, "abort");
  }
  if (signal.aborted) throw signal.reason;
  return EXIT.ok;
}
