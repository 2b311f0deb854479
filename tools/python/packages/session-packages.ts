/** What one session may import: chosen by the program before the session, never by the session. */
import { withDependencies } from "./dependencies.ts";
import { notInstalled } from "./errors.ts";
import { readLock } from "./lock.ts";
import type { PackageManifest } from "./package-manifest.ts";
import { findPackage } from "./resolve.ts";
import { PackageStore, type StoredPackage } from "./store.ts";

export type SessionPackagesOptions = {
  /** Of the store; it need not exist. */
  readonly folder: string;
  /**
   * Names of installed packages; what they need comes with them. `"all"`: every installed one. An empty
   * list: none.
   */
  readonly allow: "all" | readonly string[];
  /** The command by which the user of the program installs a package, without its name. */
  readonly installCommand?: string;
};

/** Made by `openPackages`, for `createPythonTool`. */
export type SessionPackages = {
  readonly packages: readonly StoredPackage[];
  /** What the interpreter's process has to be able to read for them. */
  readonly readable: readonly string[];
  readonly manifest: PackageManifest;
};

/** Beyond as many files the folder of all is named: command lines have an end (Windows: 32 KB). */
const MAX_PATHS = 64;

/**
 * @throws PackageError for a name that is not installed, or a store that cannot be read
 */
export async function openPackages(options: SessionPackagesOptions): Promise<SessionPackages> {
  const store = new PackageStore(options.folder);
  const { packages: installed } = await store.read();
  const allowed = options.allow === "all" ? [...installed.keys()] : options.allow;
  const missing = allowed.filter((name) => findPackage(installed, name) === undefined);
  if (missing.length > 0) throw notInstalled(missing, [...installed.keys()]);

  const chosen = withDependencies(
    allowed.flatMap((name) => findPackage(installed, name) ?? []),
    (name) => installed.get(name),
    // An import that needs it says so; the others work.
    () => undefined,
  );
  const given = new Set(chosen);
  const withheld = [...installed.values()].filter((one) => !given.has(one));
  const { packages: locked } = await readLock();
  const files = chosen.map((one) => store.fileOf(one));
  return {
    packages: chosen,
    readable: files.length <= MAX_PATHS ? files : [store.files],
    manifest: {
      packages: chosen.map((one, at) => ({
        name: one.name,
        version: one.version,
        imports: one.imports,
        depends: one.depends,
        place: one.place,
        file: files[at] ?? "",
        sha256: one.sha256,
        bytes: one.bytes,
      })),
      installCommand: options.installCommand ?? null,
      withheld: withheld.flatMap(({ imports }) => imports),
      installable: Object.fromEntries(
        [...locked.values()].flatMap(({ name, imports }) => imports.map((one) => [one, name])),
      ),
    },
  };
}

const MAX_NAMED = 60;

/** For the description that the model reads. */
export function describePackages({ packages }: SessionPackages): string {
  const named = packages
    .filter(({ imports }) => imports.length > 0)
    .map(({ name, version, imports }) => {
      const [module = name] = imports.filter((one) => !one.startsWith("_"));
      return imports.includes(name.replaceAll("-", "_"))
        ? `${name} ${version}`
        : `${name} ${version} (import ${module})`;
    })
    .sort();
  if (named.length === 0) return "Only the Python standard library can be imported.";
  const more = named.length - MAX_NAMED;
  const list = named.slice(0, MAX_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return `Beside the standard library these packages can be imported, and no others: ${list}.`;
}
