/** A plugin as the rest of the program sees it: tools that start its process again when it is gone. */
import { resolve } from "node:path";
import type { JsonSchema } from "../../harmony/index.ts";
import { verifyTool } from "../calls/arguments.ts";
import type { Tool, ToolAnnotations } from "../core/tool.ts";
import { findIsolatedVm, findOsSandbox, type OsSandbox } from "../isolate/index.ts";
import { PluginLoadError } from "./errors.ts";
import type { GuestTool } from "./guest-data.ts";
import { createHostFunctions, type PluginNetOptions } from "./host-functions.ts";
import { type PluginManifest, readManifest } from "./manifest.ts";
import {
  type Grant,
  type GrantedPermissions,
  intersect,
  missingGrants,
  NOTHING,
} from "./permissions.ts";
import { PluginProcess } from "./plugin-process.ts";
import type { ReadSource } from "./sources.ts";

export type PluginOptions = {
  /** What the user allows (`parseGrants`). Default: nothing. */
  readonly grant?: Grant;
  /** What relative paths and package names are seen from. Default: the current folder. */
  readonly folder?: string;
  /** The other tools, which a plugin may be granted; asked at every call. Default: none. */
  readonly tools?: () => readonly Tool[];
  /** Where granted environment variables are read. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly net?: PluginNetOptions;
  /** What the plugin logs, line by line; strangers' text. Default: nothing is done with it. */
  readonly onLog?: (text: string) => void;
  /** Gets what of a tool's schema is not enforced, or is read otherwise than it is written, a sentence each. */
  readonly onWarning?: (sentence: string) => void;
};

export type Plugin = AsyncDisposable & {
  readonly manifest: PluginManifest;
  readonly granted: GrantedPermissions;
  /** What it asks for and was not granted, as `parseGrants` reads it. */
  readonly missing: readonly string[];
  readonly tools: readonly Tool[];
  /** What it searches with, by the names in its manifest; not among `tools`. */
  readonly searchTools: readonly Tool[];
  /** Ends its process. The tools do so as well when the last of them is closed. */
  close(): Promise<void>;
};

/**
 * Reads a plugin's manifest, starts its process, and has it say which tools it defines.
 *
 * @param plugin  a folder, or the name of an installed npm package
 * @throws PluginManifestError, PluginLoadError, HostPatternError
 */
export async function loadPlugin(plugin: string, options: PluginOptions = {}): Promise<Plugin> {
  const folder = resolve(options.folder ?? ".");
  const manifest = await readManifest(plugin, folder);
  return startPlugin(manifest, { ...options, folder });
}

/** @param readSource  where modules come from that are in no folder */
export async function startPlugin(
  manifest: PluginManifest,
  options: PluginOptions & { readonly folder: string },
  readSource?: () => ReadSource,
): Promise<Plugin> {
  const { grant = NOTHING, folder } = options;
  checkIsolation(manifest, grant);
  const granted = intersect(manifest.permissions, grant, folder);
  const host = createHostFunctions({
    granted,
    folder,
    tools: options.tools ?? (() => []),
    env: options.env ?? process.env,
    net: options.net ?? {},
  });
  const start = (): PluginProcess =>
    new PluginProcess({
      manifest,
      granted,
      host,
      ...(readSource && { readSource: readSource() }),
      onLog: options.onLog ?? (() => undefined),
    });

  let current = start();
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
    current.kill();
    await Promise.all([current.exited, host.close()]);
  };
  /** A process that is loaded: the one there is, or a new one. */
  const running = async (): Promise<PluginProcess> => {
    await current.settled();
    if (isClosed) throw new Error("the plugin is closed.");
    if (!current.alive) current = start();
    await current.loaded;
    return current;
  };

  let defined: readonly GuestTool[];
  try {
    defined = await current.loaded;
    checkNames(defined, manifest);
  } catch (cause) {
    await close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PluginLoadError(manifest.name, `${why.replace(/\.$/, "")}.`, { cause });
  }
  let unclosed = defined.length;
  const tools = defined.map(
    (tool): Tool => ({
      recipient: `functions.${tool.name}`,
      description: tool.description,
      inputSchema: tool.inputSchema as JsonSchema,
      timeoutMs: tool.timeoutMs,
      annotations: { ...hintsOf(manifest, granted), ...tool.annotations },
      origin: "plugin",
      ...(tool.needsApproval && { needsApproval: true }),
      async execute(input, context) {
        const process = await running();
        if (context.signal.aborted) throw new Error("the run was cancelled.");
        try {
          return await process.call(tool, input, context);
        } catch (error) {
          if (process.alive) throw error;
          const why = error instanceof Error ? error.message : String(error);
          throw new Error(`${why} The plugin starts anew; what it kept in memory is gone.`);
        }
      },
      async close() {
        if (--unclosed === 0) await close();
      },
    }),
  );
  try {
    for (const tool of tools) {
      for (const warning of await verifyTool(tool)) {
        options.onWarning?.(`${tool.recipient}: ${warning}`);
      }
    }
  } catch (cause) {
    await close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PluginLoadError(manifest.name, `a tool's schema cannot be used. ${why}`, { cause });
  }
  const missing = missingGrants(manifest.permissions, granted, folder);
  const isSearch = ({ recipient }: Tool): boolean =>
    manifest.search.includes(recipient.slice("functions.".length));
  return {
    manifest,
    granted,
    missing,
    tools: tools.filter((tool) => !isSearch(tool)),
    searchTools: tools.filter(isSearch),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * What the grants rule out, so that an author need not say it. A plugin in a process of its own may know ways
 * around them.
 */
function hintsOf({ isolation }: PluginManifest, { net, fs, tools }: GrantedPermissions) {
  const isClosed = isolation === "isolate" && net.length === 0 && tools.length === 0;
  const isPure = isClosed && fs.write.length === 0;
  return {
    ...(isClosed && { openWorldHint: false }),
    ...(isPure && { readOnlyHint: true, destructiveHint: false }),
  } satisfies ToolAnnotations;
}

function checkIsolation({ name, isolation }: PluginManifest, grant: Grant): void {
  if (isolation === "process") {
    if (grant.process) return;
    throw new PluginLoadError(
      name,
      `it asks for a process of its own without an isolate: ${freedomOfProcess()}. The grant "process" allows it.`,
    );
  }
  const binary = findIsolatedVm();
  if (binary.path === null) {
    throw new PluginLoadError(name, `plugins need isolated-vm. ${binary.problem}`);
  }
}

/** What the code of a plugin without an isolate can do here, as the end of a sentence. */
function freedomOfProcess(): string {
  let osSandbox: OsSandbox | null = null;
  try {
    osSandbox = findOsSandbox();
  } catch {
    // Then nothing is started either; the worst is what can be said.
  }
  switch (osSandbox) {
    case "bubblewrap":
    case "namespaces":
      return "this system keeps it from the network, from your files, sockets and processes";
    case "network-namespace":
      return "this system keeps it from the network and your processes, but it could open your Unix sockets";
    default:
      return "it could use the network, open your Unix sockets and signal your processes";
  }
}

function checkNames(defined: readonly GuestTool[], { tools, search }: PluginManifest): void {
  const names = defined.map(({ name }) => name);
  const lacking = search.find((name) => !names.includes(name));
  if (lacking !== undefined) {
    throw new Error(
      `its manifest promises the search ${lacking}, and its code defines ${names.join(", ") || "nothing"}.`,
    );
  }
  if (tools === undefined) return;
  const unexpected = names.filter((name) => !tools.includes(name));
  const absent = tools.filter((name) => !names.includes(name));
  if (unexpected.length === 0 && absent.length === 0) return;
  throw new Error(
    `its manifest promises the tools ${tools.join(", ")}, and its code defines ${names.join(", ")}.`,
  );
}
