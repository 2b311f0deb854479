import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { homePath, openHome } from "../../runtime/home.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "home-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const warnings = (): { list: string[]; warn: (sentence: string) => void } => {
  const list: string[] = [];
  return { list, warn: (sentence) => list.push(sentence) };
};

describe("where state lives", () => {
  test.each([
    [{ CHORALE_HOME: "/a", XDG_DATA_HOME: "/b", HOME: "/c" }, "/a"],
    [{ XDG_DATA_HOME: "/b", HOME: "/c" }, "/b/chorale"],
    [{ XDG_DATA_HOME: "relative", HOME: "/c" }, "/c/.local/share/chorale"],
    [{ CHORALE_HOME: "", HOME: "/c" }, "/c/.local/share/chorale"],
  ])("%j → %s", (env, path) => {
    expect(homePath(env)).toBe(path);
  });
});

describe("opening it", () => {
  test("creates the folder for the user alone, and keeps it", () => {
    const { list, warn } = warnings();
    const path = join(root, "new/chorale");
    const home = openHome({ CHORALE_HOME: path }, warn);
    home.close();
    expect(home).toMatchObject({ path, temporary: false });
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readdirSync(path)).toEqual([]);
    expect(list).toEqual([]);
  });

  test.runIf(process.platform === "linux")("a file system that has no room for one is said", () => {
    const { list, warn } = warnings();
    const home = openHome({ CHORALE_HOME: "/proc/chorale/home" }, warn);
    home.close();
    expect(home.temporary).toBe(true);
    expect(list).toEqual([expect.stringContaining("/proc/chorale/home cannot be used")]);
  });

  test("a place that cannot be a folder is said once, and a temporary folder is used", () => {
    const { list, warn } = warnings();
    const file = join(root, "file");
    writeFileSync(file, "");
    const home = openHome({ CHORALE_HOME: file }, warn);
    expect(home.temporary).toBe(true);
    expect(statSync(home.path).isDirectory()).toBe(true);
    expect(list).toHaveLength(1);
    expect(list[0]).toContain(file);
    expect(list[0]).toContain(home.path);
    home.close();
    expect(existsSync(home.path)).toBe(false);
  });

  // Root may write everywhere; there is nothing to see then.
  test.skipIf(process.getuid?.() === 0)("a read-only folder is said as well", () => {
    const { list, warn } = warnings();
    chmodSync(root, 0o500);
    const home = openHome({ CHORALE_HOME: root }, warn);
    expect(home.temporary).toBe(true);
    expect(list[0]).toContain(root);
    home.close();
    chmodSync(root, 0o700);
  });

  test("two that open it at once do not disturb each other", () => {
    const { list, warn } = warnings();
    const env = { CHORALE_HOME: join(root, "shared") };
    const homes = Array.from({ length: 20 }, () => openHome(env, warn));
    for (const home of homes) home.close();
    expect(list).toEqual([]);
    expect(readdirSync(env.CHORALE_HOME)).toEqual([]);
  });
});
