/** From a lock file to packages that are installed: real files, and mirrors on the loopback interface. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  installPythonPackages,
  listPythonPackages,
  openPythonPackages,
  PackageArchiveError,
  PackageDependencyError,
  PackageDownloadError,
  PackageHashError,
  type PackageInstallOptions,
  PackageLockError,
  PackageMissingError,
  type PackageProgress,
  PackageStoreError,
  PackageUnknownError,
  verifyPythonPackages,
} from "../../tools/index.ts";
import { inspectArchive } from "../../tools/python/packages/archive.ts";
import { normaliseName, readLock } from "../../tools/python/packages/lock.ts";
import { PartialFile } from "../../tools/python/packages/partial-file.ts";
import { resolvePackages } from "../../tools/python/packages/resolve.ts";
import {
  makeMirror,
  serve,
  sha256,
  type TestPackage,
  type ZipEntry,
  zip,
} from "./python-wheels.ts";
import { temporaryFolder } from "./support.ts";

const module = (name: string, more: Partial<TestPackage> = {}): TestPackage => ({
  name,
  imports: [name],
  files: { [`${name}.py`]: `name = ${JSON.stringify(name)}\n` },
  ...more,
});

/** A mirror's folder, and a store that is still empty. */
function place(packages: readonly TestPackage[]) {
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
const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
    : [];

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
    expect(error).toBeInstanceOf(PackageUnknownError);
    expect(error).toMatchObject({
      code: "CHORALE_PACKAGE_UNKNOWN",
      packages: ["nunpy", "\x1b[2J"],
      similar: expect.arrayContaining(["numpy"]),
    });
    expect((error as Error).message).toContain("\\u001b[2J among the 357");
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
    const { mirror } = place([module("one")]);
    const lock = JSON.parse(readFileSync(mirror.lock, "utf8"));
    Object.assign(lock.packages.one, change);
    writeFileSync(mirror.lock, JSON.stringify(lock));
    const error = await readLock(mirror.lock).catch((caught) => caught);
    expect(error).toBeInstanceOf(PackageLockError);
    expect(error.message).toContain('its entry "one" is not of its form');
  });

  test("for another Python, of another form, or missing is refused in a sentence", async () => {
    const { mirror, install } = place([module("one")]);
    const lock = JSON.parse(readFileSync(mirror.lock, "utf8"));
    writeFileSync(mirror.lock, JSON.stringify({ ...lock, info: { ...lock.info, python: "3.9" } }));
    await expect(install(["one"])).rejects.toThrow("it is for Python 3.9 wasm32");
    for (const text of ["{", "[]", "{}", "null"]) {
      writeFileSync(mirror.lock, text);
      await expect(install(["one"])).rejects.toThrow(PackageLockError);
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

describe("installing", () => {
  test("brings what is needed, in cycles too, and knows it the next time", async () => {
    const { folder, install, names } = place([
      module("app", { name: "My.App", imports: ["app"], depends: ["Left_Side", "right"] }),
      module("left-side", { imports: ["left"], depends: ["right"] }),
      module("right", { depends: ["left-side"] }),
      module("other"),
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
      module("a", { depends: ["b"] }),
      module("b", { depends: ["c"] }),
    ]);
    const error = await install(["a"]).catch((caught) => caught);
    expect(error).toBeInstanceOf(PackageDependencyError);
    expect(error).toMatchObject({ code: "CHORALE_PACKAGE_DEPENDENCY", chain: ["a", "b", "c"] });
    expect(error.message).toBe("b needs c, which the lock file does not have (a → b → c).");
    expect(existsSync(folder)).toBe(false);
  });

  test("by HTTP asks for each file once, from where the lock file says", async () => {
    const { mirror, install, names } = place([module("a", { depends: ["b"] }), module("b")]);
    const server = await serve(mirror.folder);
    await install(["a"], { from: server.url });
    expect(server.requests).toEqual(["b-1.0-py3-none-any.whl", "a-1.0-py3-none-any.whl"]);
    expect(await names()).toEqual(["a", "b"]);
  });

  test("a newer version in the lock file takes the place of the older", async () => {
    const base = temporaryFolder();
    const folder = join(base, "store");
    for (const version of ["1.0", "2.0"]) {
      const { lock, folder: from } = makeMirror(join(base, version), [module("a", { version })]);
      await installPythonPackages({ folder, names: ["a"], lock, from });
    }
    expect((await listPythonPackages(folder)).map(({ version }) => version)).toEqual(["2.0"]);
  });

  test("a file that is there is not fetched again, whatever it was installed for", async () => {
    const { base, folder, install, names } = place([module("a")]);
    await install(["a"]);
    const [entries = ""] = readdirSync(folder).filter((name) => name.startsWith("pyodide-"));
    renameSync(join(folder, entries), join(folder, "pyodide-0.1"));
    expect(await names()).toEqual([]);
    await install(["a"], { from: join(base, "nowhere") });
    expect(await names()).toEqual(["a"]);
  });

  test("a file with another hash is not installed, nor what needs it", async () => {
    const { folder, mirror, install, names } = place([
      module("good"),
      module("bad", { sha256: "0".repeat(64), depends: ["good"] }),
      module("top", { depends: ["bad"] }),
    ]);
    const error = await install(["top"]).catch((caught) => caught);
    expect(error).toBeInstanceOf(PackageHashError);
    expect(error).toMatchObject({
      code: "CHORALE_PACKAGE_HASH",
      package: "bad",
      expected: "0".repeat(64),
      found: sha256(readFileSync(mirror.fileOf("bad"))),
    });
    expect(await names()).toEqual(["good"]);
    expect(filesIn(join(folder, "partial"))).toEqual([]);
  });

  test("a file that the mirror has only the beginning of is not installed", async () => {
    const { mirror, install, names } = place([module("a")]);
    truncateSync(mirror.fileOf("a"), 100);
    const server = await serve(mirror.folder);
    await expect(install(["a"], { from: server.url })).rejects.toThrow(
      /is not what the lock file says and was not installed: 100 bytes/,
    );
    expect(await names()).toEqual([]);
  });

  test("a file that is not there, and a server that only fails, are said", async () => {
    const { mirror, install } = place([module("a")]);
    const missing = await serve(join(mirror.folder, "nowhere"));
    const error = await install(["a"], { from: missing.url }).catch((caught) => caught);
    expect(error).toBeInstanceOf(PackageDownloadError);
    expect(error.message).toMatch(
      /^a could not be had from http:\/\/127\.0\.0\.1:\d+\/: .* 404\.$/,
    );
    expect(missing.requests).toHaveLength(1);
    await expect(install(["a"], { from: join(mirror.folder, "x") })).rejects.toThrow("ENOENT");
    const failing = await serve(mirror.folder, (_, response) => {
      response.writeHead(503).end();
      return true;
    });
    await expect(install(["a"], { from: failing.url })).rejects.toThrow("answered 503");
    expect(failing.requests.length).toBeGreaterThan(1);
  });

  test("what is interrupted is gone on with, in the same and in the next try", async () => {
    const { mirror, folder, install } = place([
      module("a", { files: { "a.bin": Buffer.from(randomText(300_000)) } }),
    ]);
    const size = statSync(mirror.fileOf("a")).size;
    // Two thirds at a time, then the connection is cut.
    const cut = await serve(mirror.folder, (request, response, file) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const end = from + Math.ceil(((file.length - from) * 2) / 3);
      response.writeHead(from === 0 ? 200 : 206, {
        "content-length": file.length - from,
        ...(from > 0 && { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` }),
      });
      response.write(file.subarray(from, end), () => {
        if (end < file.length) response.destroy();
        else response.end();
      });
      return true;
    });
    const stopped = new AbortController();
    const started: number[] = [];
    await expect(
      install(["a"], {
        from: cut.url,
        signal: stopped.signal,
        onProgress: ({ state, bytes }) => {
          if (state === "started") started.push(bytes);
          if (started.length === 2) stopped.abort(new Error("enough"));
        },
      }),
    ).rejects.toThrow("enough");
    expect(started[0]).toBe(0);
    expect(started[1]).toBeGreaterThan(0);
    const [left = ""] = readdirSync(join(folder, "partial"));
    const kept = statSync(join(folder, "partial", left)).size;
    expect(kept).toBeGreaterThanOrEqual(started[1] ?? 0);

    const whole = await serve(mirror.folder);
    await install(["a"], { from: whole.url });
    expect(whole.requests).toEqual([`a-1.0-py3-none-any.whl bytes=${kept}-`]);
    expect((await listPythonPackages(folder))[0]?.bytes).toBe(size);
    expect(readdirSync(join(folder, "partial"))).toEqual([]);
  });

  test("a server that knows no parts is read from the beginning", async () => {
    const { mirror, folder, install, names } = place([module("a")]);
    leavePart(folder, mirror.fileOf("a"), (file) => file.subarray(0, 50));
    const server = await serve(mirror.folder, (_, response, file) => {
      response.end(file);
      return true;
    });
    await install(["a"], { from: server.url });
    expect(server.requests[0]).toContain("bytes=50-");
    expect(await names()).toEqual(["a"]);
  });

  test.each<[string, (file: Buffer) => Buffer]>([
    ["is of something else", () => Buffer.alloc(50, "x")],
    ["is longer than the file", (file) => Buffer.concat([file, file])],
    ["is as long as the file, and wrong", (file) => Buffer.alloc(file.length, "x")],
  ])("what an earlier try left and %s is thrown away", async (_, damage) => {
    for (const kind of ["folder", "web"]) {
      const { mirror, folder, install, names } = place([module("a")]);
      leavePart(folder, mirror.fileOf("a"), damage);
      await install(["a"], {
        from: kind === "web" ? (await serve(mirror.folder)).url : mirror.folder,
      });
      expect(await names()).toEqual(["a"]);
    }
  });

  test("what a process left that has ended is taken; that of another that lives is not", async () => {
    const folder = temporaryFolder();
    const mine = await PartialFile.take(folder, "ab");
    await mine.append(Buffer.from("12345"));
    const other = await PartialFile.take(folder, "ab");
    expect([mine.bytes, other.bytes]).toEqual([5, 0]);
    await other.remove();
    // As it would be called if this process had ended.
    const [name = ""] = readdirSync(folder);
    const gone = name.replace(`.${process.pid}.`, ".4194303.");
    renameSync(join(folder, name), join(folder, gone));
    const taken = await PartialFile.take(folder, "ab");
    expect(taken.bytes).toBe(5);
    await taken.leave();
    expect(readdirSync(folder)).toEqual(["ab.part"]);
    await mine.remove();
    expect(readdirSync(folder)).toEqual(["ab.part"]);
  });

  test("two at once do not disturb each other", async () => {
    const packages = ["a", "b", "c", "d"].map((name) =>
      module(name, { files: { [`${name}.bin`]: Buffer.from(randomText(200_000)) } }),
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

describe("what is installed", () => {
  test("is hashed anew by verify, which says what is broken; installing again repairs it", async () => {
    const { folder, install } = place([
      module("whole"),
      module("changed"),
      module("cut"),
      module("gone"),
      module("needy", { depends: ["lost"] }),
      module("lost"),
      module("unreadable"),
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
    const { mirror, folder, install } = place([module("a"), module("b")]);
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
    const { base, install } = place([module("a")]);
    const file = join(base, "file");
    writeFileSync(file, "");
    await expect(install(["a"], { folder: join(file, "store") })).rejects.toThrow(
      PackageStoreError,
    );
    for (const nothing of [file, join(base, "nothing")]) {
      expect(await listPythonPackages(nothing)).toEqual([]);
      expect((await openPythonPackages({ folder: nothing, allow: "all" })).packages).toEqual([]);
    }
  });

  test("a session gets what the program allows, with what that needs, and nothing else", async () => {
    const { folder, install } = place([
      module("a", { depends: ["b"] }),
      module("b", { depends: ["a"] }),
      module("c"),
    ]);
    await install(["a", "c"]);
    const allowed = async (allow: "all" | readonly string[]): Promise<string[]> =>
      (await openPythonPackages({ folder, allow })).packages.map(({ name }) => name).sort();
    expect(await allowed("all")).toEqual(["a", "b", "c"]);
    expect(await allowed(["A"])).toEqual(["a", "b"]);
    expect(await allowed([])).toEqual([]);
    const error = await allowed(["c", "numpy"]).catch((caught) => caught);
    expect(error).toBeInstanceOf(PackageMissingError);
    expect(error.message).toContain("Install with: chorale python install numpy");
    const { readable, offer } = await openPythonPackages({ folder, allow: ["c"] });
    expect(readable).toHaveLength(1);
    expect([...offer.withheld].sort()).toEqual(["a", "b"]);
    expect(offer.installable["PIL"]).toBe("pillow");
  });
});

describe("an archive", () => {
  const honest: ZipEntry[] = [
    { name: "top/", mode: 0o040755 },
    { name: "top/b.py", content: "1" },
    { name: "top/ü.txt", content: "2".repeat(1000) },
  ];
  const inspect = (archive: Buffer): ReturnType<typeof inspectArchive> =>
    inspectArchive(archive, "x.whl");

  test("that is honest is summed up", () => {
    expect(inspect(zip(honest))).toEqual({ files: 2, unpackedBytes: 1001 });
    expect(inspect(zip([]))).toEqual({ files: 0, unpackedBytes: 0 });
  });

  test.each<[string, readonly ZipEntry[], RegExp]>([
    ["a way out", [{ name: "../x" }], /leads out of its folder/],
    ["a way out in the middle", [{ name: "a/../../x" }], /leads out/],
    ["an absolute path", [{ name: "/etc/passwd" }], /leads out/],
    ["a drive", [{ name: "C:x" }], /leads out/],
    ["backslashes", [{ name: "a\\..\\x" }], /characters that no file should have/],
    ["a NUL", [{ name: "a\0.py" }], /characters that no file should have/],
    ["no name", [{ name: "" }], /leads out/],
    ["a dot", [{ name: "./x" }], /leads out/],
    ["a name that is no UTF-8", [{ name: Buffer.from([0x61, 0xff]) }], /no UTF-8/],
    ["a very long name", [{ name: "a".repeat(301) }], /too long/],
    ["very many folders", [{ name: `${"a/".repeat(25)}b` }], /too many folders/],
    ["a link", [{ name: "a", content: "/etc/passwd", mode: 0o120777 }], /neither a file nor/],
    ["a device", [{ name: "a", mode: 0o020644 }], /neither a file nor/],
    ["the same name twice", [{ name: "a" }, { name: "a" }], /there twice/],
    ["a file that is a folder too", [{ name: "a" }, { name: "a/", mode: 0o040755 }], /twice/],
    ["encryption", [{ name: "a", claims: { flags: 1 } }], /encrypted/],
    ["another compression", [{ name: "a", claims: { method: 14 } }], /unusual way/],
    ["a size of a gigabyte", [{ name: "a", claims: { size: 2 ** 30 } }], /more than 96 MiB/],
    [
      "many sizes that are too much together",
      ["a", "b", "c"].map((name) => ({ name, claims: { size: 90 * 2 ** 20 } })),
      /more than 192 MiB/,
    ],
    [
      "entries that share bytes",
      [
        { name: "a", content: "1" },
        { name: "b", at: 0 },
      ],
      /shares its/,
    ],
    ["an entry that is elsewhere", [{ name: "a", at: 7 }], /not where the directory says/],
    ["a folder with content", [{ name: "a/", content: "1", mode: 0o040755 }], /with content/],
  ])("with %s is refused", (_, entries, problem) => {
    expect(() => inspect(zip([...honest, ...entries]))).toThrow(problem);
    expect(() => inspect(zip([...honest, ...entries]))).toThrow(PackageArchiveError);
  });

  test.each<[string, (archive: Buffer) => Buffer]>([
    ["nothing", () => Buffer.alloc(0)],
    ["no archive", () => Buffer.from("<html>not found</html>".repeat(20))],
    ["half of one", (archive) => archive.subarray(0, archive.length / 2)],
    ["one with something behind it", (archive) => Buffer.concat([archive, Buffer.from("x")])],
    ["one with something before it", (archive) => Buffer.concat([Buffer.from("#!"), archive])],
  ])("%s is refused", (_, make) => {
    expect(() => inspect(make(zip(honest)))).toThrow(PackageArchiveError);
  });

  test("whatever its bytes are is summed up or refused, never anything else", () => {
    const good = zip(honest);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), {
          maxLength: 6,
        }),
        fc.nat(good.length),
        (changes, length) => {
          const damaged = Buffer.from(good);
          for (const [at, value] of changes) damaged[at] = value;
          try {
            const { unpackedBytes } = inspect(damaged.subarray(0, length));
            expect(unpackedBytes).toBeLessThanOrEqual(192 * 2 ** 20);
          } catch (error) {
            expect(error).toBeInstanceOf(PackageArchiveError);
          }
        },
      ),
    );
  });

  test("that is hostile is not installed, though its hash is right", async () => {
    const { folder, install, names } = place([
      { name: "hostile", archive: zip([{ name: "../../x", content: "1" }]) },
    ]);
    await expect(install(["hostile"])).rejects.toThrow(
      "hostile-1.0-py3-none-any.whl was not installed: ../../x has a name that leads out of its folder.",
    );
    expect(await names()).toEqual([]);
    expect(filesIn(folder)).toEqual([]);
  });
});

/** Leaves a file of an earlier try where the next one looks. */
function leavePart(folder: string, file: string, damage: (file: Buffer) => Buffer): void {
  const content = readFileSync(file);
  const part = join(folder, "partial", `${sha256(content)}.part`);
  mkdirSync(join(folder, "partial"), { recursive: true });
  writeFileSync(part, damage(content));
}

/** Does not compress away. */
function randomText(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48271) % 2147483647;
    return String.fromCharCode(33 + (state % 90));
  }).join("");
}
