/** From the names that a user typed to the packages to be installed. */
import { editDistance } from "../../core/nearest-names.ts";
import { withDependencies } from "./dependencies.ts";
import { missingDependency, unknownPackages } from "./errors.ts";
import { type LockedPackage, normaliseName, type PackageLock } from "./lock.ts";

/**
 * The packages and all that they need, each once; what is needed comes before what needs it, except
 * around a cycle. A name may also be that of a module: `sklearn` is `scikit-learn`.
 *
 * @throws PackageError for a name, or a dependency, that the lock file does not have
 */
export function resolvePackages(
  { packages }: PackageLock,
  names: readonly string[],
): readonly LockedPackage[] {
  const asked = names.map((name) => findPackage(packages, name));
  const unknown = names.filter((_, at) => asked[at] === undefined);
  if (unknown.length > 0) {
    throw unknownPackages(unknown, similarNames(packages, unknown), packages.size);
  }
  return withDependencies(
    asked.filter((one) => one !== undefined),
    (name) => packages.get(name),
    (chain) => {
      throw missingDependency(chain);
    },
  );
}

/** By its name, else by a module that only it has. */
export function findPackage<P extends Pick<LockedPackage, "imports">>(
  packages: ReadonlyMap<string, P>,
  name: string,
): P | undefined {
  const named = packages.get(normaliseName(name));
  if (named !== undefined) return named;
  const having = [...packages.values()].filter(({ imports }) => imports.includes(name));
  return having.length === 1 ? having[0] : undefined;
}

const MAX_SIMILAR = 5;
const MAX_COMPARED_CHARS = 60;

function similarNames(
  packages: ReadonlyMap<string, LockedPackage>,
  unknown: readonly string[],
): readonly string[] {
  const wanted = unknown.map((name) => normaliseName(name).slice(0, MAX_COMPARED_CHARS));
  const distances = [...packages.keys()].map((name) => {
    const distance = Math.min(...wanted.map((one) => editDistance(one, name)));
    return { name, distance };
  });
  return distances
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MAX_SIMILAR)
    .map(({ name }) => name);
}
