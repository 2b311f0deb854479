/**
 * The configuration: `config.json` in `$XDG_CONFIG_HOME/chorale` (default `~/.config/chorale`), or the file that
 * `CHORALE_CONFIG` names. An object of settings, which are flags without their dashes, and of profiles:
 * `{"model": "gpt-oss:20b", "profile": "quick", "profiles": {"quick": {"effort": "low"}}}`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UsageError } from "../errors.ts";
import { configFolder } from "../home.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export type ConfigFile = {
  readonly path: string;
  readonly exists: boolean;
  /** Setting → value as it stands in the file. */
  readonly settings: JsonObject;
  /** The profile that counts where none is named. */
  readonly profile: string | undefined;
  readonly profiles: Readonly<Record<string, JsonObject>>;
};

/** Keys that are no settings; other parts of Chorale read `mcpServers`, and editors `$schema`. */
const OTHER_KEYS: readonly string[] = ["profile", "profiles", "mcpServers", "$schema"];

/** Where the configuration is, whether or not it exists. */
export function configPath(env: NodeJS.ProcessEnv): string {
  return env["CHORALE_CONFIG"] || join(configFolder(env), "config.json");
}

/** @throws UsageError for a file that cannot be read, or is no object of settings */
export function readConfigFile(env: NodeJS.ProcessEnv): ConfigFile {
  const path = configPath(env);
  const text = readConfigText(env);
  if (text === undefined) {
    return { path, exists: false, settings: {}, profile: undefined, profiles: {} };
  }
  return { path, exists: true, ...parseConfig(text, path) };
}

/** Undefined where there is none, unless it is named. @throws UsageError for a file that cannot be read */
export function readConfigText(env: NodeJS.ProcessEnv): string | undefined {
  const path = configPath(env);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!env["CHORALE_CONFIG"] && (cause as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw new UsageError(`The configuration ${path} cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

/** @throws UsageError naming the file and what is wrong in it */
export function parseConfig(
  text: string,
  path: string,
): Pick<ConfigFile, "settings" | "profile" | "profiles"> {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw new UsageError(`The configuration ${path} is not JSON: ${messageOf(cause)}.`, { cause });
  }
  if (!isObject(json)) {
    throw new UsageError(
      `The configuration ${path} holds ${JSON.stringify(json)}; accepted: an object of settings.`,
    );
  }
  const { profile, profiles = {} } = json;
  if (profile !== undefined && typeof profile !== "string") {
    throw new UsageError(
      `The configuration ${path} has ${JSON.stringify(profile)} for profile; accepted: the name of a profile.`,
    );
  }
  if (!isObject(profiles) || !Object.values(profiles).every(isObject)) {
    throw new UsageError(
      `The configuration ${path} has profiles that cannot be read; accepted: {"NAME": {"model": "…"}}.`,
    );
  }
  const settings = Object.entries(json).filter(([key]) => !OTHER_KEYS.includes(key));
  return {
    settings: Object.fromEntries(settings),
    profile,
    profiles: profiles as Readonly<Record<string, JsonObject>>,
  };
}

/**
 * A value of the file as the texts that a flag would have been given; null: the setting is not set.
 * @throws UsageError for an object, or a list of anything but texts and numbers
 */
export function textsOf(value: unknown, name: string): readonly string[] | null {
  if (value === null) return null;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item) => {
    if (typeof item === "string" || typeof item === "number" || typeof item === "boolean") {
      return String(item);
    }
    throw new UsageError(
      `${name} is ${JSON.stringify(value)}; accepted: a text, a number, true, false, or a list of texts.`,
    );
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
