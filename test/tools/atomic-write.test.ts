import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeFileAtomic } from "../../tools/core/atomic-write.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("replaces what is there, and a link instead of what it leads to", async () => {
  const path = join(folder, "file");
  await writeFileAtomic(path, "first");
  await writeFileAtomic(path, Buffer.from("second"), 0o400);
  expect(readFileSync(path, "utf8")).toBe("second");
  expect(statSync(path).mode & 0o777).toBe(0o400);
  writeFileSync(join(folder, "other"), "other");
  symlinkSync(join(folder, "other"), join(folder, "link"));
  await writeFileAtomic(join(folder, "link"), "new");
  expect(readFileSync(join(folder, "link"), "utf8")).toBe("new");
  expect(readFileSync(join(folder, "other"), "utf8")).toBe("other");
  expect(readdirSync(folder).sort()).toEqual(["file", "link", "other"]);
});

test("that fails leaves what was there, and nothing beside it", async () => {
  const path = join(folder, "file");
  mkdirSync(path);
  await expect(writeFileAtomic(path, "text")).rejects.toThrow(/EISDIR|EEXIST|EPERM/);
  await expect(writeFileAtomic(join(folder, "none", "file"), "text")).rejects.toThrow(/ENOENT/);
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("a reader never sees a part", async () => {
  const path = join(folder, "file");
  const module = new URL("../../tools/core/atomic-write.ts", import.meta.url).href;
  const script = `import { writeFileAtomic } from ${JSON.stringify(module)};
    for (let n = 0; ; n = 1 - n) {
      await writeFileAtomic(${JSON.stringify(path)}, String(n).repeat(1e6));
      if (n === 1) process.stdout.write("w");
    }`;
  const writer = spawn(process.execPath, ["--input-type=module", "-e", script]);
  try {
    await once(writer.stdout, "data");
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const text = readFileSync(path, "utf8");
      seen.add(text === text[0]?.repeat(1e6) ? "whole" : "part");
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    expect([...seen]).toEqual(["whole"]);
  } finally {
    writer.kill("SIGKILL");
    await once(writer, "exit");
  }
});
