import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { openRegularFile, readFileOrPipe, readRegularFile } from "../../tools/core/read-file.ts";

const folder = mkdtempSync(join(tmpdir(), "chorale-files-"));
afterAll(() => rmSync(folder, { recursive: true }));
const LIMIT = 100_000;
const text = join(folder, "text");
writeFileSync(text, "text");
mkdirSync(join(folder, "inner"));

test("a regular file is read, up to the limit", async () => {
  expect(String(await readRegularFile(text, LIMIT))).toBe("text");
  expect(String(await readFileOrPipe(text, 4))).toBe("text");
  await expect(readRegularFile(text, 3)).rejects.toThrow("has more than 3 bytes");
  writeFileSync(join(folder, "large"), "x".repeat(LIMIT));
  expect(await readRegularFile(join(folder, "large"), LIMIT)).toHaveLength(LIMIT);
});

test("what is not there has the system's error", async () => {
  await expect(openRegularFile(join(folder, "none"))).rejects.toThrow(/ENOENT/);
});

describe.runIf(process.platform === "linux")("what is no regular file", () => {
  const fifo = (name: string): string => {
    const path = join(folder, name);
    execFileSync("mkfifo", [path]);
    return path;
  };

  test("is named, at once", async () => {
    const path = fifo("quiet");
    await expect(readRegularFile(path, LIMIT)).rejects.toThrow(
      `${path} is a pipe; accepted: a regular file.`,
    );
    await expect(openRegularFile("/dev/zero")).rejects.toThrow("is a device");
    await expect(readRegularFile(join(folder, "inner"), LIMIT)).rejects.toThrow("is a folder");
    await expect(readFileOrPipe("/dev/zero", LIMIT)).rejects.toThrow(
      "is a device; accepted: a regular file or a pipe.",
    );
    await expect(readFileOrPipe(path, LIMIT)).rejects.toThrow("is a pipe that no program writes");
  });

  test("is read where it is a pipe and a pipe is accepted, however slowly it is written", async () => {
    const path = fifo("slow");
    const writer = spawn("/bin/sh", [
      "-c",
      'exec 3<>"$0"; sleep 0.2; echo slow >&3; sleep 0.2',
      path,
    ]);
    onTestFinished(() => void writer.kill("SIGKILL"));
    // The writer opens both ends, so that it does not wait for us.
    await expect
      .poll(() => readFileOrPipe(path, LIMIT).then(String, () => null), { timeout: 3000 })
      .toBe("slow\n");
  });

  test("that is never written to can be given up", async () => {
    const path = fifo("silent");
    const writer = spawn("/bin/sh", ["-c", 'exec 3<>"$0"; echo; sleep 60', path]);
    onTestFinished(() => void writer.kill("SIGKILL"));
    await new Promise((resolve) => writer.stdout.once("data", resolve));
    await expect(readFileOrPipe(path, LIMIT, AbortSignal.timeout(100))).rejects.toThrow(/abort/i);
  });

  test("does not keep a program from ending", () => {
    const path = fifo("named");
    const door = new URL("../../tools/core/read-file.ts", import.meta.url).href;
    const script = `import { readRegularFile } from ${JSON.stringify(door)};
      await readRegularFile(${JSON.stringify(path)}, 10).catch((error) => console.log(error.code));`;
    const { stdout, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
    expect([stdout, signal]).toEqual(["CHORALE_FILE_READ\n", null]);
  });

  test("has its content where the system does not say its size", async () => {
    expect(String(await readRegularFile("/proc/version", LIMIT))).toMatch(/^Linux version/);
  });
});
