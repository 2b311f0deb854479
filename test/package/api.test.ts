/**
 * The public face of the package, held against its committed text in `api/`. After a change that is meant,
 * `npm run api` writes the text anew; the difference belongs into the same commit.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { apiReport, exported, unexported } from "./api-report.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

type Exports = Readonly<Record<string, string | { readonly types: string }>>;

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.entries(manifest.exports as Exports).flatMap(([path, target]) => {
  if (typeof target === "string") return [];
  const name = path === "." ? "chorale" : path.slice(2).replaceAll("/", "-");
  return [{ name, report: apiReport(root, target.types) }];
});

describe("the public API", () => {
  test.each(entries)("of $name is what was agreed", async ({ name, report }) => {
    await expect(report).toMatchFileSnapshot(
      join(root, "test", "package", "api", `${name}.api.md`),
    );
  });

  test("everything that a signature mentions is exported by some entry", () => {
    const names = new Set(entries.flatMap(({ report }) => exported(report)));
    const mentioned = new Set(entries.flatMap(({ report }) => unexported(report)));
    expect([...mentioned].filter((name) => !names.has(name))).toEqual([]);
  });
});
