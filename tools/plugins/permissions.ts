/**
 * What a plugin asks for and what it gets: of everything its manifest names, what the user granted as
 * well. Nothing is granted by default, and neither side can widen the other.
 */
import { homedir } from "node:os";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { isToolName } from "../core/registry.ts";
import { type HostPattern, narrowerHost, parseHostPattern } from "../net/index.ts";
import { GrantError } from "./errors.ts";

/** As a manifest or a program writes it. A star asks for all that the user grants. */
export type Permissions = {
  /** Hosts: `api.example.com`, `*.example.com`, `example.com:8443`, `*`. */
  readonly net?: readonly string[];
  /** Files and folders (with all below), absolute, below `~/`, or relative to the current folder. */
  readonly fs?: { readonly read?: readonly string[]; readonly write?: readonly string[] };
  /** Other tools, as the model addresses them: `python`, `functions.get_weather`. */
  readonly tools?: readonly string[];
  /** Environment variables. */
  readonly env?: readonly string[];
};

/** What is left when grant and request are held together; every list may be empty. */
export type GrantedPermissions = {
  readonly net: readonly string[];
  /** Absolute paths. Who may write a file may read it as well. */
  readonly fs: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** A star: every tool there is. */
  readonly tools: readonly string[];
  readonly env: readonly string[];
};

export type Grant = Required<Pick<Permissions, "net" | "tools" | "env">> & {
  readonly fs: { readonly read: readonly string[]; readonly write: readonly string[] };
  /** Plugins may run with `isolation: "process"`, which has one layer less around them. */
  readonly process: boolean;
};

export const NOTHING: Grant = {
  net: [],
  fs: { read: [], write: [] },
  tools: [],
  env: [],
  process: false,
};

/** Asks for, or grants, everything of a kind. */
export const ANY = "*";
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * Reads grants as they are given on the command line: `net:api.example.com`, `fs:read:./notes`,
 * `fs:write:./out`, `tools:python`, `env:API_KEY`, `process`.
 *
 * @throws GrantError
 */
export function parseGrants(grants: readonly string[]): Grant {
  const given = { net: new Set(), tools: new Set(), env: new Set() } as Record<
    "net" | "tools" | "env",
    Set<string>
  >;
  const read = new Set<string>();
  const write = new Set<string>();
  let mayUseProcess = false;
  for (const grant of grants) {
    const [, kind, value = ""] = /^(net|fs:read|fs:write|tools|env):(.+)$/s.exec(grant) ?? [];
    const problem = kind === undefined ? null : problemOf(kind, value);
    if (problem !== null) throw new GrantError(grant, problem);
    if (kind?.startsWith("fs:") && value === ANY) throw new GrantError(grant, "name a folder.");
    if (grant === "process") mayUseProcess = true;
    else if (kind === "fs:read") read.add(value);
    else if (kind === "fs:write") write.add(value);
    else if (kind === "net" || kind === "tools" || kind === "env") given[kind].add(value);
    else {
      throw new GrantError(
        grant,
        "accepted: net:HOST, fs:read:PATH, fs:write:PATH, tools:NAME, env:NAME, process.",
      );
    }
  }
  return {
    net: [...given.net],
    fs: { read: [...read], write: [...write] },
    tools: [...given.tools],
    env: [...given.env],
    process: mayUseProcess,
  };
}

/** What is wrong with one wish or grant; null when nothing is. */
export function problemOf(kind: string, value: string): string | null {
  switch (kind) {
    case "net":
      try {
        parseHostPattern(value);
        return null;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    case "fs:read":
    case "fs:write":
      return value.includes("\0") ? "a path has no NUL character." : null;
    case "tools":
      return value === ANY || (value.split(".").length <= 2 && value.split(".").every(isToolName))
        ? null
        : "a tool is named as the model addresses it: python, functions.get_weather.";
    default:
      return value === ANY || ENV_NAME.test(value)
        ? null
        : "an environment variable's name has letters, digits and _.";
  }
}

/**
 * What the plugin gets.
 *
 * @param folder  what relative paths of both are relative to
 */
export function intersect(asked: Permissions, grant: Grant, folder: string): GrantedPermissions {
  const paths = (a: readonly string[] = [], b: readonly string[]): readonly string[] =>
    narrowed(a.map(toPath(folder)), b.map(toPath(folder)), narrowerPath);
  const hosts = grant.net.map(parseHostPattern);
  return {
    // A plain star asks for all that is granted, on any port.
    net: (asked.net?.includes(ANY)
      ? hosts
      : narrowed((asked.net ?? []).map(parseHostPattern), hosts, narrowerHost)
    ).map((pattern: HostPattern) => pattern.text),
    fs: {
      read: paths(asked.fs?.read, grant.fs.read),
      write: paths(asked.fs?.write, grant.fs.write),
    },
    tools: narrowed(asked.tools ?? [], grant.tools, narrowerName),
    // Variables hold secrets of others: they are named by one side at least.
    env: narrowed(asked.env ?? [], grant.env, narrowerName).filter((name) => name !== ANY),
  };
}

/** What was asked for and not granted, as `parseGrants` reads it. */
export function missingGrants(
  asked: Permissions,
  granted: GrantedPermissions,
  folder: string,
): readonly string[] {
  const absent = (
    kind: string,
    wishes: readonly string[] = [],
    got: readonly string[],
    canonical: (wish: string) => string = (wish) => wish,
  ): string[] =>
    wishes
      .filter((wish) => (wish === ANY ? got.length === 0 : !got.includes(canonical(wish))))
      .map((wish) => `${kind}:${wish === ANY ? ANY_IN_WORDS[kind] : wish}`);
  return [
    ...absent("net", asked.net, granted.net, (wish) => parseHostPattern(wish).text),
    ...absent("fs:read", asked.fs?.read, granted.fs.read, toPath(folder)),
    ...absent("fs:write", asked.fs?.write, granted.fs.write, toPath(folder)),
    ...absent("tools", asked.tools, granted.tools),
    ...absent("env", asked.env, granted.env),
  ];
}

const ANY_IN_WORDS: Readonly<Record<string, string>> = {
  net: "HOST",
  "fs:read": "PATH",
  "fs:write": "PATH",
  tools: "NAME",
  env: "NAME",
};

function narrowed<T>(
  asked: readonly T[],
  granted: readonly T[],
  narrower: (a: T, b: T) => T | null,
): T[] {
  const both = asked.flatMap((a) => granted.map((b) => narrower(a, b)));
  const seen = new Set<string>();
  return both.filter((one): one is Awaited<T> & T => {
    if (one === null) return false;
    const key = JSON.stringify(one);
    return seen.has(key) ? false : Boolean(seen.add(key));
  });
}

function narrowerName(a: string, b: string): string | null {
  if (a === b || b === ANY) return a;
  return a === ANY ? b : null;
}

/** The deeper of two paths where one holds the other. */
function narrowerPath(a: string, b: string): string | null {
  if (a === ANY || b === ANY) return a === b ? null : a === ANY ? b : a;
  return isWithin(a, b) ? a : isWithin(b, a) ? b : null;
}

/** Whether `path` is `folder` or lies below it; both absolute. */
export function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function toPath(folder: string): (path: string) => string {
  return (path) => {
    if (path === ANY) return ANY;
    return path === "~" || path.startsWith("~/")
      ? resolve(homedir(), path.slice(2))
      : resolve(folder, path);
  };
}
