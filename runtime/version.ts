import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

let known: string | undefined;

/** The version of this package. */
export function packageVersion(): string {
  known ??= readVersion();
  return known;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(findPackageJSON("..", import.meta.url) ?? "", "utf8"),
  );
  return (manifest as { version: string }).version;
}
