/** Files of packages on their way: mirrors that fail, connections that are cut, tries that are gone on with. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listPythonPackages } from "../../tools/index.ts";
import { PartialFile } from "../../tools/python/packages/partial-file.ts";
import { packageOf, place, randomText } from "./python-package-place.ts";
import { serve, sha256 } from "./python-wheels.ts";
import { temporaryFolder } from "./support.ts";

describe("downloading", () => {
  test("by HTTP asks for each file once, from where the lock file says", async () => {
    const { mirror, install, names } = place([packageOf("a", { depends: ["b"] }), packageOf("b")]);
    const server = await serve(mirror.folder);
    await install(["a"], { from: server.url });
    expect(server.requests).toEqual(["b-1.0-py3-none-any.whl", "a-1.0-py3-none-any.whl"]);
    expect(await names()).toEqual(["a", "b"]);
  });

  test("a file that the mirror has only the beginning of is not installed", async () => {
    const { mirror, install, names } = place([packageOf("a")]);
    truncateSync(mirror.fileOf("a"), 100);
    const server = await serve(mirror.folder);
    await expect(install(["a"], { from: server.url })).rejects.toThrow(
      /is not what the lock file says and was not installed: 100 bytes/,
    );
    expect(await names()).toEqual([]);
  });

  test("a file that is not there, and a server that only fails, are said", async () => {
    const { mirror, install } = place([packageOf("a")]);
    const missing = await serve(join(mirror.folder, "nowhere"));
    const error = await install(["a"], { from: missing.url }).catch((caught) => caught);
    expect(error).toMatchObject({ code: "CHORALE_PACKAGE_DOWNLOAD" });
    expect(error.message).toMatch(
      /^a could not be fetched from http:\/\/127\.0\.0\.1:\d+\/: .* 404\.$/,
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
      packageOf("a", { files: { "a.bin": Buffer.from(randomText(300_000)) } }),
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
    const { mirror, folder, install, names } = place([packageOf("a")]);
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
      const { mirror, folder, install, names } = place([packageOf("a")]);
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
});

/** Leaves a file of an earlier try where the next one looks. */
function leavePart(folder: string, file: string, damage: (file: Buffer) => Buffer): void {
  const content = readFileSync(file);
  const part = join(folder, "partial", `${sha256(content)}.part`);
  mkdirSync(join(folder, "partial"), { recursive: true });
  writeFileSync(part, damage(content));
}
