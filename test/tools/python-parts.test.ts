import { createHash } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writerName } from "../../tools/core/writer-name.ts";
import { encodeFrame, type Frame, FrameReader } from "../../tools/isolate/frames.ts";
import { readTimeZones } from "../../tools/python/guest-source.ts";
import { OutputBuffer } from "../../tools/python/output-buffer.ts";
import { readFromChild } from "../../tools/python/protocol.ts";
import {
  canStoreSnapshots,
  removeAbandoned,
  snapshotPath,
  storeSnapshot,
} from "../../tools/python/snapshot.ts";
import { readSnapshot } from "../../tools/python/snapshot-format.ts";
import { temporaryFolder } from "./support.ts";

describe("frames", () => {
  test("come out as they went in, whatever the chunks", () => {
    const frames = fc.array(
      fc.record({
        kind: fc.constantFrom("json" as const, "bytes" as const),
        payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      }),
    );
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 50 }), (sent, chunk) => {
        const stream = Buffer.concat(sent.map(({ kind, payload }) => encodeFrame(kind, payload)));
        const reader = new FrameReader({ json: 1000, bytes: 1000 });
        const received: Frame[] = [];
        for (let at = 0; at < stream.length; at += chunk) {
          received.push(...reader.push(stream.subarray(at, at + chunk)));
        }
        expect(received.map((f) => [f.kind, [...f.payload]])).toEqual(
          sent.map((f) => [f.kind, [...f.payload]]),
        );
      }),
    );
  });

  test("a length over the limit is refused before its bytes arrive", () => {
    const reader = new FrameReader({ json: 10, bytes: 0 });
    const header = encodeFrame("json", new Uint8Array(11)).subarray(0, 5);
    expect(() => [...reader.push(header)]).toThrow("a json frame of 11 bytes, at most 10");
  });

  test("a kind that is not agreed on, or does not exist, is refused", () => {
    const bytes = encodeFrame("bytes", new Uint8Array(1));
    expect(() => [...new FrameReader({ json: 10, bytes: 0 }).push(bytes)]).toThrow(RangeError);
    bytes.writeUInt8(7, 4);
    expect(() => [...new FrameReader({ json: 10, bytes: 10 }).push(bytes)]).toThrow("unknown kind");
  });
});

describe("messages from the interpreter's process", () => {
  test.each([
    "null",
    "[]",
    '{"type":"other"}',
    '{"type":"result","id":"1","leftOut":{"count":0,"files":[]},"interruptedBetween":false,"output":"","value":null,"error":null}',
    '{"type":"result","id":1,"leftOut":{"count":0,"files":[]},"interruptedBetween":false,"output":{},"value":null,"error":null}',
    '{"type":"result","id":1,"leftOut":{"count":0,"files":[]},"interruptedBetween":false,"output":"","value":5,"error":null}',
    '{"type":"result","id":1,"leftOut":{"count":0,"files":[]},"output":"","value":null,"error":null}',
    '{"type":"result","id":1,"leftOut":{"count":-1,"files":[]},"interruptedBetween":false,"output":"","value":null,"error":null}',
    '{"type":"result","id":1,"leftOut":{"count":1,"files":[null]},"interruptedBetween":false,"output":"","value":null,"error":null}',
    '{"type":"result","id":1,"leftOut":{"count":0,"files":[{"path":"a","bytes":1}]},"interruptedBetween":false,"output":"","value":null,"error":null}',
    '{"type":"artifact","path":"a.txt","size":1.5}',
    '{"type":"artifact","path":["a.txt"],"size":1}',
    '{"type":"died","reason":"x"}',
    '{"type":"ready","fromSnapshot":1,"snapshotProblem":null}',
  ])("%s is no message", (text) => {
    expect(readFromChild(JSON.parse(text))).toBeUndefined();
  });
});

describe("OutputBuffer", () => {
  const HALF = 128 * 1024;
  const write = (buffer: OutputBuffer, text: string): void => buffer.write(Buffer.from(text));

  test("what fits is kept whole", () => {
    const buffer = new OutputBuffer();
    const text = `${"a".repeat(HALF - 1)}é${"b".repeat(HALF - 1)}`;
    write(buffer, text);
    expect(buffer.read()).toBe(text);
    buffer.forget(buffer.length);
    expect(buffer.read()).toBe("");
  });

  test("of what does not fit the beginning and the end are kept, and the rest is counted", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 8 }), (sizes) => {
        const buffer = new OutputBuffer();
        let all = "";
        for (const [i, size] of sizes.entries()) {
          const part = String.fromCharCode(97 + i).repeat(size);
          write(buffer, part);
          all += part;
        }
        const cut = all.length - 2 * HALF;
        const expected =
          cut <= 0
            ? all
            : `${all.slice(0, HALF)}\n[... ${cut} bytes of output cut here ...]\n${all.slice(-HALF)}`;
        expect(buffer.read() === expected).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("what is forgotten is gone, what was written after it stays", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 }),
        fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 }),
        (first, then) => {
          const buffer = new OutputBuffer();
          for (const size of first) write(buffer, "a".repeat(size));
          const read = buffer.length;
          for (const size of then) write(buffer, "b".repeat(size));
          const written = then.reduce((sum, size) => sum + size, 0);
          const unread = buffer.read(read);
          buffer.forget(read);
          const kept = buffer.read();
          for (const text of [unread, kept]) {
            const [, cut] =
              /^b*\n\[\.\.\. (\d+) bytes of output cut here \.\.\.\]\nb+$/.exec(text) ?? [];
            const shown = text.match(/b+/g)?.reduce((sum, part) => sum + part.length, 0) ?? 0;
            // The line itself has one "b", of "bytes".
            const own = cut === undefined ? 0 : 1;
            expect(shown - own + Number(cut ?? 0)).toBe(written);
            expect(text.length).toBeLessThan(2 * HALF + 100);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a character that is cut in two is left out, not garbled", () => {
    const buffer = new OutputBuffer();
    write(buffer, "a");
    write(buffer, "é".repeat(HALF * 2));
    const text = buffer.read();
    expect(text).not.toContain("\ufffd");
    expect(text).toMatch(/^aé+\n\[\.\.\. \d+ bytes of output cut here \.\.\.\]\né+$/);
  });

  test("bytes that are no text are shown as replacement characters", () => {
    const buffer = new OutputBuffer();
    buffer.write(Uint8Array.of(0xff, 0x41, 0xfe));
    expect(buffer.read()).toBe("\ufffdA\ufffd");
  });

  test("two views of one memory see the same", () => {
    const writer = new OutputBuffer();
    const reader = new OutputBuffer(writer.shared);
    write(writer, "seen");
    expect(reader.read()).toBe("seen");
  });
});

test("the time zones are the bytes that PyPI publishes", () => {
  expect(createHash("sha256").update(readTimeZones()).digest("hex")).toBe(
    "0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec",
  );
});

describe("snapshot files", () => {
  test("are stored where a folder is or can be made, and nowhere else", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(await canStoreSnapshots(join(folder, "a", "b"))).toBe(true);
    expect(statSync(join(folder, "a", "b")).mode & 0o777).toBe(0o700);
    expect(await canStoreSnapshots(file)).toBe(false);
    expect(await canStoreSnapshots(join(file, "below"))).toBe(false);
    // Where Node's own way of making a folder with its parents does not come back.
    expect(await canStoreSnapshots("/proc/chorale/cache")).toBe(false);
  });

  const memory = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

  test("are restored only if they are as they were written", async () => {
    const folder = temporaryFolder();
    const path = snapshotPath(folder, "1.2.3", "sources");
    await storeSnapshot(folder, path, memory);
    const file = readFileSync(path);
    const read = readSnapshot(path);
    expect([...read]).toEqual([...memory]);
    expect(read.byteLength).toBe(read.buffer.byteLength);
    expect(statSync(path).mode & 0o777).toBe(0o400);
    const other = join(folder, "other");
    const reading = (bytes: Uint8Array) => () => {
      writeFileSync(other, bytes);
      return readSnapshot(other);
    };
    file[500] = (file[500] ?? 0) ^ 1;
    expect(reading(file)).toThrow("damaged");
    expect(reading(file.subarray(0, 20))).toThrow("damaged");
    expect(reading(Buffer.alloc(100))).toThrow("not one of this version");
    expect(reading(Buffer.alloc(0))).toThrow("not one of this version");
  });

  test("belong to the versions and sources they were made with", () => {
    const paths = ["a", "b"].map((sources) => snapshotPath("/f", "1", sources));
    expect(new Set([...paths, snapshotPath("/f", "2", "a")]).size).toBe(3);
  });

  test("many writers leave one whole file and nothing else; old ones go", async () => {
    const folder = temporaryFolder();
    const path = snapshotPath(folder, "1", "now");
    for (const old of ["a", "b", "c", "d"]) {
      const file = snapshotPath(folder, "0", old);
      writeFileSync(file, "");
      utimesSync(file, 1, 1);
    }
    await Promise.all(Array.from({ length: 5 }, () => storeSnapshot(folder, path, memory)));
    expect(readdirSync(folder)).toHaveLength(3);
    expect([...readSnapshot(path)]).toEqual([...memory]);
  });

  test("what a writer left that ended in the middle goes, what another is writing stays", async () => {
    const folder = temporaryFolder();
    const path = snapshotPath(folder, "1", "now");
    await storeSnapshot(folder, path, memory);
    const own = `${path}.${writerName()}.tmp`;
    const dead = `${path}.${writerName().replace(`.${process.pid}.`, ".999999999.")}.tmp`;
    const [far, farOld] = [`${path}.elsewhere.1.a.tmp`, `${path}.elsewhere.1.b.tmp`];
    for (const file of [own, dead, far, farOld]) writeFileSync(file, "half");
    utimesSync(farOld, 1, 1);
    await removeAbandoned(folder);
    expect(readdirSync(folder).sort()).toEqual([path, own, far].map((one) => basename(one)).sort());
    await removeAbandoned(join(folder, "missing"));
  });

  test("a folder that cannot be written is said", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    chmodSync(file, 0o400);
    await expect(storeSnapshot(join(file, "x"), join(file, "x", "y"), memory)).rejects.toThrow();
  });
});
