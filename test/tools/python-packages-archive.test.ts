/** Archives of packages, which are hostile. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PackageError } from "../../tools/index.ts";
import { inspectArchive } from "../../tools/python/packages/archive.ts";
import { filesIn, place } from "./python-package-place.ts";
import { type ZipEntry, zip } from "./python-wheels.ts";

describe("an archive", () => {
  const honest: ZipEntry[] = [
    { name: "top/", mode: 0o040755 },
    { name: "top/b.py", content: "1" },
    { name: "top/ü.txt", content: "2".repeat(1000) },
  ];
  const inspect = (archive: Buffer): ReturnType<typeof inspectArchive> =>
    inspectArchive(archive, "x.whl");

  test("that is honest is summed up", async () => {
    expect(await inspect(zip(honest))).toEqual({ files: 2, unpackedBytes: 1001 });
    expect(await inspect(zip([]))).toEqual({ files: 0, unpackedBytes: 0 });
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
  ])("with %s is refused", async (_, entries, problem) => {
    const inspected = inspect(zip([...honest, ...entries]));
    await expect(inspected).rejects.toThrow(problem);
    await expect(inspected).rejects.toMatchObject({ code: "CHORALE_PACKAGE_ARCHIVE" });
  });

  test.each<[string, (archive: Buffer) => Buffer]>([
    ["nothing", () => Buffer.alloc(0)],
    ["no archive", () => Buffer.from("<html>not found</html>".repeat(20))],
    ["half of one", (archive) => archive.subarray(0, archive.length / 2)],
    ["one with something behind it", (archive) => Buffer.concat([archive, Buffer.from("x")])],
    ["one with something before it", (archive) => Buffer.concat([Buffer.from("#!"), archive])],
  ])("%s is refused", async (_, make) => {
    await expect(inspect(make(zip(honest)))).rejects.toThrow(PackageError);
  });

  test("whatever its bytes are is summed up or refused, never anything else", async () => {
    const good = zip(honest);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), {
          maxLength: 6,
        }),
        fc.nat(good.length),
        async (changes, length) => {
          const damaged = Buffer.from(good);
          for (const [at, value] of changes) damaged[at] = value;
          try {
            const { unpackedBytes } = await inspect(damaged.subarray(0, length));
            expect(unpackedBytes).toBeLessThanOrEqual(192 * 2 ** 20);
          } catch (error) {
            expect(error).toMatchObject({ code: "CHORALE_PACKAGE_ARCHIVE" });
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
      "hostile-1.0-py3-none-any.whl was not installed: its entry ../../x has a name that leads out of its folder.",
    );
    expect(await names()).toEqual([]);
    expect(filesIn(folder)).toEqual([]);
  });
});
