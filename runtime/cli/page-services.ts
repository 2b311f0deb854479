/** What the page of `chorale serve` works with: conversations and tools of this user. */
import { resolve } from "node:path";
import { nameOf } from "../../tools/index.ts";
import {
  artifactBase,
  type EnvironmentOptions,
  openPolicy,
  openPython,
  openToolset,
  threadsPath,
} from "../environment.ts";
import { configFolder, type Home } from "../home.ts";
import { MemoryThreadStore, SqliteThreadStore } from "../index.ts";
import type { PageServices, PageTools } from "../server/index.ts";

export type OpenedPage = AsyncDisposable & { readonly services: PageServices };

export type PageOptions = Omit<EnvironmentOptions, "model" | "policy" | "python"> & {
  readonly env: NodeJS.ProcessEnv;
  readonly onNote: (sentence: string) => void;
  /** Rules about calls, in the place of those that are found. */
  readonly policy?: string | undefined;
};

/**
 * Tools are opened when the page is used first. Python has an interpreter for each conversation; all others keep
 * what they know of a conversation in its log, so one set of them serves all.
 * @throws ThreadStoreError, PolicyError
 */
export async function openPage(home: Home, options: PageOptions): Promise<OpenedPage> {
  const { env, onNote, policy: file } = options;
  await using opened = new AsyncDisposableStack();
  const threads = opened.use(
    home.temporary ? new MemoryThreadStore() : new SqliteThreadStore(threadsPath(home)),
  );
  const { policy } = await openPolicy({ file, configuration: configFolder(env), state: home.path });
  const openTools = async (): Promise<PageTools> => {
    const shared = kept.use(await openToolset({ ...options, python: false }, home, policy));
    await shared.ready();
    // It starts nothing: it says whether there is Python, and what it is called.
    const python = await openPython({}, home, env, onNote);
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
    services: { threads, policy, openTools, artifactFolder: artifactBase(home), folder: resolve(".") },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
