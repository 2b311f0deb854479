/**
 * Everything a run of the command line, the server or a job works with, opened in one place from one
 * configuration and closed together: state folder, model, Python, tool modules, plugins, MCP servers, documents,
 * conversations.
 */
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { PrefixCacheOptions } from "../inference/index.ts";
import {
  type BrowserTools,
  createBrowserTools,
  createPythonTool,
  type InputFile,
  loadPlugin,
  loadToolModule,
  type McpServers,
  nameOf,
  openPythonPackages,
  PACKAGE_FOLDER,
  PackageError,
  type Plugin,
  type PythonPackages,
  type PythonTool,
  parseGrants,
  pythonProblem,
  readInputFiles,
  type Tool,
  toolProvider,
  type WebOptions,
} from "../tools/index.ts";
import { configFolder, type Home, homePath, openHome } from "./home.ts";
import { type McpConfiguration, type McpServersOption, startMcpServers } from "./mcp-servers.ts";
import type { HarmonyModel } from "./model/harmony-model.ts";
import type { LanguageModel } from "./model/language-model.ts";
import { type LoadModelOptions, loadModel } from "./model/load-model.ts";
import { loadRemoteModel } from "./model/remote-model.ts";
import { underPolicy } from "./policy/nested-calls.ts";
import { openPolicy, type PolicyPlaces } from "./policy/open-policy.ts";
import type { Policy } from "./policy/policy.ts";
import { SqliteThreadStore } from "./thread/sqlite-store.ts";
import { MemoryThreadStore, type ThreadStore } from "./thread/store.ts";

export { mcpAuthorizationFile } from "./mcp-servers.ts";
export { toolFacts } from "./policy/effects.ts";
export { fingerprintOf } from "./policy/fingerprint.ts";
export {
  type OpenedPolicy,
  openPolicy,
  type PolicyPlaces,
  policyStore,
  projectPolicyPath,
  trustPolicyFile,
} from "./policy/open-policy.ts";
export { describeChange } from "./policy/tool-change.ts";

export type PluginConfiguration = {
  /** Folder or npm package. */
  readonly path: string;
  /** What it may use: `net:HOST`, `fs:read:PATH`, `tools:NAME` …; see `parseGrants`. */
  readonly grants: readonly string[];
};

export type PythonConfiguration = {
  /** Copies of these files are what cells can read, in `/mnt/data`. */
  readonly files?: readonly string[] | undefined;
  /** Where files that cells write to `/outputs` land. Default: a new folder of the state. */
  readonly artifacts?: string | undefined;
  /** Of the installed packages, those that cells may import. Default: all. */
  readonly packages?: readonly string[] | undefined;
};

/** Which services are searched, and how pages are fetched. */
export type WebConfiguration = Pick<WebOptions, "search" | "searxng" | "client" | "purpose">;

export type ModelConfiguration = Omit<LoadModelOptions, "prefixCache"> & {
  /** As for `loadModel`; absent: the embedded model. With `engines` the model whose vocabulary they have. */
  readonly path?: string | undefined;
  /** Servers that compute the tokens, in place of this process; as for `loadRemoteModel`. */
  readonly engines?: readonly string[] | undefined;
  /** A file with a key for them. */
  readonly engineKeyFile?: string | undefined;
  /** Most bytes of disk for computed prefixes of prompts; 0: none. Default 4 GiB. */
  readonly prefixCacheBytes?: number | undefined;
};

export type PolicyConfiguration = Partial<Pick<PolicyPlaces, "file" | "configuration" | "folder">>;

export type EnvironmentOptions = {
  /** Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly model?: ModelConfiguration | undefined;
  /** A model that is open already, in place of the one that `model` names; the environment closes it. */
  readonly languageModel?: LanguageModel | undefined;
  /** false: without Python. */
  readonly python?: PythonConfiguration | false | undefined;
  /** Whether Python starts while the model is loaded, not with its first call. Default: no. */
  readonly startsPython?: boolean | undefined;
  /** Modules that export tools. */
  readonly toolModules?: readonly string[] | undefined;
  readonly plugins?: readonly PluginConfiguration[] | undefined;
  /**
   * Servers by name, as the `mcpServers` of other programs; or what `parseMcpServers` made of several such
   * configurations. One that cannot be used is a note, unless it is `required`.
   */
  readonly mcpServers?: McpServersOption;
  readonly mcp?: McpConfiguration | undefined;
  /** Folder of documents that the model may search and read. */
  readonly documents?: string | undefined;
  /** Lets the model search the web and open its pages; `{}` as it is. Default: it does not. */
  readonly web?: WebConfiguration | undefined;
  /** The rules about calls. Default: those of the files that are found; see `openPolicy`. false: none. */
  readonly policy?: PolicyConfiguration | false | undefined;
  /** Whether conversations are kept in the state folder. Default true; else in memory. */
  readonly keepThreads?: boolean | undefined;
  /** Whether the index of the documents is kept in the state folder. Default: as `keepThreads`. */
  readonly keepIndex?: boolean | undefined;
  /** Gets sentences for the person who watches. */
  readonly onNote?: ((sentence: string) => void) | undefined;
  /** Gets how far the reading of the documents has come, again and again. */
  readonly onProgress?: ((text: string) => void) | undefined;
  /** Gets what plugins log. */
  readonly onPluginLog?: ((text: string) => void) | undefined;
};

export type Environment = AsyncDisposable & {
  readonly home: Home;
  readonly model: LanguageModel;
  /** All tools, with those that MCP servers offer now; the environment closes them. */
  readonly tools: readonly Tool[];
  /** Absent where it was not wanted, or its sandbox is missing. */
  readonly python: PythonTool | undefined;
  readonly browser: BrowserTools | undefined;
  readonly plugins: readonly Plugin[];
  /** Absent where none was named. */
  readonly mcp: McpServers | undefined;
  /** For `AgentOptions`; undefined where none was wanted. */
  readonly policy: Policy | undefined;
  /** Where the user's files are, for the instructions; undefined where there are none. */
  readonly briefing: string | undefined;
  readonly threads: ThreadStore;
  close(): Promise<void>;
};

/**
 * What the user named is checked before the model is opened, since that may take a while.
 * @throws ToolsError, UsageError, ModelError, InferenceError, ThreadStoreError; what was opened is closed again
 */
export async function openEnvironment(options: EnvironmentOptions = {}): Promise<Environment> {
  const { env = process.env, onNote = () => {} } = options;
  await using opened = new AsyncDisposableStack();
  const home = openHome(env, onNote);
  opened.defer(() => home.close());
  const threads = opened.use(openThreads(home, options.keepThreads ?? true));
  const policy =
    options.policy === false ? undefined : await policyOf(options.policy ?? {}, home, env, onNote);
  const keepIndex = options.keepIndex ?? options.keepThreads;
  const toolset = opened.use(await openToolset({ ...options, keepIndex }, home, policy));
  if (options.startsPython) void toolset.python?.warmUp();
  const model = opened.use(
    options.languageModel ?? (await openModelOf(options.model ?? {}, home, onNote)),
  );
  const mcp = await toolset.ready();
  const kept = opened.move();
  const close = (): Promise<void> => kept.disposeAsync();
  const { python, browser, plugins, briefing } = toolset;
  return {
    home,
    model,
    get tools() {
      return toolset.tools;
    },
    mcp,
    python,
    browser,
    plugins,
    policy,
    briefing,
    threads,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The tools of an environment. */
export type Toolset = AsyncDisposable &
  Pick<Environment, "python" | "browser" | "plugins" | "briefing"> & {
    /** With those that MCP servers offer now, once they are ready. */
    readonly tools: readonly Tool[];
    /** Waits for the MCP servers. @throws McpError for a required server that cannot be used */
    ready(): Promise<McpServers | undefined>;
  };

/**
 * Everything of an environment that a model may call. MCP servers start meanwhile.
 * @param policy decides about the calls that plugins make of tools
 * @throws ToolsError, UsageError; what was opened is closed again
 */
export async function openToolset(
  options: Omit<EnvironmentOptions, "model" | "keepThreads" | "policy">,
  home: Home,
  policy?: Policy,
): Promise<Toolset> {
  const { env = process.env, onNote = () => {} } = options;
  await using opened = new AsyncDisposableStack();
  const artifactFolder = newArtifactFolder(home);
  const tools: Tool[] = [];
  const servers = opened.use(
    startMcpServers(options, {
      env,
      home,
      artifactFolder,
      onNote,
      takenNames: () => tools.map(({ recipient }) => nameOf(recipient)),
    }),
  );
  const python =
    options.python === false
      ? null
      : await openPython(options.python ?? {}, home, env, onNote, artifactFolder);
  const others = opened.use(
    await openTools({ ...options, rules: policy, home }, python === null ? [] : [python.tool]),
  );
  tools.push(...others.tools);
  let mcp: McpServers | undefined;
  const kept = opened.move();
  return {
    get tools() {
      return mcp === undefined ? tools : [...tools, ...mcp.tools];
    },
    python: python?.tool,
    browser: others.browser,
    plugins: others.plugins,
    briefing: python?.briefing,
    async ready() {
      mcp = await servers.ready();
      return mcp;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/**
 * A model as the environment opens it, for a caller that changes the model while the environment stays open.
 * @throws ModelError, InferenceError
 */
export function openModelOf(
  { path, engines = [], engineKeyFile, prefixCacheBytes, ...loading }: ModelConfiguration,
  home: Home,
  onNote: (sentence: string) => void,
): Promise<HarmonyModel> {
  if (engines.length > 0) {
    const { contextLength, maxSessions } = loading;
    return loadRemoteModel(engines, {
      vocabularyOf: path,
      keyFile: engineKeyFile,
      contextLength,
      maxSessions,
      onNote,
    });
  }
  return loadModel(path, { ...loading, ...prefixCache(path, home, prefixCacheBytes, onNote) });
}

/** @throws PolicyError */
async function policyOf(
  places: PolicyConfiguration,
  home: Home,
  env: NodeJS.ProcessEnv,
  onNote: (sentence: string) => void,
): Promise<Policy> {
  const configuration = places.configuration ?? configFolder(env);
  const { policy, files } = await openPolicy({ ...places, configuration, state: home.path });
  for (const { path, isTrusted } of files) {
    if (!isTrusted) onNote(`The policy ${path} does not count, since it is not trusted as it is.`);
  }
  return policy;
}

export type OpenedTools = AsyncDisposable & {
  readonly tools: readonly Tool[];
  readonly plugins: readonly Plugin[];
  readonly browser: BrowserTools | undefined;
};

/**
 * The tools of modules, plugins and documents, behind those that are given; all are closed together.
 * @throws ToolsError; what was opened is closed again
 */
export async function openTools(
  options: Pick<
    EnvironmentOptions,
    | "env"
    | "toolModules"
    | "plugins"
    | "documents"
    | "keepIndex"
    | "web"
    | "onNote"
    | "onProgress"
    | "onPluginLog"
  > & {
    /** Where the index of the documents and fetched pages are kept; absent: they go with the process. */
    readonly home?: Home | undefined;
    /** What plugins may call of other tools is decided by these as well. */
    readonly rules?: Policy | undefined;
  },
  given: readonly Tool[] = [],
): Promise<OpenedTools> {
  const { env = process.env, onNote = () => {}, onPluginLog, rules } = options;
  const tools = [...given];
  const plugins: Plugin[] = [];
  await using opened = new AsyncDisposableStack();
  opened.defer(async () => {
    await Promise.allSettled(tools.map((tool) => tool.close?.()));
    await Promise.allSettled(plugins.map((plugin) => plugin.close()));
  });
  for (const path of options.toolModules ?? []) {
    tools.push(...(await loadToolModule(path, { onWarning: onNote })));
  }
  for (const { path, grants } of options.plugins ?? []) {
    const plugin = await loadPlugin(path, {
      grant: parseGrants(grants),
      env,
      tools: () => (rules === undefined ? tools : tools.map((tool) => underPolicy(tool, rules))),
      onWarning: onNote,
      ...(onPluginLog && { onLog: onPluginLog }),
    });
    plugins.push(plugin);
    tools.push(...plugin.tools);
  }
  const browser = await openBrowser(options, plugins);
  if (browser !== undefined) tools.push(...browser.tools);
  const kept = opened.move();
  return { tools, plugins, browser, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** @throws ToolsError; undefined where neither documents nor the web are wanted */
async function openBrowser(
  options: Parameters<typeof openTools>[0],
  plugins: readonly Plugin[],
): Promise<BrowserTools | undefined> {
  const { documents, web, home, env, onNote = () => {}, onProgress = () => {} } = options;
  if (documents === undefined && web === undefined) return undefined;
  const providers = plugins.flatMap(({ searchTools }) => searchTools.map(toolProvider));
  const cache = webCache(home);
  return createBrowserTools({
    docs: documents,
    indexFolder: options.keepIndex === false ? undefined : indexFolder(home),
    onProgress: ({ done, of }) => onProgress(`reading documents: ${done} of ${of}`),
    web: web && {
      ...web,
      client: {
        ...(cache !== undefined && { cache }),
        warn: onNote,
        ...web.client,
        proxy: { env, ...web.client?.proxy },
      },
      env,
      providers,
      onNote,
    },
  });
}

/** Where fetched pages are kept; undefined for a state folder that goes with the process. */
function webCache(home: Home | undefined): { readonly path: string } | undefined {
  return home === undefined || home.temporary ? undefined : { path: join(home.path, "web.sqlite") };
}

/** Where indexes of documents are kept; undefined for a state folder that goes with the process. */
function indexFolder(home: Home | undefined): string | undefined {
  return home === undefined || home.temporary ? undefined : join(home.path, "documents");
}

/** The file of conversations in a state folder. */
export function threadsPath(home: Pick<Home, "path">): string {
  return join(home.path, "threads.sqlite");
}

function openThreads(home: Home, isKept: boolean): ThreadStore {
  return isKept ? new SqliteThreadStore(threadsPath(home)) : new MemoryThreadStore();
}

export type OpenedPython = {
  readonly tool: PythonTool;
  /** Where the user's files are, for the instructions; undefined where there are none. */
  readonly briefing: string | undefined;
};

/**
 * @param artifactFolder  for what cells write, where the configuration names none
 * @returns null where the sandbox is missing: the model is not offered what cannot run
 * @throws ToolsError for a file or a package that cannot be given
 */
export async function openPython(
  { files: paths = [], artifacts, packages: named }: PythonConfiguration,
  home: Home,
  env: NodeJS.ProcessEnv,
  onNote: (sentence: string) => void,
  artifactFolder: string = newArtifactFolder(home),
): Promise<OpenedPython | null> {
  const files = await readInputFiles(paths);
  const problem = pythonProblem();
  if (problem !== null) {
    onNote(problem);
    return null;
  }
  const packages = await openPackages(named, env, onNote);
  const tool = createPythonTool({
    cacheDir: home.path,
    files,
    artifactFolder: artifacts === undefined ? artifactFolder : resolve(artifacts),
    ...(packages && { packages }),
  });
  return { tool, briefing: briefing(files, artifacts !== undefined) };
}

/** Where installed Python packages are kept. */
export function packageFolder(env: NodeJS.ProcessEnv): string {
  return join(homePath(env), PACKAGE_FOLDER);
}

/**
 * The packages that were named; else all that are installed, or none where those cannot be read.
 * @throws PackageError for a name that is not installed
 */
export async function openPackages(
  named: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
  onNote: (sentence: string) => void,
): Promise<PythonPackages | undefined> {
  try {
    return await openPythonPackages({
      folder: packageFolder(env),
      allow: named ?? "all",
      installCommand: "chorale python install",
    });
  } catch (error) {
    const isUnreadable = error instanceof PackageError && error.code === "CHORALE_PACKAGE_STORE";
    if (named !== undefined || !isUnreadable) throw error;
    onNote(error.message);
    return undefined;
  }
}

/** Where the files of cells are, in a folder for each environment. */
export function artifactBase(home: Home): string {
  // A temporary state folder goes with the run, and what the model made should not.
  return home.temporary ? join(tmpdir(), "chorale-artifacts") : join(home.path, "artifacts");
}

/** Of this environment alone; it is created with the first file. */
function newArtifactFolder(home: Home): string {
  const time = new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");
  return join(artifactBase(home), `${time}-${randomBytes(3).toString("hex")}`);
}

/** Only where the user asked for it: the trained prompt stays as it is otherwise. */
function briefing(files: readonly InputFile[], keepsFiles: boolean): string | undefined {
  const sentences: string[] = [];
  if (files.length > 0) {
    const list = files.map(({ name, bytes }) => `/mnt/data/${name} (${bytes.length} bytes)`);
    sentences.push(`Files of the user, readable in Python: ${list.join(", ")}.`);
  }
  if (keepsFiles || files.length > 0) {
    sentences.push("Files that Python code writes to /mnt/data or /outputs are given to the user.");
  }
  return sentences.length === 0 ? undefined : sentences.join(" ");
}

const PREFIX_CACHE_BYTES = 4 * 2 ** 30;

/** The embedded model reads its prompt in less time than a file. */
function prefixCache(
  model: string | undefined,
  home: Home,
  maxBytes: number = PREFIX_CACHE_BYTES,
  onProblem: (sentence: string) => void,
): { readonly prefixCache?: PrefixCacheOptions } {
  if (model === undefined || maxBytes === 0) return {};
  return { prefixCache: { path: join(home.path, "prefixes"), maxBytes, onProblem } };
}
