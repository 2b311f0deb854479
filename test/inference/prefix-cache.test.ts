import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { type LocalEngine, openLocalEngine } from "../../inference/local/local-engine.ts";
import { PrefixCache, prefixKey } from "../../inference/local/prefix-cache.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

let base: string;
let folder: string;
const key = (name: string): Buffer => prefixKey(name, [1, 2, 3]);
const files = (): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "chorale-prefixes-"));
});
beforeEach(() => {
  folder = join(base, "store", String(Math.floor(performance.now() * 1000)));
});
afterAll(() => rmSync(base, { recursive: true }));

/** A small disk of one's own needs user namespaces. */
function canMount(): boolean {
  const args = ["-rm", "mount", "-t", "tmpfs", "tmpfs", tmpdir()];
  return spawnSync("unshare", args, { stdio: "ignore" }).status === 0;
}

describe("the folder", () => {
  const shared = (text: string): Uint8Array => {
    const bytes = new Uint8Array(new SharedArrayBuffer(text.length));
    bytes.set(Buffer.from(text));
    return bytes;
  };
  const read = async (store: PrefixCache, name: string, size: number): Promise<string | null> => {
    const parts = [new Uint8Array(2), new Uint8Array(new SharedArrayBuffer(size - 2))];
    const isThere = await store.load(key(name), parts);
    return isThere ? Buffer.concat(parts.map((part) => Buffer.from(part))).toString() : null;
  };

  test("gives back what was saved, in another process's store as well", async () => {
    const store = new PrefixCache({ path: folder, maxBytes: 1 << 20 });
    expect(await read(store, "a", 6)).toBeNull();
    await store.save(key("a"), [shared("abc"), shared("def")]);
    await store.save(key("b"), [shared("ghijkl")]);
    const other = new PrefixCache({ path: folder, maxBytes: 1 << 20 });
    expect(await read(other, "a", 6)).toBe("abcdef");
    expect(await read(other, "b", 6)).toBe("ghijkl");
    expect(files().every((name) => name.endsWith(".kv"))).toBe(true);
    await other.forget(key("a"));
    expect(await read(store, "a", 6)).toBeNull();
  });

  test("keeps within its bytes; what was unused for the longest time goes", async () => {
    const one = 48 + 100 + 32;
    const store = new PrefixCache({ path: folder, maxBytes: 3 * one });
    const text = "x".repeat(100);
    const age = (name: string, seconds: number): void => {
      const path = join(folder, `${key(name).toString("hex")}.kv`);
      utimesSync(path, seconds, seconds);
    };
    for (const [index, name] of ["a", "b", "c"].entries()) {
      await store.save(key(name), [shared(text)]);
      age(name, 1000 + index);
    }
    expect(await read(store, "a", 100)).toBe(text);
    await store.save(key("d"), [shared(text)]);
    expect(await read(store, "b", 100)).toBeNull();
    expect(await read(store, "a", 100)).toBe(text);
    expect(files().length).toBe(3);
    // What could never fit changes nothing.
    await store.save(key("e"), [shared("y".repeat(1000))]);
    expect(files().length).toBe(3);
  });

  test("a file that is cut short, damaged or another's is deleted and counts as missing", async () => {
    const store = new PrefixCache({ path: folder, maxBytes: 1 << 20 });
    const path = join(folder, `${key("a").toString("hex")}.kv`);
    const damages: (() => void)[] = [
      ...[0, 10, 48, 60, 85].map((size) => () => truncateSync(path, size)),
      ...[0, 9, 45, 50, 70].map((at) => () => {
        const bytes = readFileSync(path);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      }),
      () => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from("z")])),
      () => cpSync(join(folder, `${key("other").toString("hex")}.kv`), path),
    ];
    await store.save(key("other"), [shared("uvwxyz")]);
    for (const damage of damages) {
      await store.save(key("a"), [shared("abcdef")]);
      damage();
      expect(await read(store, "a", 6)).toBeNull();
      expect(existsSync(path)).toBe(false);
    }
    await store.save(key("a"), [shared("abcdef")]);
    expect(await read(store, "a", 7)).toBeNull();
  });

  test("any bit that flips, any length that is missing, is noticed", async () => {
    const store = new PrefixCache({ path: folder, maxBytes: 1 << 20 });
    const path = join(folder, `${key("a").toString("hex")}.kv`);
    await store.save(key("a"), [shared("abcdef")]);
    const good = readFileSync(path);
    for (let bit = 0; bit < 8 * good.length; bit++) {
      const bytes = Buffer.from(good);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, bytes);
      expect(await read(store, "a", 6), `bit ${bit}`).toBeNull();
    }
    for (let length = 0; length < good.length; length++) {
      writeFileSync(path, good.subarray(0, length));
      expect(await read(store, "a", 6), `${length} bytes`).toBeNull();
    }
    writeFileSync(path, good);
    expect(await read(store, "a", 6)).toBe("abcdef");
  });

  test("two that write the same at once leave one whole file; what a dead one left goes", async () => {
    mkdirSync(folder, { recursive: true });
    const stale = join(folder, "dead.tmp");
    writeFileSync(stale, "half");
    utimesSync(stale, 1000, 1000);
    writeFileSync(join(folder, "alive.tmp"), "half");
    const stores = Array.from(
      { length: 6 },
      () => new PrefixCache({ path: folder, maxBytes: 1e6 }),
    );
    const text = "0123456789".repeat(2000);
    await Promise.all(stores.map((store) => store.save(key("a"), [shared(text)])));
    for (const store of stores) expect(await read(store, "a", text.length)).toBe(text);
    expect(files().filter((name) => name.endsWith(".tmp"))).toEqual(["alive.tmp"]);
    expect(statSync(join(folder, files().find((name) => name.endsWith(".kv")) ?? "")).size).toBe(
      text.length + 80,
    );
  });

  test.skipIf(!canMount())(
    "a full disk is said; what was stored before stays, half a file does not",
    () => {
      const program = join(base, "full.ts");
      const module = new URL("../../inference/local/prefix-cache.ts", import.meta.url);
      writeFileSync(
        program,
        `import { readdirSync } from "node:fs";
import { PrefixCache, prefixKey } from ${JSON.stringify(module)};
const path = process.argv[2];
const problems = [];
const onProblem = (sentence) => problems.push(sentence);
const store = new PrefixCache({ path, maxBytes: 1e9, onProblem });
const [small, large] = [new Uint8Array(1000).fill(1), new Uint8Array(1e6)];
await store.save(prefixKey("small", [1]), [small]);
await store.save(prefixKey("large", [1]), [large]);
const isThere = await store.load(prefixKey("small", [1]), [new Uint8Array(1000)]);
console.log(JSON.stringify({ problems, isThere, files: readdirSync(path).length }));
`,
      );
      const disk = join(base, "disk");
      mkdirSync(disk);
      const script = 'mount -t tmpfs -o size=64k tmpfs "$1" && exec "$0" "$2" "$1"';
      const args = ["-rm", "bash", "-c", script, process.execPath, disk, program];
      const said = JSON.parse(execFileSync("unshare", args, { encoding: "utf8" })) as unknown;
      expect(said).toEqual({
        problems: [expect.stringMatching(/could not be stored in .*ENOSPC/)],
        isThere: true,
        files: 1,
      });
    },
  );

  test("a folder that cannot be written is said, and nothing else", async () => {
    const problems: string[] = [];
    const path = join(base, "file");
    writeFileSync(path, "");
    const onProblem = (sentence: string): number => problems.push(sentence);
    const store = new PrefixCache({ path: join(path, "x"), maxBytes: 1e6, onProblem });
    await store.save(key("a"), [shared("abc")]);
    expect(problems).toEqual([expect.stringContaining("could not be stored")]);
    expect(await read(store, "a", 3)).toBeNull();
  });
});

describe("sessions", () => {
  const PREFIX = Array.from({ length: 150 }, (_, i) => (i * 31 + 7) % TINY.vocab);
  const PROMPT = [...PREFIX, 5, 6, 7];
  const engines: LocalEngine[] = [];
  let models = 0;

  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.close();
  });

  function makeModel(seed: number): string {
    const path = join(base, `model-${models++}`);
    mkdirSync(path);
    makeRandomModel(path, TINY, seed);
    return path;
  }

  /** As a new process would. */
  async function open(model: string, options = {}): Promise<LocalEngine> {
    const checkpoint = openCheckpoint(model);
    const prefixCache = { path: folder, maxBytes: 1 << 30 };
    const engine = await openLocalEngine(checkpoint, {
      contextLength: 300,
      prefillChunk: 16,
      threads: 1,
      prefixCache,
      ...options,
    });
    checkpoint.close();
    engines.push(engine);
    return engine;
  }

  async function say(engine: LocalEngine, prompt = PROMPT, sharedPrefix = PREFIX.length) {
    const session = await engine.createSession();
    const result = await session.sync(prompt, { sharedPrefix });
    expect(session.tokens).toEqual(prompt);
    const ids: number[] = [];
    const sampling = { temperature: 0.7, topP: 1, seed: 5 };
    const options = { maxTokens: 20, stopIds: new Set<number>(), sampling };
    for await (const id of session.generate(options)) ids.push(id);
    await session.close();
    return { ...result, ids };
  }

  test("a new process begins behind the prefix and says the same", async () => {
    const model = makeModel(3);
    const first = await say(await open(model));
    expect(first).toMatchObject({ reused: 0, computed: 153 });
    expect(files().length).toBe(1);
    const second = await open(model, { threads: 2 });
    expect(await say(second)).toEqual({ reused: 150, computed: 3, ids: first.ids });
    // Another question behind the same prefix.
    const other = [...PREFIX, 9, 9];
    expect(await say(second, other)).toMatchObject({ reused: 150, computed: 2 });
    const plain = await say(await open(model, { prefixCache: undefined }), other);
    expect((await say(second, other)).ids).toEqual(plain.ids);
  });

  test("going back behind a prefix that was read is right, too", async () => {
    const model = makeModel(3);
    await say(await open(model));
    const engine = await open(model);
    const session = await engine.createSession();
    await session.sync(PROMPT, { sharedPrefix: 150 });
    const cut = [...PREFIX.slice(0, 70), 1];
    expect(await session.sync(cut)).toEqual({ reused: 70, computed: 1 });
    const ids: number[] = [];
    const options = { maxTokens: 10, stopIds: new Set<number>() };
    const sampling = { temperature: 0, topP: 1, seed: 5 };
    for await (const id of session.generate({ ...options, sampling })) ids.push(id);
    const fresh = await engine.createSession();
    await fresh.sync(cut);
    const expected: number[] = [];
    for await (const id of fresh.generate({ ...options, sampling })) expected.push(id);
    expect(ids).toEqual(expected);
  });

  test("another model or precision finds nothing of it", async () => {
    const model = makeModel(3);
    await say(await open(model));
    expect(await say(await open(makeModel(4)))).toMatchObject({ reused: 0 });
    expect(await say(await open(model, { precision: "exact" }))).toMatchObject({ reused: 0 });
    expect(files().length).toBe(3);
  });

  test("content that the model would not have computed is thrown away", async () => {
    const model = makeModel(3);
    const openPlain = (): Promise<LocalEngine> => open(model, { tuning: { keyValues: "f32" } });
    const expected = await say(await openPlain());
    // What another model computed, under this one's name and with a valid checksum.
    const [name = ""] = files();
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const size = bytes.length - 80;
    const payload = bytes.subarray(48, 48 + size);
    // A key of the first layer that the last position sees: the third page begins with position 128.
    // Its 16 positions of keys from 16 on follow those of the first 16.
    const at = (size / 3) * 2 + (16 * TINY.headDim + (148 - 128 - 16)) * 4;
    payload.writeFloatLE(payload.readFloatLE(at) + 1, at);
    const store = new PrefixCache({ path: folder, maxBytes: 1 << 30 });
    await store.save(Buffer.from(name.slice(0, 64), "hex"), [payload]);
    expect(await say(await openPlain())).toEqual(expected);
    expect(await say(await openPlain())).toEqual({ ...expected, reused: 150, computed: 3 });
  });

  test("a damaged file is computed and stored again", async () => {
    const model = makeModel(3);
    const expected = await say(await open(model));
    truncateSync(join(folder, files()[0] ?? ""), 1000);
    expect(await say(await open(model))).toEqual(expected);
    expect(await say(await open(model))).toMatchObject({ reused: 150 });
  });

  test("short prefixes, whole prompts and sessions that hold it already are not looked for", async () => {
    const engine = await open(makeModel(3));
    await say(engine, PROMPT, 40);
    await say(engine, PROMPT, PROMPT.length);
    expect(files()).toEqual([]);
    const session = await engine.createSession();
    await session.sync(PROMPT);
    expect(await session.sync([...PROMPT, 1], { sharedPrefix: 150 })).toMatchObject({
      reused: 153,
    });
    expect(files()).toEqual([]);
    await session.close();
  });
});
