/**
 * Which servers of projects the user has agreed to: a file of the state folder with a hash of each definition, so
 * that one that has changed is asked about again.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { homePath } from "../../home.ts";

type Trusted = Readonly<Record<string, string>>;

function trustFile(env: NodeJS.ProcessEnv): string {
  return join(homePath(env), "mcp-trusted.json");
}

/** @param path  of the file that defines the server */
export function isTrusted(
  env: NodeJS.ProcessEnv,
  path: string,
  name: string,
  entry: unknown,
): boolean {
  return read(env)[keyOf(path, name)] === hashOf(entry);
}

/** Remembers the definition as it is now. */
export function trust(env: NodeJS.ProcessEnv, path: string, name: string, entry: unknown): void {
  const file = trustFile(env);
  const all: Trusted = { ...read(env), [keyOf(path, name)]: hashOf(entry) };
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

/** What cannot be read was not agreed to. */
function read(env: NodeJS.ProcessEnv): Trusted {
  try {
    const json: unknown = JSON.parse(readFileSync(trustFile(env), "utf8"));
    return typeof json === "object" && json !== null ? (json as Trusted) : {};
  } catch {
    return {};
  }
}

function keyOf(path: string, name: string): string {
  return `${path}#${name}`;
}

/** All that stands in the definition decides what is started. */
function hashOf(entry: unknown): string {
  return createHash("sha256").update(JSON.stringify(entry)).digest("hex");
}
