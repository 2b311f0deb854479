import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { keptIndexFile, purgeKeptIndexes } from "../../tools/browser/documents/kept-index.ts";
import { type FolderSummary, folderNotes, openDocumentFolder } from "../../tools/index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { folderWith } from "./browser-support.ts";

/** Opens the folder and closes it again. */
async function index(folder: string, indexFolder: string): Promise<FolderSummary> {
  const docs = await openDocumentFolder(folder, { indexFolder });
  await docs.close();
  return docs.summary;
}

async function search(folder: string, indexFolder: string, query: string): Promise<string[]> {
  const docs = await openDocumentFolder(folder, { indexFolder });
  const hits = await docs.search(query, 10);
  await docs.close();
  return hits.map(({ url }) => url);
}

async function indexFileIn(state: string): Promise<string> {
  const [name = "none"] = (await readdir(state)).sort();
  return join(state, name, "index.sqlite");
}

describe("what is read again", () => {
  it("is what is new or has other bytes, and that alone", async () => {
    await using state = await folderWith({});
    await using folder = await folderWith({
      "a.md": "# One\n\nSee [two](b.md).",
      "b.md": "# Two",
      "c.txt": Buffer.from("D\xf6rte wohnt in K\xf6ln", "latin1"),
      "d/e.html": "<h1>Four</h1><p>Halyard",
      "picture.png": Buffer.from("\x89PNG\r\n\x1a\n\0", "latin1"),
      "broken.pdf": "%PDF-1.4 nothing",
    });
    const at = (name: string): string => join(folder.path, name);
    const reads = async (): Promise<number> => {
      const { read, skipped, warnings } = await index(folder.path, state.path);
      // What is known of files that were not read again is said again.
      expect(skipped.map(({ path }) => path)).toEqual(["broken.pdf", "picture.png"]);
      expect(warnings.map(({ path }) => path)).toEqual(["c.txt"]);
      return read;
    };
    expect(await reads()).toBe(4);
    expect(await reads()).toBe(0);
    // Other times and the same bytes.
    await utimes(at("a.md"), new Date(0), new Date(0));
    await writeFile(at("b.md"), "# Two");
    expect(await reads()).toBe(0);
    // Other bytes of the same number, with the time of the old ones.
    await writeFile(at("a.md"), "# One\n\nSee [owt](b.md).");
    await utimes(at("a.md"), new Date(0), new Date(0));
    expect(await reads()).toBe(1);
    expect(await search(folder.path, state.path, "owt")).toEqual(["a.md"]);
    await writeFile(at("b.md"), "# Two\n\nNow with an anchor chain.");
    await writeFile(at("d/new.md"), "# Binnacle");
    expect(await reads()).toBe(2);
    expect(await search(folder.path, state.path, "anchor chain")).toEqual(["b.md"]);
    await rename(at("b.md"), at("renamed.md"));
    expect(await reads()).toBe(1);
    expect(await search(folder.path, state.path, "anchor chain")).toEqual(["renamed.md"]);
    await rm(at("renamed.md"));
    expect(await reads()).toBe(0);
    expect(await search(folder.path, state.path, "anchor chain")).toEqual([]);
    const docs = await openDocumentFolder(folder.path, { indexFolder: state.path });
    // A link whose document is gone is text, though the page with it was not read again.
    expect((await docs.open("a.md")).text).toContain("See owt.");
    await docs.close();
  });

  it("is everything where the index is of another version of the code", async () => {
    await using state = await folderWith({});
    await using folder = await folderWith({ "a.md": "# One" });
    await index(folder.path, state.path);
    const file = await indexFileIn(state.path);
    const database = new DatabaseSync(file);
    database.exec("PRAGMA user_version = 1");
    database.close();
    expect(await index(folder.path, state.path)).toMatchObject({ read: 1, documents: 1 });
    expect(await readdir(state.path)).toHaveLength(1);
  });
});

describe("where indexes are kept", () => {
  it("has one for each folder, and removes what was used longest ago", async () => {
    await using state = await folderWith({});
    const used: string[] = [];
    for (const name of ["/docs/a", "/docs/b", "/docs/c", "/docs/d"]) {
      const file = await keptIndexFile(state.path, name, 7);
      expect(await keptIndexFile(state.path, name, 7)).toBe(file);
      await writeFile(file, "x".repeat(1000));
      used.push(file);
      const then = new Date(Date.now() - 1000 * (10 - used.length));
      await utimes(dirname(file), then, then);
    }
    // Another version of the code has its own.
    expect(await keptIndexFile(state.path, "/docs/a", 8)).not.toBe(used[0]);
    await mkdir(join(state.path, "removed-0123456789ab"));
    await writeFile(join(state.path, "notes.txt"), "not an index");
    const kept = async (): Promise<string[]> =>
      (await readdir(state.path)).filter((name) => used.some((file) => file.includes(name))).sort();
    const names = (...files: (string | undefined)[]): string[] =>
      files.map((file) => basename(dirname(file ?? ""))).sort();
    // The one in use counts first, whatever its age.
    await purgeKeptIndexes(state.path, used[0] ?? "", { maxBytes: 2500, maxAgeMs: 3_600_000 });
    expect(await kept()).toEqual(names(used[0], used[3]));
    await purgeKeptIndexes(state.path, used[0] ?? "", { maxBytes: 2500, maxAgeMs: 0 });
    expect(await kept()).toEqual(names(used[0]));
    expect(await readdir(state.path)).toContain("notes.txt");
    expect(await readdir(state.path)).not.toContain("removed-0123456789ab");
  });

  it("may be unusable: then the index is for this process alone, which is said", async () => {
    await using folder = await folderWith({ "a.md": "# One" });
    await using state = await folderWith({ file: "" });
    const summary = await index(folder.path, join(state.path, "file"));
    expect(summary).toMatchObject({ documents: 1, read: 1 });
    expect(folderNotes(summary).join()).toMatch(/is for this run alone, .*EEXIST|ENOTDIR/);
  });

  it("gets a new index in the place of a damaged one", async () => {
    await using folder = await folderWith({ "a.md": "# One" });
    await using state = await folderWith({});
    await index(folder.path, state.path);
    await writeFile(await indexFileIn(state.path), "no database at all, but long enough to be one");
    const damaged = await index(folder.path, state.path);
    expect(damaged).toMatchObject({ documents: 1, read: 1 });
    expect(folderNotes(damaged).join()).toContain("file is not a database");
    expect(folderNotes(await index(folder.path, state.path))).toEqual([]);
    expect(await index(folder.path, state.path)).toMatchObject({ documents: 1, read: 0 });
  });
});

const SHEETS = 1000;

async function sheets(): ReturnType<typeof folderWith> {
  return folderWith(
    Object.fromEntries(
      Array.from({ length: SHEETS }, (_, n) => [
        `${n % 10}/${n}.md`,
        `# Sheet ${n}\n\nword${n} ${"and more ".repeat(100)}`,
      ]),
    ),
  );
}

/** A process that opens the folder, writes a line, and waits for its input to end. */
function startReader(folder: string, indexFolder: string): ChildProcess {
  const program = `
    import { openDocumentFolder } from ${JSON.stringify(new URL("../../tools/index.ts", import.meta.url).href)};
    const [folder, indexFolder] = process.argv.slice(1);
    const docs = await openDocumentFolder(folder, { indexFolder });
    console.log(JSON.stringify(docs.summary));
    process.stdin.resume().on("end", () => docs.close());`;
  return spawn(
    process.execPath,
    ["--input-type=module", "-e", program, "--", folder, indexFolder],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
}

describe("processes", () => {
  it("that are killed in the middle leave a whole index, and nothing is lost or read twice", async () => {
    await using state = await folderWith({});
    await using folder = await sheets();
    const random = randomNumbers(20_261);
    const countOf = async (): Promise<number> => {
      try {
        const database = new DatabaseSync(await indexFileIn(state.path), { readOnly: true });
        const row = database.prepare("SELECT count(*) AS count FROM documents").get();
        database.close();
        return Number(row?.["count"]);
      } catch {
        // The file, or its tables, are not there yet.
        return 0;
      }
    };
    let before = 0;
    for (let kill = 0; kill < 3; kill++) {
      const child = startReader(folder.path, state.path);
      const exited = once(child, "exit");
      // The moment is one of the indexing itself: after the next documents came in, and a random time.
      while ((await countOf()) <= before && child.exitCode === null) await pause(5);
      await pause(random() * 60);
      child.kill("SIGKILL");
      await exited;
      const database = new DatabaseSync(await indexFileIn(state.path));
      expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      database.exec("INSERT INTO words (words) VALUES ('integrity-check')");
      const torn = database
        .prepare(
          "SELECT count(*) AS count FROM documents WHERE id NOT IN (SELECT id / 4096 FROM parts)",
        )
        .get();
      expect(torn).toEqual({ count: 0 });
      database.close();
      const count = await countOf();
      expect(count).toBeGreaterThanOrEqual(before);
      before = count;
    }
    expect(before).toBeGreaterThan(0);
    const told: { readonly done: number; readonly of: number }[] = [];
    const docs = await openDocumentFolder(folder.path, {
      indexFolder: state.path,
      onProgress: (progress) => told.push(progress),
    });
    await docs.close();
    expect(docs.summary).toMatchObject({ documents: SHEETS, read: SHEETS - before });
    expect(told.length > 0).toBe(before < SHEETS);
    for (const { done, of } of told) expect([done <= of, of]).toEqual([true, SHEETS]);
    for (const n of [0, 499, SHEETS - 1]) {
      expect(await search(folder.path, state.path, `word${n}`)).toEqual([`${n % 10}/${n}.md`]);
    }
    expect(await index(folder.path, state.path)).toMatchObject({ documents: SHEETS, read: 0 });
  });

  it("may index one folder at the same time, and see it as it was when they read it", async () => {
    await using state = await folderWith({});
    await using folder = await sheets();
    const children = [0, 1].map(() => startReader(folder.path, state.path));
    const exits = children.map((child) => once(child, "exit"));
    const lines = await Promise.all(
      children.map(async ({ stdout }) => String((await once(stdout as never, "data"))[0])),
    );
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ documents: SHEETS });
    const told: number[] = [];
    const docs = await openDocumentFolder(folder.path, {
      indexFolder: state.path,
      onProgress: ({ done }) => told.push(done),
    });
    // Nothing is read, so nothing is told.
    expect(told).toEqual([]);
    expect(docs.summary).toMatchObject({ documents: SHEETS, read: 0 });
    // Three have it open; a fourth brings it to a later state.
    await writeFile(join(folder.path, "0/0.md"), "# Sextant");
    await rm(join(folder.path, "1/1.md"));
    expect(await index(folder.path, state.path)).toMatchObject({ documents: SHEETS - 1, read: 1 });
    expect((await docs.search("sextant", 3)).length).toBe(0);
    expect((await docs.search("word1", 3)).map(({ url }) => url)).toEqual(["1/1.md"]);
    expect((await docs.open("0/0.md")).text).toContain("Sheet 0");
    // Also where the file is removed beneath it.
    await rm(state.path, { recursive: true });
    expect((await docs.search("word2", 3)).map(({ url }) => url)).toEqual(["2/2.md"]);
    await docs.close();
    for (const child of children) child.stdin?.end();
    expect((await Promise.all(exits)).map(([code]) => code)).toEqual([0, 0]);
    expect(await index(folder.path, state.path)).toMatchObject({ read: SHEETS - 1 });
    expect(await search(folder.path, state.path, "sextant")).toEqual(["0/0.md"]);
  });
});

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
