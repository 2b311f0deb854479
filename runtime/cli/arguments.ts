/** The arguments of a command, read: flags, settings with what the configuration says, and what has a place. */
import { UsageError } from "../errors.ts";
import type { Command } from "./command/command.ts";
import { camelCase, type Flags, readFlag } from "./command/flag.ts";
import { allSettings } from "./command/walk.ts";
import { COMMANDS } from "./commands.ts";
import { type ConfigFile, configPath, readConfigFile } from "./config-file.ts";
import type { Called } from "./find-command.ts";
import { checkKeys, type Given, givenSettings, type Sources } from "./settings.ts";

/** @throws UsageError for a value that a flag does not accept, and for a configuration that cannot be read */
export async function readArguments(
  { command, flags: line, places }: Extract<Called, { readonly command: Command }>,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, unknown>>> {
  const { flags, settings, exclusive } = command;
  const hasSettings = Object.keys(settings).length > 0;
  const sources = hasSettings && { line, env, config: await configurationFor(command, env) };
  const given = new Map([
    ...givenFlags(flags, line),
    ...(sources ? settingsFor(command, sources) : []),
  ]);
  for (const [one, other] of exclusive) settleExclusive(given, one, other);
  const read = Object.entries({ ...flags, ...settings }).map(([name, flag]) => {
    const { texts = [], name: place = `--${name}` } = given.get(name) ?? {};
    return [camelCase(name), readFlag(flag, texts, place)] as const;
  });
  return { ...Object.fromEntries(read), ...places };
}

/** A command that mends the configuration takes of it what can be read. */
function settingsFor(
  { settings, mendsConfiguration }: Command,
  sources: Sources,
): ReadonlyMap<string, Given> {
  if (!mendsConfiguration) return givenSettings(settings, sources);
  const readable = Object.entries(settings).flatMap(([name, flag]) => {
    try {
      if (sources.line.has(name)) return givenFlags({ [name]: flag }, sources.line);
      const given = givenSettings({ [name]: flag }, sources).get(name);
      if (given === undefined) return [];
      readFlag(flag, given.texts, given.name);
      return [[name, given] as const];
    } catch {
      return [];
    }
  });
  return new Map(readable);
}

async function configurationFor(
  { settings, mendsConfiguration }: Command,
  env: NodeJS.ProcessEnv,
): Promise<ConfigFile> {
  try {
    const config = readConfigFile(env);
    await checkKeys(config, settings, () => allSettings(COMMANDS));
    return config;
  } catch (error) {
    if (!mendsConfiguration) throw error;
    return {
      path: configPath(env),
      exists: false,
      settings: {},
      profile: undefined,
      profiles: {},
    };
  }
}

function givenFlags(
  flags: Flags,
  line: ReadonlyMap<string, readonly string[]>,
): readonly (readonly [string, Given])[] {
  return Object.keys(flags).flatMap((name) => {
    const texts = line.get(name);
    return texts === undefined
      ? []
      : [[name, { texts, source: "flag", name: `--${name}`, place: `--${name}` }] as const];
  });
}

const STRENGTH = ["configuration", "profile", "environment", "flag"] as const;

/** Of two that exclude each other the one of the stronger source stays. @throws UsageError for equal ones */
function settleExclusive(given: Map<string, Given>, one: string, other: string): void {
  const [first, second] = [given.get(one), given.get(other)];
  if (first === undefined || second === undefined) return;
  const difference = STRENGTH.indexOf(first.source) - STRENGTH.indexOf(second.source);
  if (difference === 0)
    throw new UsageError(`${first.name} and ${second.name} exclude each other.`);
  given.delete(difference > 0 ? other : one);
}
