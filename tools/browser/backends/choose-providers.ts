/** From the names of a configuration to search providers. */
import { nearestNames } from "../../core/nearest-names.ts";
import type { BrowserBackend } from "../backend.ts";
import { SearchConfigurationError } from "./errors.ts";
import { httpProvider } from "./http-provider.ts";
import type { OpenClient, ProviderDefinition, SearchProvider } from "./provider.ts";
import { brave } from "./providers/brave.ts";
import { duckduckgo } from "./providers/duckduckgo.ts";
import { exa } from "./providers/exa.ts";
import { google } from "./providers/google.ts";
import { mojeek } from "./providers/mojeek.ts";
import { ollama } from "./providers/ollama.ts";
import { searxng } from "./providers/searxng.ts";
import { tavily } from "./providers/tavily.ts";
import { wikipedia } from "./providers/wikipedia.ts";
import { you } from "./providers/you.ts";

export type ProviderSources = {
  /** Address of a SearXNG server. */
  readonly searxng?: string | undefined;
  /** The folder of documents, where there is one. */
  readonly folder: BrowserBackend | null;
  /** Providers of plugins or of the program, by their names. */
  readonly others?: readonly SearchProvider[] | undefined;
  /** Where keys are read. */
  readonly env: NodeJS.ProcessEnv;
  readonly openClient: OpenClient;
};

const SERVICES: readonly ProviderDefinition[] = [
  duckduckgo,
  mojeek,
  wikipedia(),
  brave,
  tavily,
  exa,
  you,
  ollama,
  google,
];

/** What is asked where nothing is said: pages that need no key, the second where the first refuses. */
const DEFAULT = "duckduckgo/mojeek";
const LANGUAGE = /^wikipedia:([a-z]{2,3}(?:-[a-z]{2,12})?)$/;

/** Every name that is taken of itself. */
const NAMES: readonly string[] = ["local", "searxng", ...SERVICES.map(({ name }) => name)];

/**
 * @param names each a provider, or several with slashes between them, of which the first that answers counts.
 *   Default: the SearXNG server where one is named, else DuckDuckGo, or Mojeek where that refuses. The folder of
 *   documents is always searched.
 * @throws SearchConfigurationError for a name that there is not, or that lacks what it needs
 */
export function chooseProviders(
  names: readonly string[] | undefined,
  sources: ProviderSources,
): readonly (readonly SearchProvider[])[] {
  const wanted = names ?? [sources.searxng === undefined ? DEFAULT : "searxng"];
  const withLocal =
    sources.folder === null || wanted.some((entry) => entry.split("/").includes("local"))
      ? wanted
      : ["local", ...wanted];
  return withLocal.map((entry) =>
    entry.split("/").map((name) => providerNamed(name.trim().toLowerCase(), sources)),
  );
}

function providerNamed(name: string, sources: ProviderSources): SearchProvider {
  const { folder, others = [] } = sources;
  const other = others.find((provider) => provider.name.toLowerCase() === name);
  if (other !== undefined) return other;
  if (name === "local") {
    if (folder !== null) return folderProvider(folder);
    throw new SearchConfigurationError("Searching with local needs a folder of documents.");
  }
  if (name === "searxng") return searxng({ ...sources, endpoint: searxngAddress(sources.searxng) });
  const language = LANGUAGE.exec(name)?.[1];
  const definition =
    language === undefined ? SERVICES.find((each) => each.name === name) : wikipedia(language);
  if (definition !== undefined) return httpProvider(definition, sources);
  const known = [...NAMES, ...others.map((each) => each.name)];
  const [near] = nearestNames(name, known, 1);
  throw new SearchConfigurationError(
    `There is no search named ${JSON.stringify(name)}${near === undefined ? ". " : `; did you mean ${near}? `}` +
      `Accepted: ${known.join(", ")}, wikipedia:LANGUAGE, and A/B for B where A does not answer.`,
  );
}

function searxngAddress(address: string | undefined): string {
  if (address === undefined) {
    throw new SearchConfigurationError("Searching with searxng needs the address of a server.");
  }
  const url = URL.parse(/^[a-z]+:\/\//i.test(address) ? address : `http://${address}`);
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === "") return url.href;
  // A password is not repeated.
  const shown = url?.username ? "An address with a user name" : JSON.stringify(address);
  throw new SearchConfigurationError(
    `${shown} is no address of a SearXNG server; accepted: http://localhost:8888.`,
  );
}

function folderProvider(folder: BrowserBackend): SearchProvider {
  return {
    name: "local",
    search: (query, topn, signal) => folder.search(query, topn, signal),
    // The folder is closed with the backend.
    close: async () => {},
  };
}
