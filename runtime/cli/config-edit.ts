/** `chorale config set|unset|edit`: changes of the configuration's file. */
import { randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { messageOf, UsageError } from "../errors.ts";
import { type Flag, isList, readFlag } from "./command/flag.ts";
import { allSettings } from "./command/walk.ts";
import type { CommandContext } from "./command-context.ts";
import { configPath, parseConfig, readConfigText } from "./config-file.ts";
import { openEditor } from "./edit-text.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { checkKeys, unknownSetting } from "./settings.ts";

type JsonObject = Record<string, unknown>;

/** @throws UsageError for a setting or a value that is none; the file is then as it was */
export async function setCommand(
  {
    name,
    values,
    profile,
  }: {
    readonly name: string;
    readonly values: readonly string[];
    readonly profile: string | undefined;
  },
  { output, env, commands }: CommandContext,
): Promise<ExitCode> {
  const { json, path } = readJson(env);
  if (name === "profile" && profile === undefined) {
    const profiles = Object.keys(objectAt(json, "profiles"));
    const [wanted] = values;
    if (values.length !== 1 || wanted === undefined || !profiles.includes(wanted)) {
      const known = profiles.length === 0 ? "none yet" : profiles.join(", ");
      throw new UsageError(
        `There is no profile ${JSON.stringify(values.join(" "))}; there are: ${known}. ` +
          "chorale config set NAME VALUE --profile PROFILE makes one.",
      );
    }
    json["profile"] = wanted;
  } else {
    const settings = await allSettings(commands);
    const flag = settings[name];
    if (flag === undefined || !Object.hasOwn(settings, name)) {
      throw await unknownSetting(name, Object.keys(settings));
    }
    const value = jsonValue(flag, values, name);
    if (profile === undefined) json[name] = value;
    else {
      const profiles = { ...objectAt(json, "profiles") };
      profiles[profile] = { ...objectAt(profiles, profile), [name]: value };
      json["profiles"] = profiles;
    }
  }
  write(path, json);
  const where = profile === undefined ? path : `the profile ${profile} of ${path}`;
  output.note(`${name} is set in ${where}.`);
  return EXIT.ok;
}

/** Status 1 when there was nothing to take out. */
export async function unsetCommand(
  { name, profile }: { readonly name: string | undefined; readonly profile: string | undefined },
  { output, env }: CommandContext,
): Promise<ExitCode> {
  if (name === undefined && profile === undefined) {
    throw new UsageError(
      "Name what is taken out: a setting, or --profile NAME for a whole profile.",
    );
  }
  const { json, path } = readJson(env);
  const profiles = { ...objectAt(json, "profiles") };
  const holder = profile === undefined ? json : objectAt(profiles, profile);
  const isThere =
    name === undefined ? Object.hasOwn(profiles, profile ?? "") : Object.hasOwn(holder, name);
  if (!isThere) {
    const what = name ?? `the profile ${profile}`;
    output.problem(`${what} is not set in ${path}.`);
    return EXIT.failed;
  }
  if (profile === undefined) delete json[name ?? ""];
  else {
    if (name === undefined) delete profiles[profile];
    else {
      const { [name]: _, ...others } = holder;
      profiles[profile] = others;
    }
    json["profiles"] = profiles;
    // A profile that is gone cannot be the one that counts.
    if (json["profile"] === profile && name === undefined) delete json["profile"];
  }
  write(path, json);
  output.note(`${name ?? `The profile ${profile}`} is no longer set in ${path}.`);
  return EXIT.ok;
}

/** Status 2 when what was written is no configuration. */
export async function editCommand({
  output,
  env,
  signal,
  commands,
}: CommandContext): Promise<ExitCode> {
  const path = configPath(env);
  if (!existsSync(path)) write(path, {});
  await openEditor(path, { env, signal });
  const text = readConfigText(env) ?? "{}";
  const config = { path, exists: true, ...parseConfig(text, path) };
  const settings = await allSettings(commands);
  await checkKeys(config, settings, async () => settings);
  const values = [config.settings, ...Object.values(config.profiles)];
  for (const [name, flag] of Object.entries(settings)) {
    for (const one of values.filter((some) => Object.hasOwn(some, name))) {
      if (one[name] !== null) jsonValue(flag, [one[name]].flat().map(String), `${name} in ${path}`);
    }
  }
  output.note(`${path} is valid.`);
  return EXIT.ok;
}

/** The texts as JSON says them. @throws UsageError */
function jsonValue(flag: Flag, texts: readonly string[], name: string): unknown {
  const value = readFlag(flag, texts, name);
  if (isList(flag)) return texts;
  // Sizes and lists of names stay as they were typed.
  return typeof value === "number" && flag.type !== "bytes"
    ? value
    : typeof value === "boolean"
      ? value
      : texts[0];
}

/** The file as JSON; an empty object where there is none. @throws UsageError for one that is broken */
function readJson(env: NodeJS.ProcessEnv): { readonly json: JsonObject; readonly path: string } {
  const path = configPath(env);
  const text = existsSync(path) ? readConfigText(env) : undefined;
  if (text === undefined) return { json: {}, path };
  parseConfig(text, path);
  return { json: JSON.parse(text.replace(/^\ufeff/, "")) as JsonObject, path };
}

function objectAt(holder: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(holder, key) ? holder[key] : undefined;
  return (value ?? {}) as JsonObject;
}

/** Beside the file and then in its place: a reader sees the old file or the new one, and a full disk harms none. */
function write(path: string, json: JsonObject): void {
  let target = path;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // A link, perhaps into a folder of dotfiles, stays one.
    if (existsSync(path)) target = realpathSync(path);
    const mode = existsSync(target) ? statSync(target).mode & 0o777 : 0o600;
    const beside = `${target}.${randomUUID()}`;
    try {
      writeFileSync(beside, `${JSON.stringify(json, null, 2)}\n`, { mode, flag: "wx" });
      renameSync(beside, target);
    } finally {
      rmSync(beside, { force: true });
    }
  } catch (cause) {
    throw new UsageError(`The configuration ${path} cannot be written: ${messageOf(cause)}.`, {
      cause,
    });
  }
}
