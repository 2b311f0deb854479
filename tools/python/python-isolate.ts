/**
 * The isolate that Python runs in, for the process around it: it holds Pyodide and `guest/guest.ts`, whose
 * functions can be called. Code in the isolate decides what they return, so that is never trusted.
 */
import { randomBytes, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { Context, Isolate, Module, Reference } from "isolated-vm";
import type { Ivm } from "../isolate/isolated-vm.ts";
import { guestModules, pythonSource, readTimeZones } from "./guest-source.ts";
import { archiveReader } from "./packages/archive-reader.ts";
import type { PackageManifest } from "./packages/package-manifest.ts";

export type PythonIsolateOptions = {
  readonly ivm: Ivm;
  readonly pyodideFolder: string;
  readonly output: SharedArrayBuffer;
  /** One byte, see Pyodide's `setInterruptBuffer`. */
  readonly interrupt: SharedArrayBuffer;
  /** One byte, which becomes 1 when the code of a cell begins: earlier cells' code may run until then. */
  readonly begun: SharedArrayBuffer;
  /** Beyond what cells may use: of the packages that they may import. */
  readonly packageBytes: number;
  /** The isolate's memory is used up, and with it this process. */
  readonly onOutOfMemory: () => void;
};

/** Functions of `guest/guest.ts`; their promises reject when they throw or the isolate has ended. */
export type PythonIsolate = {
  /** Starts Python, from a snapshot's memory if there is one. */
  boot(memory: Uint8Array | undefined): Promise<void>;
  makeSnapshot(): Promise<Uint8Array>;
  /**
   * Readies the interpreter for a cell, none of whose code runs yet.
   *
   * @param read  bytes of the output that have been read
   * @returns false when earlier cells have changed what cells run on
   */
  prepareCell(read: number): Promise<boolean>;
  /** @returns JSON of `{value, error}`; other text when the cell has changed what writes it */
  runCell(id: number, code: string, number: number): Promise<string>;
  cancel(id: number): void;
  putFile(name: string, bytes: Uint8Array): Promise<void>;
  /** Lets imports find packages; their archives are read when they are asked for. */
  setPackages(manifest: PackageManifest): Promise<void>;
  /** @returns JSON of `[path, bytes, time of change][]`: files that cells may have written, and the user's */
  listFiles(): Promise<string>;
  /** @returns undefined when the file is not as large as stated */
  readFile(path: string, size: number): Promise<Uint8Array | undefined>;
  /** Milliseconds in which the isolate's thread ran code, or waited for a core to run it. */
  computingMs(): number;
};

/** JavaScript objects and the files of Python's file system; Python's own memory is outside of it. */
const MEMORY_LIMIT_MB = 256;
const MAX_PACKAGES_MB = 256;
const MIB = 1024 * 1024;
/** Of JavaScript's timers; the guest has the same limit. asyncio needs one, by an id of its own. */
const MAX_TIMERS = 10_000;
const WAKE = 0;
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_RANDOM_BYTES = 16_384;
const NS_PER_MS = 1e6;
/** Of the sum that shows whether the interpreter still computes. */
const MAX_SUMMAND = 1_000_000;

/** Creates the isolate and its globals; Python is not started yet. */
export async function openPythonIsolate(options: PythonIsolateOptions): Promise<PythonIsolate> {
  const { ivm, pyodideFolder } = options;
  const isolate = new ivm.Isolate({
    memoryLimit: MEMORY_LIMIT_MB + Math.min(MAX_PACKAGES_MB, Math.ceil(options.packageBytes / MIB)),
    onCatastrophicError: options.onOutOfMemory,
  });
  const context = await isolate.createContext();
  const guest = await loadGuest(isolate, context);
  const files = new Map(
    ["pyodide.asm.wasm", "python_stdlib.zip"].map((name) => [
      `/py/${name}`,
      readBuffer(`${pyodideFolder}/${name}`),
    ]),
  );
  const share = (value: unknown, transfer: ArrayBuffer[] = []): unknown =>
    new ivm.ExternalCopy(value, { transferList: transfer }).copyInto({
      release: true,
      transferIn: true,
    });
  const random = new ivm.Callback((length: number) =>
    randomBytes(Math.max(0, Math.min(Math.trunc(Number(length)) || 0, MAX_RANDOM_BYTES))).toString(
      "latin1",
    ),
  );
  await guest("prepare", [
    random,
    new ivm.Callback(() => performance.now()),
    // No cell waits for what a timer's callback throws.
    timerCallback(ivm, (id) => void guest("fire", [id]).catch(() => undefined)),
    share(options.output),
    share(options.interrupt),
    share(options.begun),
    share(files, [...files.values()]),
  ]);

  const lockFile = readFileSync(`${pyodideFolder}/pyodide-lock.json`, "utf8");
  const source = pythonSource();
  const timeZones = ownBuffer(readTimeZones());
  const pyodide = async (): Promise<unknown[]> => {
    const asm = await load(isolate, context, pyodideFolder, "pyodide.asm.mjs", "default");
    const loader = await load(isolate, context, pyodideFolder, "pyodide.mjs", "loadPyodide");
    return [asm.derefInto(), loader.derefInto(), lockFile];
  };
  // The isolate's thread has something to do while this one reads the snapshot.
  const loaded = pyodide();
  loaded.catch(() => undefined);
  return {
    async boot(memory) {
      const buffer = memory && ownBuffer(memory);
      await guest("boot", [
        ...(await loaded),
        source,
        share(timeZones, [timeZones]),
        buffer === undefined ? undefined : share(buffer, [buffer]),
      ]);
    },
    async makeSnapshot() {
      const size = Number(await guest("makeSnapshot", [...(await loaded), source]));
      const target = new SharedArrayBuffer(size);
      await guest("takeSnapshot", [share(target)]);
      return new Uint8Array(target);
    },
    async prepareCell(read) {
      const [a, b] = [randomInt(MAX_SUMMAND), randomInt(MAX_SUMMAND)];
      return (await guest("prepareCell", [read, a, b])) === true;
    },
    runCell: async (id, code, number) => text(await guest("runCell", [id, code, number])),
    cancel: (id) => void guest("cancel", [id]).catch(() => undefined),
    async putFile(name, bytes) {
      const buffer = ownBuffer(bytes);
      await guest("putFile", [name, share(buffer, [buffer])]);
    },
    async setPackages(manifest) {
      const read = archiveReader(manifest);
      // At once, not by a promise: an `import` waits for it.
      const take = new ivm.Callback((name: unknown) => {
        const found = read(name);
        if (typeof found === "string") return found;
        const archive = ownBuffer(found);
        return share(archive, [archive]);
      });
      // The guest does not need to know where the files are.
      const packages = manifest.packages.map(({ file: _, ...one }) => one);
      await guest("setPackages", [JSON.stringify({ ...manifest, packages }), take]);
    },
    listFiles: async () => text(await guest("listFiles", [])),
    async readFile(path, size) {
      const target = new SharedArrayBuffer(size);
      const length = await guest("readFile", [path, share(target)]);
      // A copy, since the guest could go on writing to the shared one.
      return length === size ? new Uint8Array(target).slice() : undefined;
    },
    computingMs: () => Number(isolate.cpuTime) / NS_PER_MS,
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

type Call = (name: string, args: readonly unknown[]) => Promise<unknown>;

/** Compiles the guest's modules and takes hold of their functions before any other code runs there. */
async function loadGuest(isolate: Isolate, context: Context): Promise<Call> {
  const modules = new Map<string, Module>();
  for (const [name, code] of guestModules()) {
    const filename = `file:///chorale/${name}`;
    modules.set(name, await isolate.compileModule(code, { filename }));
  }
  const found = (specifier: string): Module => {
    const module = modules.get(basename(specifier, extname(specifier)));
    if (module === undefined) throw new Error(`there is no module ${specifier} for the guest`);
    return module;
  };
  const entry = found("guest");
  await entry.instantiate(context, found);
  await entry.evaluate();
  const functions = new Map<string, Reference>();
  return async (name, args) => {
    let reference = functions.get(name);
    if (reference === undefined) {
      reference = (await entry.namespace.get(name, { reference: true })) as Reference;
      functions.set(name, reference);
    }
    return reference.apply(undefined, [...args], { result: { promise: true } });
  };
}

/** One of Pyodide's modules, as it is, and one of its exports. */
async function load(
  isolate: Isolate,
  context: Context,
  folder: string,
  name: string,
  exported: string,
): Promise<Reference> {
  const source = readFileSync(`${folder}/${name}`, "utf8");
  const module = await isolate.compileModule(source, { filename: `file:///py/${name}` });
  await module.instantiate(context, (specifier) => {
    throw new Error(`${name} imports ${specifier}, which it did not do so far`);
  });
  await module.evaluate();
  return (await module.namespace.get(exported, { reference: true })) as Reference;
}

/** Timers that the guest asks for; it keeps the callbacks, the host only their ids. */
function timerCallback(ivm: Ivm, fire: (id: number) => void): unknown {
  const cancels = new Map<number, () => void>();
  const request = (id: unknown, milliseconds: unknown): void => {
    if (typeof id !== "number" || typeof milliseconds !== "number") return;
    cancels.get(id)?.();
    cancels.delete(id);
    if (!(milliseconds >= 0) || (id !== WAKE && cancels.size > MAX_TIMERS)) return;
    const due = (): void => {
      cancels.delete(id);
      fire(id);
    };
    if (milliseconds === 0) {
      const immediate = setImmediate(due);
      cancels.set(id, () => clearImmediate(immediate));
    } else {
      const timeout = setTimeout(due, Math.min(milliseconds, MAX_TIMER_MS));
      cancels.set(id, () => clearTimeout(timeout));
    }
  };
  return new ivm.Callback(request, { ignored: true });
}

function readBuffer(path: string): ArrayBuffer {
  return ownBuffer(readFileSync(path));
}

/** The bytes in a buffer that nothing else lies in, as handing it over needs. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  if (byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) return buffer;
  return new Uint8Array(bytes).buffer;
}
