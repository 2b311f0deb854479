/** What `chorale serve` carries out itself for clients of the Responses API: searches, and programs. */
import { folderNotes, type Tool } from "../../tools/index.ts";
import { openPython, openTools } from "../environment.ts";
import type { Home } from "../home.ts";
import type { ServerToolSession, ServerTools, WebSearchRequest } from "../server/index.ts";
import type { WebArguments } from "./flags.ts";
import { webConfiguration, webNote } from "./web-configuration.ts";

export type ServeToolsArguments = WebArguments & {
  readonly docs: string | undefined;
  readonly noPython: boolean;
};

export type OpenedServeTools = AsyncDisposable & { readonly tools: ServerTools };

/**
 * Opens what is searched for all responses; interpreters are of one response each.
 * @throws DocumentFolderError, SearchConfigurationError
 */
export async function openServeTools(
  args: ServeToolsArguments,
  home: Home,
  env: NodeJS.ProcessEnv,
  note: (sentence: string) => void,
): Promise<OpenedServeTools> {
  await using opened = new AsyncDisposableStack();
  const web = webConfiguration(args);
  const documents = args.docs;
  const shared = { env, home, onNote: note };
  const open = async (
    options: Pick<Parameters<typeof openTools>[0], "documents" | "web">,
  ): Promise<readonly Tool[]> => {
    const { browser } = opened.use(await openTools({ ...shared, ...options }));
    const { summary } = browser ?? {};
    if (summary !== undefined) for (const line of folderNotes(summary)) note(line);
    return browser?.tools ?? [];
  };
  const stored = documents === undefined ? [] : await open({ documents });
  const live = web === undefined ? stored : await open({ documents, web });
  if (web !== undefined) note(webNote(web));
  const openWebSearch = async ({
    isLive,
    allowedDomains,
  }: WebSearchRequest): Promise<ServerToolSession | null> => {
    const tools = isLive ? live : stored;
    if (tools.length === 0) return null;
    if (!isLive || web === undefined || allowedDomains.length === 0) {
      return { tools, close: async () => {} };
    }
    const allowDomains = narrowed(allowedDomains, web.client?.allowDomains);
    // No list at all would allow every domain.
    if (allowDomains.length === 0) return null;
    const client = { ...web.client, allowDomains };
    const own = await openTools({ ...shared, web: { ...web, client } });
    return { tools: own.browser?.tools ?? [], close: async () => await own[Symbol.asyncDispose]() };
  };
  const openCodeInterpreter = async (): Promise<ServerToolSession | null> => {
    const python = await openPython({}, home, env, note);
    if (python === null) return null;
    return {
      tools: [python.tool],
      close: async () => {
        await python.tool.close?.();
      },
    };
  };
  const kept = opened.move();
  return {
    tools: { openWebSearch, ...(!args.noPython && { openCodeInterpreter }) },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The domains that both a request and the flags allow. */
export function narrowed(
  asked: readonly string[],
  allowed: readonly string[] | undefined,
): readonly string[] {
  if (allowed === undefined) return asked;
  const isWithin = (name: string, domain: string): boolean =>
    name === domain || name.endsWith(`.${domain}`);
  return asked.flatMap((domain) => {
    const names = allowed.map((name) => name.replace(/^\*\./, ""));
    if (names.some((name) => isWithin(domain, name))) return [domain];
    return names.filter((name) => isWithin(name, domain));
  });
}
