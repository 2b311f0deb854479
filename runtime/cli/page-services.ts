/** What the page of `chorale serve` works with: conversations and tools of this user. */
import { resolve } from "node:path";
import { nameOf } from "../../tools/index.ts";
import { artifactBase, openPolicy, openPython, openToolset, threadsPath } from "../environment.ts";
import { configFolder, type Home } from "../home.ts";
import { MemoryThreadStore, SqliteThreadStore } from "../index.ts";
import type { PageServices, PageTools } from "../server/index.ts";
import { packageVersion } from "../version.ts";
import type { McpArguments, ToolArguments, WebArguments } from "./flags.ts";
import { mcpServersFor } from "./mcp/sources.ts";
import { pluginConfigurations } from "./plugins.ts";
import { webConfiguration } from "./web-configuration.ts";

export type OpenedPage = AsyncDisposable & { readonly services: PageServices };

export type PageArguments = WebArguments &
  ToolArguments &
  McpArguments & {
    readonly docs: string | undefined;
    readonly noPython: boolean;
    /** Rules about calls, in the place of those that are found. */
    readonly policy: string | undefined;
  };

/**
 * Tools are opened when the page is used first. Python has an interpreter for each conversation; all others keep
 * what they know of a conversation in its log, so one set of them serves all.
 * @throws ThreadStoreError, PolicyError
 */
export async function openPage(
  args: PageArguments,
  home: Home,
  env: NodeJS.ProcessEnv,
  note: (sentence: string) => void,
): Promise<OpenedPage> {
  await using opened = new AsyncDisposableStack();
  const threads = opened.use(
    home.temporary ? new MemoryThreadStore() : new SqliteThreadStore(threadsPath(home)),
  );
  const { policy } = await openPolicy({
    file: args.policy,
    configuration: configFolder(env),
    state: home.path,
  });
  const openTools = async (): Promise<PageTools> => {
    const options = {
      env,
      python: false,
      toolModules: args.tool,
      plugins: await pluginConfigurations(args),
      mcpServers: mcpServersFor(args, env, note),
      mcp: { version: packageVersion() },
      documents: args.docs,
      web: webConfiguration(args),
      onNote: note,
    } as const;
    const shared = kept.use(await openToolset(options, home, policy));
    await shared.ready();
    // It starts nothing: it says whether there is Python, and what it is called.
    const python = args.noPython ? null : await openPython({}, home, env, note);
    return {
      get offered() {
        return python === null ? shared.tools : [python.tool, ...shared.tools];
      },
      async openConversation() {
        const own = python === null ? null : await openPython({}, home, env, () => {});
        const names = new Set(own === null ? [] : [nameOf(own.tool.recipient)]);
        const others = shared.tools.filter(({ recipient }) => !names.has(nameOf(recipient)));
        return {
          tools: own === null ? others : [own.tool, ...others],
          close: async () => own?.tool.close(),
        };
      },
    };
  };
  const kept = opened.move();
  return {
    services: {
      threads,
      policy,
      openTools,
      artifactFolder: artifactBase(home),
      folder: resolve("."),
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
