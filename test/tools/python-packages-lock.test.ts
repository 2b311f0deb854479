/** What lock files say: Pyodide's own, and others, which are hostile. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PackageError } from "../../tools/index.ts";
import { normaliseName, readLock } from "../../tools/python/packages/lock.ts";
import { resolvePackages } from "../../tools/python/packages/resolve.ts";
import { packageOf, place } from "./python-package-place.ts";

describe("Pyodide's lock file", () => {
  test("has what people ask for, under the names that they write", async () => {
    const lock = await readLock();
    expect(lock.packages.size).toBeGreaterThan(300);
    const names = resolvePackages(lock, ["Pandas", "sklearn", "PIL"]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["pandas", "numpy", "scikit-learn", "pillow"]));
    expect(names.indexOf("numpy")).toBeLessThan(names.indexOf("pandas"));
    const matplotlib = resolvePackages(lock, ["matplotlib"]).at(-1);
    expect(matplotlib).toMatchObject({ name: "matplotlib", place: "site" });
    expect(matplotlib?.imports).toContain("matplotlib");
  });

  test("names nothing that is missing in it", async () => {
    const lock = await readLock();
    expect(resolvePackages(lock, [...lock.packages.keys()])).toHaveLength(lock.packages.size);
  });

  test("an unknown name is said, with similar ones", async () => {
    const lock = await readLock();
    const error = (() => {
      try {
        return resolvePackages(lock, ["numpy", "nunpy", "\x1b[2J"]);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toMatchObject({
      code: "CHORALE_PACKAGE_UNKNOWN",
      packages: ["nunpy", "\x1b[2J"],
    });
    expect((error as Error).message).toMatch(
      /\\u001b\[2J among the 357 .* Similar names: .*\bnumpy\b/,
    );
  });
});

describe("a lock file", () => {
  test.each([
    ["matplotlib", "matplotlib"],
    ["Python_DateUtil", "python-dateutil"],
    ["a.-_b", "a-b"],
  ])("%s is called %s", (written, name) => {
    expect(normaliseName(written)).toBe(name);
  });

  test.each<[string, Partial<Record<string, unknown>>]>([
    ["a path as a file's name", { file_name: "../../etc/passwd.whl" }],
    ["a URL as a file's name", { file_name: "https://example.org/x.whl" }],
    ["an option as a file's name", { file_name: "-x.whl" }],
    ["another kind of archive", { file_name: "x.tar.gz" }],
    ["no hash", { sha256: undefined }],
    ["half a hash", { sha256: "ab".repeat(16) }],
    ["a folder of its own choice", { install_dir: "/etc" }],
    ["a name that is a path", { name: "../x" }],
    ["dependencies that are no list", { depends: "numpy" }],
    ["a version that is a path", { version: "1/../2" }],
  ])("with %s is refused", async (_, change) => {
    const { mirror } = place([packageOf("one")]);
    const lock = JSON.parse(readFileSync(mirror.lock, "utf8"));
    Object.assign(lock.packages.one, change);
    writeFileSync(mirror.lock, JSON.stringify(lock));
    const error = await readLock(mirror.lock).catch((caught) => caught);
    expect(error).toMatchObject({ code: "CHORALE_PACKAGE_LOCK" });
    expect(error.message).toContain('its entry "one" is not of its form');
  });

  test("for another Python, of another form, or missing is refused in a sentence", async () => {
    const { mirror, install } = place([packageOf("one")]);
    const lock = JSON.parse(readFileSync(mirror.lock, "utf8"));
    writeFileSync(mirror.lock, JSON.stringify({ ...lock, info: { ...lock.info, python: "3.9" } }));
    await expect(install(["one"])).rejects.toThrow("it is for Python 3.9 wasm32");
    for (const text of ["{", "[]", "{}", "null"]) {
      writeFileSync(mirror.lock, text);
      await expect(install(["one"])).rejects.toThrow(PackageError);
    }
    rmSync(mirror.lock);
    await expect(install(["one"])).rejects.toThrow("ENOENT");
  });

  test("whatever its dependencies, each package comes once, after what it needs unless in a cycle", () => {
    const graph = fc.integer({ min: 1, max: 12 }).chain((size) =>
      fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 4 }), {
        minLength: size,
        maxLength: size,
      }),
    );
    fc.assert(
      fc.property(graph, fc.nat(11), (edges, start) => {
        const entry = (i: number) => ({
          ...{ name: `p${i}`, version: "1", fileName: "x.whl", sha256: "" },
          ...{ depends: (edges[i] ?? []).map((j) => `p${j}`), imports: [], place: "site" as const },
        });
        const packages = new Map(edges.map((_, i) => [`p${i}`, entry(i)]));
        const reach = (from: string, seen = new Set<string>()): Set<string> => {
          if (!seen.has(from)) {
            seen.add(from);
            for (const next of packages.get(from)?.depends ?? []) reach(next, seen);
          }
          return seen;
        };
        const first = `p${start % edges.length}`;
        const order = resolvePackages({ path: "", packages }, [first]).map(({ name }) => name);
        expect([...order].sort()).toEqual([...reach(first)].sort());
        for (const name of order) {
          for (const need of packages.get(name)?.depends ?? []) {
            const isCycle = reach(need).has(name);
            if (!isCycle) expect(order.indexOf(need)).toBeLessThan(order.indexOf(name));
          }
        }
      }),
    );
  });
});
