/** Packages that are installed: verified, repaired, read, and given to a session. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listPythonPackages, openPythonPackages, verifyPythonPackages } from "../../tools/index.ts";
import { packageOf, place } from "./python-package-place.ts";

describe("what is installed", () => {
  test("is hashed anew by verify, which says what is broken; installing again repairs it", async () => {
    const { folder, install } = place([
      packageOf("whole"),
      packageOf("changed"),
      packageOf("cut"),
      packageOf("gone"),
      packageOf("needy", { depends: ["lost"] }),
      packageOf("lost"),
      packageOf("unreadable"),
    ]);
    const names = ["whole", "changed", "cut", "gone", "needy", "unreadable"];
    const { installed } = await install(names);
    const file = (name: string): string =>
      join(folder, "files", `${installed.find((one) => one.name === name)?.sha256}.whl`);
    const entries = readdirSync(folder).find((name) => name.startsWith("pyodide-")) ?? "";
    for (const name of names) if (existsSync(file(name))) chmodSync(file(name), 0o600);
    const bytes = readFileSync(file("changed"));
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    writeFileSync(file("changed"), bytes);
    truncateSync(file("cut"), 10);
    rmSync(file("gone"));
    rmSync(join(folder, entries, "lost.json"));
    writeFileSync(join(folder, entries, "unreadable.json"), "{");

    const broken = new Map(
      (await verifyPythonPackages(folder)).map(({ name, problems }) => [name, problems.join()]),
    );
    expect(broken.get("whole")).toBe("");
    expect(broken.get("changed")).toBe("its file was changed: the hash does not fit");
    expect(broken.get("cut")).toMatch(/^its file has 10 bytes instead of \d+$/);
    expect(broken.get("gone")).toBe("its file is missing");
    expect(broken.get("needy")).toBe("it needs lost, not installed");
    expect(broken.get("unreadable")).toMatch(/^its entry cannot be read: /);

    await install(names);
    expect((await verifyPythonPackages(folder)).flatMap(({ problems }) => problems)).toEqual([]);
  });

  test("can be read, and given to a session, where nothing can be written", async () => {
    const { mirror, folder, install } = place([packageOf("a"), packageOf("b")]);
    await install(["a"]);
    const options = { folder, names: ["b"], lock: mirror.lock, from: mirror.folder };
    // Node's permission model holds for root as well, whom a folder's mode does not stop.
    const script = `
      import { installPythonPackages, listPythonPackages, openPythonPackages, verifyPythonPackages } from ${JSON.stringify(join(import.meta.dirname, "../../tools/index.ts"))};
      const folder = ${JSON.stringify(folder)};
      const list = await listPythonPackages(folder);
      const states = await verifyPythonPackages(folder);
      const { packages } = await openPythonPackages({ folder, allow: "all" });
      const error = await installPythonPackages(${JSON.stringify(options)}).catch((caught) => caught);
      console.log(JSON.stringify([list.length, states[0].problems, packages.length, error.code]));`;
    const args = ["--permission", "--allow-fs-read=*", "--allow-addons", "--input-type=module"];
    const child = spawn(process.execPath, [...args, "-e", script]);
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    await new Promise((ended) => child.on("close", ended));
    expect(JSON.parse(said)).toEqual([1, [], 1, "CHORALE_PACKAGE_STORE"]);
  });

  test("a place that is no folder is said", async () => {
    const { base, install } = place([packageOf("a")]);
    const file = join(base, "file");
    writeFileSync(file, "");
    await expect(install(["a"], { folder: join(file, "store") })).rejects.toMatchObject({
      code: "CHORALE_PACKAGE_STORE",
    });
    for (const nothing of [file, join(base, "nothing")]) {
      expect(await listPythonPackages(nothing)).toEqual([]);
      expect((await openPythonPackages({ folder: nothing, allow: "all" })).packages).toEqual([]);
    }
  });

  test("a session gets what the program allows, with what that needs, and nothing else", async () => {
    const { folder, install } = place([
      packageOf("a", { depends: ["b"] }),
      packageOf("b", { depends: ["a"] }),
      packageOf("c"),
    ]);
    await install(["a", "c"]);
    const allowed = async (allow: "all" | readonly string[]): Promise<string[]> =>
      (await openPythonPackages({ folder, allow })).packages.map(({ name }) => name).sort();
    expect(await allowed("all")).toEqual(["a", "b", "c"]);
    expect(await allowed(["A"])).toEqual(["a", "b"]);
    expect(await allowed([])).toEqual([]);
    const error = await allowed(["c", "numpy"]).catch((caught) => caught);
    expect(error).toMatchObject({ code: "CHORALE_PACKAGE_MISSING" });
    expect(error.message).toBe("Python cannot be given numpy: not installed (installed: a, b, c).");
    const { readable, manifest } = await openPythonPackages({ folder, allow: ["c"] });
    expect(readable).toHaveLength(1);
    expect([...manifest.withheld].sort()).toEqual(["a", "b"]);
    expect(manifest.installable["PIL"]).toBe("pillow");
  });
});
