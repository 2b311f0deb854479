/** For tests of packages: some of them, a mirror that has their files, and a store that is still empty. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  installPythonPackages,
  listPythonPackages,
  type PackageInstallOptions,
} from "../../tools/index.ts";
import { type Mirror, makeMirror, type TestPackage } from "./python-wheels.ts";
import { temporaryFolder } from "./support.ts";

/** A package of one module that says its name. */
export const packageOf = (name: string, more: Partial<TestPackage> = {}): TestPackage => ({
  name,
  imports: [name],
  files: { [`${name}.py`]: `name = ${JSON.stringify(name)}\n` },
  ...more,
});

export type Place = {
  readonly base: string;
  readonly mirror: Mirror;
  /** Of the store. */
  readonly folder: string;
  install(
    names: readonly string[],
    options?: Partial<PackageInstallOptions>,
  ): ReturnType<typeof installPythonPackages>;
  /** Of what is installed. */
  names(): Promise<string[]>;
};

/** A mirror's folder, and a store that is still empty. */
export function place(packages: readonly TestPackage[]): Place {
  const base = temporaryFolder();
  const mirror = makeMirror(join(base, "mirror"), packages);
  const folder = join(base, "state", "python-packages");
  const install = (
    names: readonly string[],
    options: Partial<PackageInstallOptions> = {},
  ): ReturnType<typeof installPythonPackages> =>
    installPythonPackages({ folder, names, lock: mirror.lock, from: mirror.folder, ...options });
  const names = async (): Promise<string[]> =>
    (await listPythonPackages(folder)).map(({ name }) => name);
  return { base, mirror, folder, install, names };
}

/** Everything below a folder that is a file. */
export const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
    : [];

/** Does not compress away. */
export function randomText(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return String.fromCharCode(33 + (state % 90));
  }).join("");
}
