/** The plugins of a command: what the user named and granted. */
import { resolve } from "node:path";
import { type Plugin, parseGrants, readManifest } from "../../tools/index.ts";
import type { PluginConfiguration } from "../environment.ts";
import { UsageError } from "../errors.ts";

export type PluginArguments = {
  readonly plugin: readonly string[];
  readonly grant: readonly string[];
};

/**
 * What each plugin is granted, from the flags.
 * @throws UsageError, GrantError, PluginManifestError
 */
export async function pluginConfigurations({
  plugin: plugins,
  grant: grants,
}: PluginArguments): Promise<readonly PluginConfiguration[]> {
  if (grants.length > 0 && plugins.length === 0) {
    throw new UsageError("--grant is for plugins; name them with --plugin.");
  }
  const names = await Promise.all(
    plugins.map(async (path) => (await readManifest(path, resolve("."))).name),
  );
  const given = grantsByPlugin(grants, names);
  return plugins.map((path, at) => ({ path, grants: given.get(names[at] ?? "") ?? [] }));
}

/**
 * What is granted to one plugin is not granted to another: where there are several, each grant names its
 * own (`weather=net:api.example.com`).
 *
 * @throws UsageError, GrantError
 */
function grantsByPlugin(
  grants: readonly string[],
  names: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const known = names.join(", ");
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined && grants.length > 0) {
    throw new UsageError(
      `Two plugins are named ${twice}, so nothing can be granted to one of them.`,
    );
  }
  const given = new Map<string, string[]>();
  for (const grant of grants) {
    const [, plugin, permission = grant] = SCOPED.exec(grant) ?? [];
    parseGrants([permission]);
    if (plugin !== undefined && !names.includes(plugin)) {
      throw new UsageError(`--grant ${grant}: there is no plugin ${plugin}; there are ${known}.`);
    }
    if (plugin === undefined && names.length > 1) {
      throw new UsageError(
        `--grant ${grant} does not say which plugin it is for; accepted: --grant NAME=${grant}, with NAME one of ${known}.`,
      );
    }
    const name = plugin ?? names[0] ?? "";
    given.set(name, [...(given.get(name) ?? []), permission]);
  }
  return given;
}

/** A plugin's name in front of a grant; no kind of grant has an equals sign before its colon. */
const SCOPED = /^([^:=]+)=(.+)$/s;

/** What a plugin may miss, as a sentence; null when it has all that it asks for. */
export function missingNote({ manifest, missing }: Plugin): string | null {
  if (missing.length === 0) return null;
  const flags = missing.map((grant) => `--grant ${manifest.name}=${grant}`).join(" ");
  return `plugin ${manifest.name} asks for what it was not granted: ${flags}`;
}
