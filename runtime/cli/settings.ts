/**
 * Where each setting comes from. The configuration is the weakest source, then its profile, then the environment
 * (`CHORALE_TOP_P` for `top-p`), then the flag on the command line.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import type { Flag, Flags } from "./command/flag.ts";
import { isList } from "./command/flag.ts";
import { type ConfigFile, textsOf } from "./config-file.ts";

export type Source = "configuration" | "profile" | "environment" | "flag";

/** What was given for a flag, in the strongest place that gives it. */
export type Given = {
  readonly texts: readonly string[];
  readonly source: Source;
  /** How the value is called in a sentence, like `--seed` or `seed in config.json`. */
  readonly name: string;
  /** Where it stands: the flag, the variable, the profile or the file. */
  readonly place: string;
};

/** `top-p` → `CHORALE_TOP_P` */
export function environmentVariable(setting: string): string {
  return `CHORALE_${setting.toUpperCase().replaceAll("-", "_")}`;
}

export type Sources = {
  /** Flag → what the command line gives for it. */
  readonly line: ReadonlyMap<string, readonly string[]>;
  readonly env: NodeJS.ProcessEnv;
  readonly config: ConfigFile;
};

/**
 * What is given for settings; one that no source gives is not in the map.
 * @throws UsageError for a profile that is not there, or a value that no setting can have
 */
export function givenSettings(settings: Flags, sources: Sources): ReadonlyMap<string, Given> {
  const { line, env, config } = sources;
  const profile = profileName(sources);
  const found = Object.entries(settings).map(([name, flag]) => {
    const given =
      fromLine(name, line) ??
      fromEnvironment(name, flag, env) ??
      (profile === undefined
        ? undefined
        : fromFile(
            [name, flag],
            "profile",
            config.profiles[profile],
            profilePlace(profile, config),
            env,
          )) ??
      fromFile([name, flag], "configuration", config.settings, config.path, env);
    return [name, given] as const;
  });
  return new Map(found.filter((entry): entry is [string, Given] => entry[1] !== undefined));
}

/** The profile that counts. @throws UsageError when the configuration does not have it */
export function profileName({ line, env, config }: Sources): string | undefined {
  const named = line.get("profile");
  if (named !== undefined && named.length > 1) {
    throw new UsageError(`--profile is given ${named.length} times; give it once.`);
  }
  const [name, place] =
    named?.[0] !== undefined
      ? [named[0], "--profile"]
      : env["CHORALE_PROFILE"]
        ? [env["CHORALE_PROFILE"], "CHORALE_PROFILE"]
        : [config.profile, `profile in ${config.path}`];
  if (name === undefined || Object.hasOwn(config.profiles, name)) return name;
  const known = Object.keys(config.profiles);
  throw new UsageError(
    `${place} is ${JSON.stringify(name)}, which ${config.path} does not have; ` +
      (known.length === 0 ? "it has no profiles." : `it has ${known.join(", ")}.`),
  );
}

/** @throws UsageError for a key of the configuration that is no setting, with the nearest one */
export async function checkKeys(
  config: ConfigFile,
  settings: Flags,
  all: () => Promise<Flags>,
): Promise<void> {
  const places = [
    [config.settings, config.path],
    ...Object.entries(config.profiles).map(
      ([name, values]) => [values, profilePlace(name, config)] as const,
    ),
  ] as const;
  for (const [values, place] of places) {
    const foreign = Object.keys(values).filter((key) => !Object.hasOwn(settings, key));
    if (foreign.length === 0) continue;
    // Perhaps one of another command.
    const known = Object.keys(await all());
    const unknown = foreign.find((key) => !known.includes(key));
    if (unknown === undefined) continue;
    throw await unknownSetting(unknown, known, ` in ${place}`);
  }
}

/** Says which setting was probably meant; the code that knows is loaded only then. */
export async function unknownSetting(
  name: string,
  known: readonly string[],
  place = "",
): Promise<UsageError> {
  const { nearestNames } = await import("../../tools/index.ts");
  const [near] = nearestNames(name, known, 1);
  return new UsageError(
    `${JSON.stringify(name)}${place} is no setting; ` +
      (near === undefined ? `accepted: ${known.join(", ")}.` : `did you mean ${near}?`),
  );
}

function fromLine(name: string, line: Sources["line"]): Given | undefined {
  const texts = line.get(name);
  return texts && { texts, source: "flag", name: `--${name}`, place: `--${name}` };
}

/** An empty variable counts as none. Several values are a JSON list. */
function fromEnvironment(name: string, flag: Flag, env: NodeJS.ProcessEnv): Given | undefined {
  const variable = environmentVariable(name);
  const text = env[variable];
  if (text === undefined || text === "") return undefined;
  const texts = isList(flag) && text.startsWith("[") ? listOf(text, variable) : [text];
  return {
    texts: texts.map((one) => atHome(one, flag, env)),
    source: "environment",
    name: variable,
    place: variable,
  };
}

function listOf(text: string, variable: string): readonly string[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    list = null;
  }
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw new UsageError(
    `${variable} is ${JSON.stringify(text)}; accepted: one text, or a JSON list of texts.`,
  );
}

function fromFile(
  [name, flag]: readonly [string, Flag],
  source: Source,
  values: Readonly<Record<string, unknown>> | undefined,
  place: string,
  env: NodeJS.ProcessEnv,
): Given | undefined {
  if (values === undefined || !Object.hasOwn(values, name)) return undefined;
  const inPlace = `${name} in ${place}`;
  const texts = textsOf(values[name], inPlace)?.map((one) => atHome(one, flag, env));
  return texts && { texts, source, name: inPlace, place };
}

/** A shell does this for a flag. */
function atHome(text: string, flag: Flag, env: NodeJS.ProcessEnv): string {
  const isPath = flag.completes === "file" || flag.completes === "folder";
  return isPath && text.startsWith("~/") ? join(env["HOME"] || homedir(), text.slice(2)) : text;
}

function profilePlace(profile: string, { path }: ConfigFile): string {
  return `the profile ${profile} of ${path}`;
}
