/** Packages that npm may have left out of an installation (`optionalDependencies` of package.json). */
import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** That `name` is missing, why that can be, and the command that installs it: two sentences. */
export function missingPackage(name: string): string {
  return (
    `The package ${name} is not installed: npm leaves it out with --omit=optional and where it runs on a ` +
    `Node older than 24. Install it with: npm install ${name}@${versionOf(name)}`
  );
}

function versionOf(name: string): string {
  const manifest = JSON.parse(readFileSync(findPackageJSON("..", import.meta.url) ?? "", "utf8"));
  return manifest.optionalDependencies[name];
}
