/**
 * Defaults of flags: `config.json` in `$XDG_CONFIG_HOME/chorale` (default `~/.config/chorale`), or the file that
 * `CHORALE_CONFIG` names. An object of flags without their dashes: `{"model": "gpt-oss:20b", "effort": "low"}`.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { messageOf, UsageError } from "../errors.ts";

/**
 * @param known flags that may stand in the file
 * @throws UsageError for a file that cannot be read, is no object, or has another key
 */
export function readConfig(
  env: NodeJS.ProcessEnv,
  known: readonly string[],
): Readonly<Record<string, string | boolean | readonly string[]>> {
  const named = env["CHORALE_CONFIG"];
  const path = named || defaultPath(env);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (!named && (cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new UsageError(`The configuration ${path} cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
  return checked(parsed(text, path), path, known);
}

function defaultPath(env: NodeJS.ProcessEnv): string {
  const config = env["XDG_CONFIG_HOME"] ?? "";
  const folder = isAbsolute(config) ? config : join(env["HOME"] || homedir(), ".config");
  return join(folder, "chorale", "config.json");
}

function parsed(text: string, path: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`The configuration ${path} is not JSON: ${messageOf(cause)}.`, { cause });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Record<string, unknown>;
  }
  throw new UsageError(
    `The configuration ${path} holds ${JSON.stringify(json)}; accepted: an object of flags.`,
  );
}

function checked(
  json: Record<string, unknown>,
  path: string,
  known: readonly string[],
): Record<string, string | boolean | readonly string[]> {
  const entries = Object.entries(json).map(([name, value]) => {
    if (!known.includes(name)) {
      throw new UsageError(
        `The configuration ${path} has the key ${JSON.stringify(name)}; accepted: ${known.join(", ")}.`,
      );
    }
    if (typeof value === "boolean") return [name, value];
    if (typeof value === "string" || typeof value === "number") return [name, String(value)];
    if (Array.isArray(value)) return [name, value.map(String)];
    throw new UsageError(
      `The configuration ${path} has ${JSON.stringify(value)} for ${name}; accepted: a text, a number, ` +
        "true, false, or a list of texts.",
    );
  });
  return Object.fromEntries(entries);
}
