/** Whether what is installed is still what was installed. */
import { PackageStore, type StoredPackage } from "./store.ts";

export type PackageState = {
  readonly name: string;
  /** null for an entry that cannot be read. */
  readonly version: string | null;
  /** As sentences' ends; none: it is whole. */
  readonly problems: readonly string[];
};

/** Hashes every file anew. @throws PackageError */
export async function verifyPackages(folder: string): Promise<readonly PackageState[]> {
  const store = new PackageStore(folder);
  const { packages, broken } = await store.read();
  const states: PackageState[] = broken.map(({ name, problem }) => ({
    name,
    version: null,
    problems: [`its entry cannot be read: ${problem}`],
  }));
  for (const one of packages.values()) {
    const problem = await store.problemOf(one);
    const missing = one.depends.filter((need) => !packages.has(need));
    const problems = [
      ...(problem === null ? [] : [problem]),
      ...(missing.length === 0 ? [] : [`it needs ${missing.join(", ")}, not installed`]),
    ];
    states.push({ name: one.name, version: one.version, problems });
  }
  return states.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What is installed, by name. @throws PackageError */
export async function listPackages(folder: string): Promise<readonly StoredPackage[]> {
  const { packages } = await new PackageStore(folder).read();
  return [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
