/** The package used from TypeScript with `module: nodenext`: the examples are the programs. */
import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { run } from "./run.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const programs = join(inject("project"), "examples");
const examples = globSync("*.ts", { cwd: join(root, "examples") }).sort();

beforeAll(() => {
  cpSync(join(root, "examples"), programs, { recursive: true });
  // One of them reads documents.
  cpSync(join(root, "docs"), join(inject("project"), "docs"), { recursive: true });
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.keys(exports).filter((path) => path !== "./package.json");
  const names = entries.map((path) => `chorale${path.slice(1)}`);
  writeFileSync(
    join(programs, "every-entry.ts"),
    [
      ...names.map((name, at) => `import type * as entry${at} from "${name}";`),
      ...names.map((_, at) => `export type Entry${at} = typeof entry${at};`),
      'import manifest from "chorale/package.json" with { type: "json" };',
      "export const version: string = manifest.version;",
    ].join("\n"),
  );
  const compilerOptions = {
    module: "nodenext",
    target: "esnext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
    allowImportingTsExtensions: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  writeFileSync(join(programs, "tsconfig.json"), JSON.stringify({ compilerOptions }));
});

describe("with TypeScript", () => {
  test("programs that use every entry of the package compile, its declarations checked too", () => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { status, stdout } = run(process.execPath, [tsc, "-p", programs]);
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  test.each(examples)("%s runs", (example) => {
    const { status, stdout, stderr } = run(process.execPath, [join("examples", basename(example))]);
    expect(stderr).not.toContain("Error");
    expect(status).toBe(0);
    expect(stdout).not.toBe("");
  });
});
