/** The plugins of a command: what the user named and granted. */
import { loadPlugin, type Plugin, parseGrants, type Tool } from "../../tools/index.ts";
import { UsageError } from "../errors.ts";
import type { Output } from "./output.ts";

export type PluginArguments = {
  readonly plugins: readonly string[];
  readonly grants: readonly string[];
};

/**
 * Loads them and adds their tools to `tools`, of which plugins may be granted the others. Who closes the
 * tools closes the plugins.
 *
 * @throws UsageError, ToolsError: what was loaded is among `tools`
 */
export async function openPlugins(
  { plugins, grants }: PluginArguments,
  tools: Tool[],
  { env, output }: { readonly env: NodeJS.ProcessEnv; readonly output: Output },
): Promise<readonly Plugin[]> {
  if (grants.length > 0 && plugins.length === 0) {
    throw new UsageError("--grant is for plugins; name them with --plugin.");
  }
  const grant = parseGrants(grants);
  const loaded: Plugin[] = [];
  for (const path of plugins) {
    const onLog = (text: string): void => output.watchLines("log", text, "result");
    const plugin = await loadPlugin(path, { grant, env, tools: () => tools, onLog });
    loaded.push(plugin);
    tools.push(...plugin.tools);
  }
  return loaded;
}

/** What a plugin may miss, as a sentence; null when it has all that it asks for. */
export function missingNote({ manifest, missing }: Plugin): string | null {
  if (missing.length === 0) return null;
  const flags = missing.map((grant) => `--grant ${grant}`).join(" ");
  return `plugin ${manifest.name} asks for what it was not granted: ${flags}`;
}
