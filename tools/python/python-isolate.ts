/**
 * The isolate that Python runs in, seen from the process around it: `guest/guest.ts` and Pyodide inside,
 * and functions to call the former. Everything that comes back is the guest's word.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { Context, Isolate, Module, Reference } from "isolated-vm";
import type { Ivm } from "../isolate/isolated-vm.ts";
import { guestModules, pythonSource } from "./guest-source.ts";
import { archiveReader } from "./packages/archive-reader.ts";
import type { PackageManifest } from "./packages/package-manifest.ts";

export type PythonIsolateOptions = {
  readonly ivm: Ivm;
  readonly pyodideFolder: string;
  readonly output: SharedArrayBuffer;
  /** Two bytes: the interrupt byte, and one that says that the cell's own code has begun. */
  readonly control: SharedArrayBuffer;
  /** Beyond what cells may use: of the packages that they may import. */
  readonly packageBytes: number;
  /** The isolate's memory is used up, and with it this process. */
  readonly onOutOfMemory: () => void;
  /** Code that a timer started has run for this long without end. */
  readonly onStuck: () => void;
};

/** Functions of `guest/guest.ts`; their promises reject when they throw or the isolate has ended. */
export type PythonIsolate = {
  /** Starts Python, from a snapshot's memory if there is one. */
  boot(memory: Uint8Array | undefined): Promise<void>;
  makeSnapshot(): Promise<Uint8Array>;
  /** @returns JSON of `{value, error}`; other text when the cell has changed what writes it */
  runCell(id: number, code: string, number: number): Promise<string>;
  cancel(id: number): void;
  putFile(name: string, bytes: Uint8Array): Promise<void>;
  /** Lets imports find packages; their archives are read when they are asked for. */
  setPackages(manifest: PackageManifest): Promise<void>;
  /** @returns JSON of `[path, bytes, time of change][]` */
  listOutputs(): Promise<string>;
  /** @returns undefined when the file is not as large as stated */
  readOutput(path: string, size: number): Promise<Uint8Array | undefined>;
};

/** JavaScript objects and the files of Python's file system; Python's own memory is outside of it. */
const MEMORY_LIMIT_MB = 256;
const MOST_PACKAGES_MB = 256;
const MIB = 1024 * 1024;
/** `asyncio.sleep` is one timer each. */
const MAX_TIMERS = 10_000;
const STUCK_AFTER_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const MOST_RANDOM_BYTES = 16_384;

/** Creates the isolate and its globals; Python is not started yet. */
export async function openPythonIsolate(options: PythonIsolateOptions): Promise<PythonIsolate> {
  const { ivm, pyodideFolder } = options;
  const isolate = new ivm.Isolate({
    memoryLimit:
      MEMORY_LIMIT_MB + Math.min(MOST_PACKAGES_MB, Math.ceil(options.packageBytes / MIB)),
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
    randomBytes(Math.max(0, Math.min(Math.trunc(Number(length)) || 0, MOST_RANDOM_BYTES))).toString(
      "latin1",
    ),
  );
  await guest("prepare", [
    random,
    timerCallback(ivm, async (id) => {
      const stuck = setInterval(options.onStuck, STUCK_AFTER_MS);
      // What a callback throws is nobody's result.
      await guest("fire", [id]).catch(() => undefined);
      clearInterval(stuck);
    }),
    share(options.output),
    share(options.control),
    share(files, [...files.values()]),
  ]);

  const lockFile = readFileSync(`${pyodideFolder}/pyodide-lock.json`, "utf8");
  const source = pythonSource();
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
        buffer === undefined ? undefined : share(buffer, [buffer]),
      ]);
    },
    async makeSnapshot() {
      const size = Number(await guest("makeSnapshot", [...(await loaded), source]));
      const target = new SharedArrayBuffer(size);
      await guest("takeSnapshot", [share(target)]);
      return new Uint8Array(target);
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
      // Where the files are is nothing for the inside.
      const packages = manifest.packages.map(({ file: _, ...one }) => one);
      await guest("setPackages", [JSON.stringify({ ...manifest, packages }), take]);
    },
    listOutputs: async () => text(await guest("listOutputs", [])),
    async readOutput(path, size) {
      const target = new SharedArrayBuffer(size);
      const length = await guest("readOutput", [path, share(target)]);
      // A copy, since the guest could go on writing to the shared one.
      return length === size ? new Uint8Array(target).slice() : undefined;
    },
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
function timerCallback(ivm: Ivm, fire: (id: number) => Promise<void>): unknown {
  let pending = 0;
  return new ivm.Callback(
    (id: number, milliseconds: number) => {
      if (typeof id !== "number" || pending >= MAX_TIMERS) return;
      pending++;
      const after = Math.max(0, Math.min(Number(milliseconds) || 0, LONGEST_TIMER_MS));
      setTimeout(() => {
        pending--;
        void fire(id);
      }, after).unref();
    },
    { ignored: true },
  );
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
