/**
 * A plugin package: a folder, or an installed npm package, whose package.json has a `chorale` key that says
 * where its code is, how it is isolated, and what it asks for.
 */
import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { JsonSchema } from "../../harmony/index.ts";
import { FileReadError, readRegularFile } from "../core/read-file.ts";
import { createValidator } from "../validator/index.ts";
import { PluginManifestError } from "./errors.ts";
import { parseGuestJson } from "./guest-data.ts";
import { LIMIT_RANGES, limitsWith, type PluginLimits } from "./limits.ts";
import { type Permissions, problemOf } from "./permissions.ts";

/**
 * `isolate`: no way out but the host functions. `process`: a Node of its own under Node's permission
 * model, for npm dependencies that need Node's own modules; native files are refused. It has one layer less
 * around it (see docs/security.md).
 */
export type PluginIsolation = "isolate" | "process";

export type PluginManifest = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Absolute, links resolved; empty for a tool that is in no folder. */
  readonly folder: string;
  /** Path of the first module within the folder, with slashes; or a `data:` URL. */
  readonly entry: string;
  readonly isolation: PluginIsolation;
  readonly permissions: Permissions;
  readonly limits: PluginLimits;
  /** The tools it promises to define; undefined: all that it exports. */
  readonly tools: readonly string[] | undefined;
  /** Those of its tools that are search services: the model does not see them. */
  readonly search: readonly string[];
};

const MOST_MANIFEST_BYTES = 256 * 1024;

const strings = (description: string): object => ({
  type: "array",
  items: { type: "string", minLength: 1, maxLength: 1024 },
  maxItems: 256,
  uniqueItems: true,
  description,
});

/** Of the `chorale` key. */
const MANIFEST_SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    entry: {
      type: "string",
      pattern: "^\\./[^\\\\]*\\.(js|mjs|ts|mts)$",
      description: "The module that exports the tools, from the package's folder: ./index.js",
    },
    isolation: { enum: ["isolate", "process"], description: "Default: isolate" },
    permissions: {
      type: "object",
      properties: {
        net: strings(
          "Hosts: api.example.com, *.example.com, example.com:8443, * for what is granted",
        ),
        fs: {
          type: "object",
          properties: { read: strings("Paths"), write: strings("Paths") },
          additionalProperties: false,
        },
        tools: strings("Other tools: python, functions.get_weather"),
        env: strings("Environment variables"),
      },
      additionalProperties: false,
    },
    limits: {
      type: "object",
      properties: Object.fromEntries(
        Object.entries(LIMIT_RANGES).map(([name, [minimum, , maximum]]) => [
          name,
          { type: "integer", minimum, maximum },
        ]),
      ),
      additionalProperties: false,
    },
    tools: strings("Names of the tools that the entry exports; checked when it is loaded"),
    search: strings("Names of those that are search services, for --search"),
  },
  required: ["entry"],
  additionalProperties: false,
};

/** package.json's own rule for names, without the length. */
const PACKAGE_NAME = /^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/;
const VERSION = /^\d+\.\d+\.\d+(-[\w.-]+)?(\+[\w.-]+)?$/;

/**
 * Reads and checks a manifest.
 *
 * @param plugin  a folder, or the name of an npm package that is installed for `from`
 * @param from    the folder that relative paths and package names are seen from
 * @throws PluginManifestError with every problem found
 */
export async function readManifest(plugin: string, from: string): Promise<PluginManifest> {
  const folder = await findFolder(plugin, from);
  const json = await readPackageJson(plugin, join(folder, "package.json"));
  const { name, version, description, chorale } = json;
  const problems: string[] = [];
  if (typeof name !== "string" || !PACKAGE_NAME.test(name) || name.length > 214) {
    problems.push("package.json needs a name, as npm accepts it.");
  }
  if (typeof version !== "string" || !VERSION.test(version)) {
    problems.push("package.json needs a version like 1.0.0.");
  }
  if (chorale === undefined) {
    problems.push(
      'package.json has no "chorale" key; it is no plugin. Accepted: "chorale": {"entry": "./index.js"}.',
    );
    throw new PluginManifestError(plugin, problems);
  }
  problems.push(...(await schemaProblems(chorale)));
  if (problems.length > 0) throw new PluginManifestError(plugin, problems);

  const manifest = chorale as {
    entry: string;
    isolation?: PluginIsolation;
    permissions?: Permissions;
    limits?: Partial<PluginLimits>;
    tools?: readonly string[];
    search?: readonly string[];
  };
  problems.push(...permissionProblems(manifest.permissions ?? {}));
  if (problems.length > 0) throw new PluginManifestError(plugin, problems);
  return {
    name: String(name),
    version: String(version),
    description: typeof description === "string" ? description : "",
    folder,
    entry: manifest.entry.slice("./".length),
    isolation: manifest.isolation ?? "isolate",
    permissions: manifest.permissions ?? {},
    limits: limitsWith(manifest.limits),
    tools: manifest.tools,
    search: manifest.search ?? [],
  };
}

async function findFolder(plugin: string, from: string): Promise<string> {
  const path = resolve(from, plugin);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return realpath(path);
  if (found?.isFile() && path.endsWith("package.json")) return dirname(await realpath(path));
  if (PACKAGE_NAME.test(plugin)) {
    for (let at = resolve(from); ; at = dirname(at)) {
      const installed = join(at, "node_modules", plugin);
      if (existsSync(join(installed, "package.json"))) return realpath(installed);
      if (at === dirname(at)) break;
    }
  }
  throw new PluginManifestError(plugin, [
    "there is no such folder, nor an installed npm package of that name.",
  ]);
}

async function readPackageJson(plugin: string, path: string): Promise<Record<string, unknown>> {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new PluginManifestError(plugin, [problem], { cause });
  };
  let json: unknown;
  try {
    json = parseGuestJson((await readRegularFile(path, MOST_MANIFEST_BYTES)).toString("utf8"));
  } catch (cause) {
    if (cause instanceof FileReadError) return refuse(cause.message, cause);
    if (cause instanceof RangeError) return refuse(`package.json ${cause.message}.`, cause);
    if (cause instanceof SyntaxError) {
      return refuse(`package.json is not JSON: ${cause.message}.`, cause);
    }
    return refuse("its folder has no package.json that can be read.", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return refuse("package.json is no object.");
  }
  return json as Record<string, unknown>;
}

async function schemaProblems(chorale: unknown): Promise<readonly string[]> {
  const validator = await createValidator({ jsonSchema: MANIFEST_SCHEMA, extract: false });
  const result = await validator.validate(JSON.stringify(chorale));
  if (result.action === "accept") return [];
  return result.errors.map(({ path, message }) => {
    return `"chorale"${path ? ` at ${path}` : ""}: ${message.replace(/\.?$/, ".")}`;
  });
}

function permissionProblems(permissions: Permissions): readonly string[] {
  const of = (kind: string, at: string, values: readonly string[] = []): string[] =>
    values.flatMap((value) => {
      const problem = problemOf(kind, value);
      return problem === null ? [] : [`"chorale" at /permissions/${at}: ${problem}`];
    });
  return [
    ...of("net", "net", permissions.net),
    ...of("fs:read", "fs/read", permissions.fs?.read),
    ...of("fs:write", "fs/write", permissions.fs?.write),
    ...of("tools", "tools", permissions.tools),
    ...of("env", "env", permissions.env),
  ];
}
