/** From a lock file to packages that are installed, from folders and from a mirror on the loopback interface. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  installPythonPackages,
  listPythonPackages,
  type PackageProgress,
  verifyPythonPackages,
} from "../../tools/index.ts";
import type { LockedPackage, PackageLock } from "../../tools/python/packages/lock.ts";
import { resolvePackages } from "../../tools/python/packages/resolve.ts";
import { filesIn, packageOf, place, randomText } from "./python-package-place.ts";
import { makeMirror, serve } from "./python-wheels.ts";
import { temporaryFolder } from "./support.ts";

describe("installing", () => {
  test("brings what is needed, in cycles too, and knows it the next time", async () => {
    const { folder, install, names } = place([
      packageOf("app", { name: "My.App", imports: ["app"], depends: ["Left_Side", "right"] }),
      packageOf("left-side", { imports: ["left"], depends: ["right"] }),
      packageOf("right", { depends: ["left-side"] }),
      packageOf("other"),
    ]);
    const progress: PackageProgress[] = [];
    const first = await install(["app"], { onProgress: (one) => progress.push(one) });
    expect(first.installed.map(({ name }) => name)).toEqual(["right", "left-side", "my-app"]);
    expect(first.present).toEqual([]);
    expect(await names()).toEqual(["left-side", "my-app", "right"]);
    expect(progress.filter(({ state }) => state === "installed").map(({ at }) => at)).toEqual([
      1, 2, 3,
    ]);
    const again = await install(["my-app"]);
    expect(again.installed).toEqual([]);
    expect(again.present.map(({ name }) => name)).toEqual(["right", "left-side", "my-app"]);
    expect(await verifyPythonPackages(folder)).toEqual(
      ["left-side", "my-app", "right"].map((name) => ({ name, version: "1.0", problems: [] })),
    );
    // Nothing half done is left.
    expect(filesIn(folder).filter((name) => /part|tmp/.test(name))).toEqual([]);
  });

  test("is refused before anything is fetched when a dependency is missing", async () => {
    const { folder, install } = place([
      packageOf("a", { depends: ["b"] }),
      packageOf("b", { depends: ["c"] }),
    ]);
    const error = await install(["a"]).catch((caught) => caught);
    expect(error).toMatchObject({ code: "CHORALE_PACKAGE_DEPENDENCY", packages: ["c"] });
    expect(error.message).toBe("b needs c, which the lock file does not have (a → b → c).");
    expect(existsSync(folder)).toBe(false);
  });

  test("a very long chain of dependencies is resolved, and its end is said when it is missing", async () => {
    const chain = (length: number, last: readonly string[]): readonly LockedPackage[] =>
      Array.from({ length }, (_, i) => ({
        name: `p${i}`,
        version: "1.0",
        fileName: `p${i}-1.0-py3-none-any.whl`,
        sha256: "0".repeat(64),
        depends: i + 1 < length ? [`p${i + 1}`] : last,
        imports: [],
        place: "site" as const,
      }));
    const lockOf = (all: readonly LockedPackage[]): PackageLock => ({
      path: "",
      packages: new Map(all.map((one) => [one.name, one])),
    });
    const resolved = resolvePackages(lockOf(chain(20_000, ["p7"])), ["p0"]);
    expect(resolved).toHaveLength(20_000);
    expect(resolved[0]?.name).toBe("p19999");
    expect(() => resolvePackages(lockOf(chain(20_000, ["gone"])), ["p0"])).toThrow(
      /^p19999 needs gone, which the lock file does not have \(p0 → p1 → [^)]{1,80} → p19999 → gone\)\.$/,
    );
  });

  test("a newer version in the lock file takes the place of the older", async () => {
    const base = temporaryFolder();
    const folder = join(base, "store");
    for (const version of ["1.0", "2.0"]) {
      const { lock, folder: from } = makeMirror(join(base, version), [packageOf("a", { version })]);
      await installPythonPackages({ folder, names: ["a"], lock, from });
    }
    expect((await listPythonPackages(folder)).map(({ version }) => version)).toEqual(["2.0"]);
  });

  test("a file that is there is not fetched again, whatever it was installed for", async () => {
    const { base, folder, install, names } = place([packageOf("a")]);
    await install(["a"]);
    const [entries = ""] = readdirSync(folder).filter((name) => name.startsWith("pyodide-"));
    renameSync(join(folder, entries), join(folder, "pyodide-0.1"));
    expect(await names()).toEqual([]);
    await install(["a"], { from: join(base, "nowhere") });
    expect(await names()).toEqual(["a"]);
  });

  test("a file with another hash is not installed, nor what needs it", async () => {
    const { folder, install, names } = place([
      packageOf("good"),
      packageOf("bad", { sha256: "0".repeat(64), depends: ["good"] }),
      packageOf("top", { depends: ["bad"] }),
    ]);
    const error = await install(["top"]).catch((caught) => caught);
    expect(error).toMatchObject({ code: "CHORALE_PACKAGE_HASH", packages: ["bad"] });
    expect(error.message).toMatch(/ with SHA-256 [0-9a-f]{64}, expected 0{64}\.$/);
    expect(await names()).toEqual(["good"]);
    expect(filesIn(join(folder, "partial"))).toEqual([]);
  });

  test("two at once do not disturb each other", async () => {
    const packages = ["a", "b", "c", "d"].map((name) =>
      packageOf(name, { files: { [`${name}.bin`]: Buffer.from(randomText(200_000)) } }),
    );
    const { mirror, folder, install, names } = place(packages);
    const all = packages.map(({ name }) => name);
    const server = await serve(mirror.folder, (_, response, file) => {
      response.writeHead(200, { "content-length": file.length });
      response.write(file.subarray(0, 1000));
      setTimeout(() => response.end(file.subarray(1000)), 5);
      return true;
    });
    const script = `
      import { installPythonPackages } from ${JSON.stringify(join(import.meta.dirname, "../../tools/index.ts"))};
      await installPythonPackages(${JSON.stringify({ folder, names: all, lock: mirror.lock, from: server.url })});`;
    const other = new Promise<number | null>((ended) => {
      spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" }).on(
        "close",
        ended,
      );
    });
    const results = await Promise.all([
      other,
      install(all, { from: server.url }),
      install(all.toReversed(), { from: server.url }),
    ]);
    expect(results[0]).toBe(0);
    expect(await names()).toEqual(all);
    expect((await verifyPythonPackages(folder)).flatMap(({ problems }) => problems)).toEqual([]);
    expect(filesIn(folder)).toHaveLength(2 * all.length);
  });
});
