/** Files that go into the sandbox and come out of it, and the text codecs inside of it. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PythonFileError, readInputFiles } from "../../tools/index.ts";
import { ArtifactFolder } from "../../tools/python/artifacts.ts";
import { freeName, safeFileName } from "../../tools/python/file-name.ts";
import { BytesDecoder, Utf8Encoder } from "../../tools/python/guest/text-codec.ts";
import { ARTIFACT_LIMITS, INPUT_LIMITS } from "../../tools/python/protocol.ts";
import { temporaryFolder } from "./support.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("names of files", () => {
  test.each([
    ["plot.png", "plot.png"],
    ["results/run 1/plot.png", "results-run 1-plot.png"],
    ["../../etc/passwd", "etc-passwd"],
    ["/etc/passwd", "etc-passwd"],
    ["C:\\Windows\\x.dll", "C_-Windows-x.dll"],
    [".bashrc", "bashrc"],
    ["..", "file"],
    ["", "file"],
    ["-rf", "rf"],
    ["a\0b\x1b[2J\u202e.txt", "a_b_2J_.txt"],
    ["Größe.csv", "Größe.csv"],
    ["CON.txt", "_CON.txt"],
    [`${"漢".repeat(90)}.txt`, `${"漢".repeat(65)}.txt`],
    [`${"n".repeat(300)}.tar.gz`, `${"n".repeat(197)}.gz`],
    ["name. . ", "name"],
  ])("%j becomes %j", (path, name) => {
    expect(safeFileName(path)).toBe(name);
  });

  test("are plain, short and visible for every path", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (path) => {
        const name = safeFileName(path);
        expect(name).toMatch(
          /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._ -]*$|^\p{M}[\p{L}\p{M}\p{N}._ -]*$/u,
        );
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(201);
        expect(safeFileName(name)).toBe(name);
      }),
    );
  });

  test("that are taken get a number", () => {
    const taken = new Set(["a.txt", "a-2.txt", "b"]);
    expect(freeName("a.txt", (name) => taken.has(name))).toBe("a-3.txt");
    expect(freeName("b", (name) => taken.has(name))).toBe("b-2");
    expect(freeName("c", (name) => taken.has(name))).toBe("c");
    expect(freeName("c", () => true)).toBeUndefined();
  });
});

describe("files for the user", () => {
  test("are written under plain names into a folder that is made for them", async () => {
    const folder = join(temporaryFolder(), "a", "b");
    const artifacts = new ArtifactFolder(folder);
    expect((await artifacts.save([])).artifacts).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    const saved = await artifacts.save([
      { path: "plot.png", bytes: bytes("1") },
      { path: "../plot.png", bytes: bytes("22") },
    ]);
    expect(saved).toEqual({
      artifacts: [
        { name: "plot.png", path: join(folder, "plot.png"), bytes: 1 },
        { name: "plot-2.png", path: join(folder, "plot-2.png"), bytes: 2 },
      ],
      problems: [],
    });
    expect(readdirSync(folder).sort()).toEqual(["plot-2.png", "plot.png"]);
  });

  test("may have long names, and be replaced", async () => {
    const folder = temporaryFolder();
    const artifacts = new ArtifactFolder(folder);
    const path = `/outputs/${"漢".repeat(90)}.txt`;
    for (const text of ["1", "2"]) {
      const { problems } = await artifacts.save([{ path, bytes: bytes(text) }]);
      expect(problems).toEqual([]);
    }
    const [name = ""] = readdirSync(folder);
    expect(readFileSync(join(folder, name), "utf8")).toBe("2");
  });

  test("replace what the session wrote, and nothing else", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "mine.txt"), "the user's");
    const artifacts = new ArtifactFolder(folder);
    const [first] = (await artifacts.save([{ path: "mine.txt", bytes: bytes("1") }])).artifacts;
    const [second] = (await artifacts.save([{ path: "mine.txt", bytes: bytes("2") }])).artifacts;
    expect([first?.name, second?.name]).toEqual(["mine-2.txt", "mine-2.txt"]);
    expect(readFileSync(join(folder, "mine.txt"), "utf8")).toBe("the user's");
    expect(readFileSync(join(folder, "mine-2.txt"), "utf8")).toBe("2");
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test.runIf(process.platform !== "win32")("do not follow links", async () => {
    const folder = temporaryFolder();
    const target = join(temporaryFolder(), "target");
    symlinkSync(target, join(folder, "link.txt"));
    const artifacts = new ArtifactFolder(folder);
    await artifacts.save([{ path: "link.txt", bytes: bytes("1") }]);
    expect(existsSync(target)).toBe(false);
    // One that is put in place of a file of the session goes, and what it points to stays.
    writeFileSync(target, "untouched");
    const own = join(folder, "link-2.txt");
    expect(readFileSync(own, "utf8")).toBe("1");
    truncateSync(own);
    writeFileSync(join(folder, "x"), "");
    await artifacts.save([{ path: "link.txt", bytes: bytes("3") }]);
    expect(lstatSync(own).isFile()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("untouched");
  });

  test("are counted: beyond the limits they are not kept, and why is said", async () => {
    const artifacts = new ArtifactFolder(temporaryFolder());
    const files = Array.from({ length: ARTIFACT_LIMITS.files + 1 }, (_, i) => ({
      path: `${i}.txt`,
      bytes: bytes("x"),
    }));
    const { artifacts: kept, problems } = await artifacts.save(files);
    expect(kept).toHaveLength(ARTIFACT_LIMITS.files);
    expect(problems).toEqual([
      { path: "200.txt", problem: "A session can save 200 files with 128 MiB together." },
    ]);
  });

  test("that cannot be written are said, not thrown", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    const saved = await new ArtifactFolder(join(file, "x")).save([
      { path: "a", bytes: bytes("1") },
    ]);
    expect(saved.artifacts).toEqual([]);
    // For the model: without the user's path.
    expect(saved.problems[0]?.problem).toMatch(
      /^The user's folder for files cannot be written \((ENOTDIR|EEXIST)\)\.$/,
    );
  });
});

describe("files of the user", () => {
  test("are read, each under a name of its own", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "a b.csv"), "1");
    writeFileSync(join(folder, "other", "a b.csv"), "2");
    const files = await readInputFiles([join(folder, "a b.csv"), join(folder, "other", "a b.csv")]);
    expect(files.map(({ name, bytes }) => [name, Buffer.from(bytes).toString()])).toEqual([
      ["a b.csv", "1"],
      ["a b-2.csv", "2"],
    ]);
  });

  test.runIf(process.platform === "linux")(
    "of the system are read, though they state no size",
    async () => {
      const [file] = await readInputFiles(["/proc/version"]);
      expect(Buffer.from(file?.bytes ?? []).toString()).toMatch(/^Linux version /);
      await expect(readInputFiles(["/dev/zero"])).rejects.toThrow("a device and no file");
    },
  );

  test("that cannot be given are refused in a sentence", async () => {
    const folder = temporaryFolder();
    const large = join(folder, "large.bin");
    writeFileSync(large, "");
    truncateSync(large, INPUT_LIMITS.fileBytes + 1);
    for (const [path, sentence] of [
      [join(folder, "missing"), /^Cannot read .*missing for Python: ENOENT/],
      [folder, /^Cannot read .* for Python: (it is a folder, a pipe or a device|EISDIR)/],
      [large, /has 32\.0 MiB; Python gets files of at most 32 MiB\.$/],
    ] as const) {
      const error = await readInputFiles([path]).catch((cause) => cause);
      expect(error).toBeInstanceOf(PythonFileError);
      expect(error).toMatchObject({ code: "CHORALE_PYTHON_FILE", path });
      expect(error.message).toMatch(sentence);
    }
    if (process.platform !== "win32") {
      const pipe = join(folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      await expect(readInputFiles([pipe])).rejects.toThrow("it is a folder, a pipe or a device");
    }
    const many = Array.from({ length: INPUT_LIMITS.files + 1 }, () => large);
    await expect(readInputFiles(many)).rejects.toThrow("101 files were given");
  });
});

describe("text in the isolate", () => {
  test("is encoded as elsewhere", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
        }),
        (text) => {
          expect([...new Utf8Encoder().encode(text)]).toEqual([...new TextEncoder().encode(text)]);
        },
      ),
    );
  });

  test("is encoded into what there is room for, by whole characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 0, max: 20 }), (text, room) => {
        const [ours, theirs] = [new Uint8Array(room), new Uint8Array(room)];
        expect(new Utf8Encoder().encodeInto(text, ours)).toEqual(
          new TextEncoder().encodeInto(text, theirs),
        );
        expect(ours).toEqual(theirs);
      }),
    );
  });

  test.each(["utf-8", "utf-16le", "latin1"])("is decoded as elsewhere: %s", (encoding) => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      // Mostly UTF-8, with some damage.
      fc
        .tuple(fc.string({ unit: "binary" }), fc.nat(), fc.integer({ min: 0, max: 255 }))
        .map(([text, at, value]) => {
          const encoded = new TextEncoder().encode(text);
          if (encoded.length > 0) encoded[at % encoded.length] = value;
          return encoded;
        }),
    );
    fc.assert(
      fc.property(anyBytes, fc.boolean(), (input, ignoreBOM) => {
        // The web's latin1 is windows-1252; Pyodide wants the first 256 characters.
        const even = encoding === "utf-16le" ? input.subarray(0, input.length & ~1) : input;
        const expected =
          encoding === "utf-8"
            ? new TextDecoder(encoding, { ignoreBOM }).decode(even)
            : Buffer.from(even).toString(encoding === "latin1" ? "latin1" : "utf16le");
        expect(new BytesDecoder(encoding, { ignoreBOM }).decode(even)).toBe(expected);
      }),
    );
  });

  test("in another encoding, or damaged where it may not be, is refused", () => {
    expect(() => new BytesDecoder("shift-jis")).toThrow("the encoding shift-jis is not available");
    expect(() => new BytesDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(0xff))).toThrow(
      TypeError,
    );
    expect(new BytesDecoder().decode()).toBe("");
  });
});
