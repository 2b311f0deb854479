/** `chorale config`: what each setting is, and which of its sources says so. */
import { messageOf, UsageError } from "../errors.ts";
import { type Flags, readFlag } from "./command/flag.ts";
import { allSettings } from "./command/walk.ts";
import type { CommandContext } from "./command-context.ts";
import { configPath, readConfigFile } from "./config-file.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import {
  checkKeys,
  givenSettings,
  profileName,
  type Source,
  type Sources,
  unknownSetting,
} from "./settings.ts";
import { visibleText } from "./terminal-text.ts";

export type SettingState = {
  /** As a command would get it; absent where nothing gives it. */
  readonly value?: unknown;
  readonly source: Source | "default";
  /** The file, profile or variable; absent for a default. */
  readonly place?: string;
  /** Why the value is none. */
  readonly problem?: string;
};

type ListArguments = { readonly profile: string | undefined; readonly json: boolean };

/** One line for each setting; status 2 when a value is none. */
export async function listCommand(
  { profile, json }: ListArguments,
  { output, env, commands }: CommandContext,
): Promise<ExitCode> {
  const sources = sourcesOf(profile, env);
  const settings = await allSettings(commands);
  await checkKeys(sources.config, settings, async () => settings);
  const active = profileName(sources);
  const { path, exists, profiles } = sources.config;
  const states = settingStates(settings, sources);
  const problems = Object.values(states).flatMap(({ problem }) => problem ?? []);
  if (json) {
    output.jsonLine({
      path,
      exists,
      profile: active ?? null,
      profiles: Object.keys(profiles),
      settings: states,
    });
    return problems.length === 0 ? EXIT.ok : EXIT.usage;
  }
  output.line(`Configuration: ${visibleText(path)}${exists ? "" : " (not there yet)"}`);
  const named = Object.keys(profiles).map((name) => (name === active ? `${name} (in use)` : name));
  output.line(`Profiles: ${named.length === 0 ? "none" : visibleText(named.join(", "))}`);
  output.line("");
  const width = Math.max(...Object.keys(states).map((name) => name.length));
  const shown = Object.entries(states).map(
    ([name, { value, source, place }]) =>
      [
        name,
        value === undefined ? "" : visibleText(withoutPassword(text(value))),
        place ?? source,
      ] as const,
  );
  const valueWidth = Math.min(40, Math.max(...shown.map(([, value]) => value.length)));
  for (const [name, value, place] of shown) {
    const from = output.paint(visibleText(place), "2");
    output.line(`${name.padEnd(width)}  ${value.padEnd(valueWidth)}  ${from}`);
  }
  for (const problem of problems) output.problem(problem);
  return problems.length === 0 ? EXIT.ok : EXIT.usage;
}

/** @throws UsageError for a name that is none, with the nearest one */
export async function getCommand(
  { name, profile, json }: ListArguments & { readonly name: string },
  { output, env, commands }: CommandContext,
): Promise<ExitCode> {
  const sources = sourcesOf(profile, env);
  if (name === "profile") {
    const active = profileName(sources);
    if (json) output.jsonLine(active ?? null);
    else if (active !== undefined) output.line(visibleText(active));
    return active === undefined ? EXIT.failed : EXIT.ok;
  }
  const settings = await allSettings(commands);
  if (!Object.hasOwn(settings, name)) throw await unknownSetting(name, Object.keys(settings));
  const state = settingStates(settings, sources)[name];
  if (state?.problem !== undefined) throw new UsageError(state.problem);
  if (json) output.jsonLine(state?.value ?? null);
  else if (state?.value !== undefined) {
    const values = Array.isArray(state.value) ? state.value : [state.value];
    for (const value of values) output.line(visibleText(text(value)));
  }
  return state?.source === "default" ? EXIT.failed : EXIT.ok;
}

export async function pathCommand({ output, env }: CommandContext): Promise<ExitCode> {
  output.line(configPath(env));
  return EXIT.ok;
}

/** Every setting as a command would get it. */
export function settingStates(
  settings: Flags,
  sources: Sources,
): Readonly<Record<string, SettingState>> {
  const states = Object.entries(settings).map(([name, flag]): [string, SettingState] => {
    try {
      const given = givenSettings({ [name]: flag }, sources).get(name);
      if (given === undefined) return [name, { source: "default" }];
      const { source, texts, place } = given;
      try {
        return [name, { value: readFlag(flag, texts, given.name), source, place }];
      } catch (error) {
        return [name, { value: texts.join(" "), source, place, problem: messageOf(error) }];
      }
    } catch (error) {
      return [name, { source: "configuration", problem: messageOf(error) }];
    }
  });
  return Object.fromEntries(states);
}

function sourcesOf(profile: string | undefined, env: NodeJS.ProcessEnv): Sources {
  const line = new Map(profile === undefined ? [] : [["profile", [profile]]]);
  return { line, env, config: readConfigFile(env) };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** An address without its password: a listing is shown to others. */
function withoutPassword(shown: string): string {
  return shown.replace(/(:\/\/[^\s/:@]*):[^\s/]*@/g, "$1:…@");
}
