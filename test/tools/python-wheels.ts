/**
 * Packages made for a test: archives (honest and other), a lock file about them, a mirror that serves them
 * by loopback HTTP, and a C extension as bytes.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { onTestFinished } from "vitest";

export type ZipEntry = {
  readonly name: string | Buffer;
  readonly content?: string | Uint8Array;
  /** What the directory says, where it lies. */
  readonly claims?: { readonly size?: number; readonly method?: number; readonly flags?: number };
  /** Of Unix; default: a plain file. */
  readonly mode?: number;
  /** The directory's place of the entry; default: where it is. */
  readonly at?: number;
};

/** A zip archive, byte by byte, since libraries refuse to write what a test needs. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name: given, content = "", claims = {}, mode = 0o100644, at } of entries) {
    const name = Buffer.from(given);
    const raw = Buffer.from(content);
    const packed = deflateRawSync(raw);
    const { size = raw.length, method = 8, flags = 0x800 } = claims;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt16LE(0x5a21, 8);
    common.writeUInt32LE(crc32(raw), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(at ?? offset, 10);
    directory.push(Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), common, tail, name);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

export type TestPackage = {
  readonly name: string;
  readonly version?: string;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Instead of one made of `files`. */
  readonly archive?: Buffer;
  readonly depends?: readonly string[];
  readonly imports?: readonly string[];
  readonly place?: "site" | "dynlib";
  /** What the lock file says, where it lies. */
  readonly sha256?: string;
};

export type Mirror = {
  readonly folder: string;
  readonly lock: string;
  /** By name of the package. */
  fileOf(name: string): string;
};

export const sha256 = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

/** Writes the packages' files and a lock file about them, for exactly this Pyodide. */
export function makeMirror(folder: string, packages: readonly TestPackage[]): Mirror {
  mkdirSync(folder, { recursive: true });
  const entries: Record<string, unknown> = {};
  const names = new Map<string, string>();
  for (const one of packages) {
    const { name, version = "1.0", files = {}, depends = [], imports = [], place = "site" } = one;
    const plain = name.replaceAll("-", "_");
    const fileName =
      place === "site" ? `${plain}-${version}-py3-none-any.whl` : `${name}-${version}.zip`;
    const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`;
    const all = {
      ...files,
      ...(place === "site" && { [`${plain}-${version}.dist-info/METADATA`]: metadata }),
    };
    const archive =
      one.archive ?? zip(Object.entries(all).map(([path, content]) => ({ name: path, content })));
    writeFileSync(join(folder, fileName), archive);
    names.set(name, join(folder, fileName));
    entries[name.toLowerCase()] = {
      ...{ name, version, file_name: fileName, install_dir: place, depends, imports },
      ...{ sha256: one.sha256 ?? sha256(archive), package_type: "package", tool: {} },
    };
  }
  const lock = join(folder, "lock.json");
  writeFileSync(lock, JSON.stringify({ info: pyodideInfo(), packages: entries }));
  return { folder, lock, fileOf: (name) => names.get(name) ?? "" };
}

function pyodideInfo(): unknown {
  const manifest = createRequire(import.meta.url).resolve("pyodide/package.json");
  const lock = readFileSync(join(dirname(manifest), "pyodide-lock.json"), "utf8");
  return JSON.parse(lock).info;
}

export type MirrorServer = {
  readonly url: string;
  /** `GET` with its range, as they came. */
  readonly requests: string[];
};

/** Serves a folder with parts of files; `handle` may answer in its place, by returning true. */
export async function serve(
  folder: string,
  handle?: (request: IncomingMessage, response: ServerResponse, file: Buffer) => boolean,
): Promise<MirrorServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "/").slice(1));
    const { range } = request.headers;
    requests.push(range === undefined ? path : `${path} ${range}`);
    let file: Buffer;
    try {
      file = readFileSync(join(folder, path));
    } catch {
      response.writeHead(404).end();
      return;
    }
    if (handle?.(request, response, file)) return;
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (from >= file.length && from > 0) {
      response.writeHead(416).end();
      return;
    }
    const part = file.subarray(from);
    response.writeHead(from === 0 ? 200 : 206, {
      "content-length": part.length,
      ...(from > 0 && { "content-range": `bytes ${from}-${file.length - 1}/${file.length}` }),
    });
    response.end(part);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return { url: `http://127.0.0.1:${port}/`, requests };
}

/** LEB128, for both kinds: the values here are small and not negative. */
function number(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...number(value >>> 7)];
}
const list = (items: readonly (readonly number[])[]): number[] => [
  ...number(items.length),
  ...items.flat(),
];
const text = (value: string): number[] => [...number(value.length), ...Buffer.from(value)];
const section = (id: number, body: readonly number[]): number[] => [
  id,
  ...number(body.length),
  ...body,
];

const [I32, FUNCTION, END] = [0x7f, 0x60, 0x0b];
const [GET_GLOBAL, CONST, ADD, STORE, CALL] = [0x23, 0x41, 0x6a, 0x36, 0x10];
const [MEMORY_BASE, TABLE_BASE] = [0, 1];

/** First section of a side module: what it needs of memory, table, and other libraries. */
function dylink(memory: number, table: number, needed: readonly string[]): number[] {
  const memoryInfo = [...number(memory), 2, ...number(table), 0];
  const needs = list(needed.map(text));
  return section(0, [
    ...text("dylink.0"),
    ...[1, ...number(memoryInfo.length), ...memoryInfo],
    ...[2, ...number(needs.length), ...needs],
  ]);
}

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** A shared library with one function, `name`, that returns `value`. */
export function sharedLibrary(name: string, value: number): Buffer {
  return Buffer.from([
    ...MAGIC,
    ...dylink(0, 0, []),
    ...section(1, list([[FUNCTION, 0, 1, I32]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text(name), 0, 0]])),
    ...section(10, list([body([CONST, ...number(value), END])])),
  ]);
}

/** Of a function without locals. */
const body = (code: readonly number[]): number[] => [...number(code.length + 1), 0, ...code];

/**
 * A C extension for Python: a module with a function `answer()`, which returns what the function `source`
 * of the library `needed` does. Its PyModuleDef and PyMethodDef are filled in where it is loaded.
 */
export function extensionModule(module: string, needed: string, source: string): Buffer {
  const [definition, methods, names] = [0, 64, 96];
  const at = (offset: number): number[] => [
    ...[GET_GLOBAL, MEMORY_BASE, CONST],
    ...[...number(offset), ADD],
  ];
  const store = (offset: number, value: readonly number[]): number[] => [
    ...[GET_GLOBAL, MEMORY_BASE, ...value],
    ...[STORE, 2, ...number(offset)],
  ];
  const strings = Buffer.from(`${module}\0answer\0`);
  const [createModule, fromLong, value, answer, init] = [0, 1, 2, 3, 4];
  const answerCode = [CALL, value, CALL, fromLong, END];
  const initCode = [
    ...store(definition, [CONST, 1]),
    ...store(definition + 20, at(names)),
    // m_size -1: the module keeps its state in globals.
    ...store(definition + 28, [CONST, 0x7f]),
    ...store(definition + 32, at(methods)),
    ...store(methods, at(names + module.length + 1)),
    ...store(methods + 4, [GET_GLOBAL, TABLE_BASE]),
    // METH_NOARGS
    ...store(methods + 8, [CONST, 4]),
    ...at(definition),
    // PYTHON_API_VERSION
    ...[CONST, ...number(1013), CALL, createModule, END],
  ];
  const env = (name: string, ...what: number[]): number[] => [
    ...text("env"),
    ...text(name),
    ...what,
  ];
  const size = names + strings.length;
  return Buffer.from([
    ...MAGIC,
    ...dylink(size, 1, [needed]),
    ...section(
      1,
      list([
        [FUNCTION, 2, I32, I32, 1, I32],
        [FUNCTION, 1, I32, 1, I32],
        [FUNCTION, 0, 1, I32],
      ]),
    ),
    ...section(
      2,
      list([
        env("__memory_base", 3, I32, 0),
        env("__table_base", 3, I32, 0),
        env("memory", 2, 0, 0),
        env("__indirect_function_table", 1, 0x70, 0, 0),
        env("PyModule_Create2", 0, 0),
        env("PyLong_FromLong", 0, 1),
        env(source, 0, 2),
      ]),
    ),
    ...section(3, list([[0], [2]])),
    ...section(7, list([[...text(`PyInit_${module}`), 0, init]])),
    ...section(9, list([[0, GET_GLOBAL, TABLE_BASE, END, ...list([[answer]])]])),
    ...section(10, list([body(answerCode), body(initCode)])),
    ...section(11, list([[0, ...at(names), END, ...number(strings.length), ...strings]])),
  ]);
}
