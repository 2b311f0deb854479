/**
 * Main thread of a plugin's process: passes messages between the agent and the isolate that holds the
 * plugin. The isolate computes on a thread of its own, so this one can measure it and end it at any time.
 */
import { stripTypeScriptTypes } from "node:module";
import { posix } from "node:path";
import { connectToParent } from "../isolate/ipc-client.ts";
import { type Ivm, loadIsolatedVm } from "../isolate/isolated-vm.ts";
import { type GuestSettings, guestRuntime } from "./guest-runtime.ts";
import { LOAD_CPU_MS, MOST_MESSAGE_CHARS, MOST_PENDING } from "./limits.ts";
import type { FromChild, ToChild } from "./protocol.ts";

export type IsolateSetup = {
  /** Of `findIsolatedVm`. */
  readonly binary: string;
  readonly memoryMb: number;
  readonly cpuMs: number;
  readonly guest: GuestSettings;
};

const CPU_CHECK_MS = 20;
/** Between calls there is nothing to measure so closely. */
const IDLE_CHECK_MS = 250;
/** What the process may still compute after its last call has ended, and the share of the time after that. */
const IDLE_CPU_MS = 250;
const IDLE_CPU_SHARE = 0.05;
const LONGEST_SLEEP_MS = 600_000;
const US_PER_MS = 1000;
/** Messages of the guest that wait to be passed on; its own runtime sends far fewer. */
const MOST_UNSENT = 4096;
const API_MODULE = "chorale/plugin";
const API_SOURCE =
  "export const { defineTool, net, fs, tools, env, granted, sleep } = globalThis.chorale;";

const link = connectToParent<IsolateSetup>();
const { setup } = link;
const send = (message: FromChild): void => link.send(message);
const die = (reason: string): void => link.die({ type: "died", reason } satisfies FromChild);

const ivm: Ivm = loadIsolatedVm(setup.binary);
const isolate = new ivm.Isolate({
  memoryLimit: setup.memoryMb,
  onCatastrophicError: () => process.kill(process.pid, "SIGKILL"),
});
const context = await isolate.createContext();

/** Calls that have begun and not ended. */
const open = new Set<number>();
let isLoading = true;
let unsent = 0;
const timers = new Set<NodeJS.Timeout>();

/**
 * Of the whole process, whose other threads have next to nothing to do: the isolate's own clock runs on
 * while it waits for a core.
 */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / US_PER_MS;
}

let allowedCpuMs = cpuMs() + LOAD_CPU_MS;
let idleSince = 0;

function watchCpu(): void {
  const isIdle = !isLoading && open.size === 0;
  const grace = isIdle ? (performance.now() - idleSince) * IDLE_CPU_SHARE : 0;
  if (cpuMs() > allowedCpuMs + grace) {
    if (isLoading) die(`computed longer than ${LOAD_CPU_MS / 1000} s while it was loaded`);
    else if (isIdle) die("went on computing after its last call had ended");
    else die(`computed longer than ${setup.cpuMs / 1000} s`);
    return;
  }
  watch = setTimeout(watchCpu, isIdle ? IDLE_CHECK_MS : CPU_CHECK_MS);
}
let watch = setTimeout(watchCpu, CPU_CHECK_MS);

function becameIdle(): void {
  for (const timer of timers) clearTimeout(timer);
  timers.clear();
  allowedCpuMs = cpuMs() + IDLE_CPU_MS;
  idleSince = performance.now();
}

function fromGuest(kind: unknown, id: unknown, text: unknown): void {
  const isPrimitive =
    typeof kind === "string" && typeof id === "number" && typeof text === "string";
  if (!isPrimitive || text.length > MOST_MESSAGE_CHARS) {
    die("broke out of its own messages");
  } else if (++unsent > MOST_UNSENT) {
    die("sent more than anybody reads");
  } else {
    // Not before what is waiting has been written.
    setImmediate(() => unsent--);
    if (kind === "request" && text.startsWith('["sleep",')) {
      sleep(id, text);
      return;
    }
    if (kind === "result" && open.delete(id) && open.size === 0) becameIdle();
    send({ type: "guest", kind: kind as never, id, text });
  }
}

function sleep(id: number, text: string): void {
  const asked: unknown = JSON.parse(text)[1];
  const delay = typeof asked === "number" ? Math.min(Math.max(asked, 0), LONGEST_SLEEP_MS) : 0;
  if (timers.size >= MOST_PENDING) return;
  const timer = setTimeout(() => {
    timers.delete(timer);
    toGuest("answer", id, '{"ok":true}');
  }, delay);
  timers.add(timer);
}

const receive = await context.evalClosure(
  // Strict, so that functions that the plugin makes cannot name their callers.
  `"use strict"; return (${guestRuntime.toString()})($0, $1)`,
  [new ivm.Callback(fromGuest, { ignored: true }), JSON.stringify(setup.guest)],
  { result: { reference: true }, filename: "file:///chorale.js" },
);

function toGuest(kind: string, id: number, text: string, namespace?: unknown): void {
  if (isolate.isDisposed) return;
  receive
    .apply(undefined, [kind, id, text, ...(namespace === undefined ? [] : [namespace])])
    .catch((error: Error) => {
      const isMemory = /memory limit|array buffer allocation/i.test(error.message);
      if (isolate.isDisposed) die(isMemory ? OUT_OF_MEMORY : `ended: ${error.message}`);
    });
}

const OUT_OF_MEMORY = "used up its memory";

type Module = Awaited<ReturnType<typeof isolate.compileModule>>;
const modules = new Map<string, Promise<Module>>();
const paths = new WeakMap<Module, string>();
const asked = new Map<number, (message: Extract<ToChild, { type: "source" }>) => void>();

function moduleAt(path: string): Promise<Module> {
  let module = modules.get(path);
  if (module === undefined) {
    module = path === API_MODULE ? compiled(path, API_SOURCE) : fetched(path);
    modules.set(path, module);
  }
  return module;
}

async function fetched(path: string): Promise<Module> {
  const { promise, resolve } = Promise.withResolvers<Extract<ToChild, { type: "source" }>>();
  const id = asked.size;
  asked.set(id, resolve);
  send({ type: "source", id, path });
  const { text, problem } = await promise;
  if (text === null) throw new Error(problem);
  return compiled(path, text);
}

async function compiled(path: string, source: string): Promise<Module> {
  const code = /\.m?ts$/.test(path)
    ? stripTypeScriptTypes(source)
    : path.endsWith(".json")
      ? `export default ${source}`
      : source;
  const module = await isolate.compileModule(code, { filename: `file:///${path}` });
  paths.set(module, path);
  return module;
}

function resolved(specifier: string, referrer: Module): Promise<Module> {
  if (specifier === API_MODULE) return moduleAt(API_MODULE);
  const from = paths.get(referrer) ?? "";
  if (!/^\.{1,2}\//.test(specifier)) {
    throw new Error(
      `${from} imports ${JSON.stringify(specifier)}; a plugin in an isolate may import "${API_MODULE}" and its own files ("./…"). Bundle what it needs.`,
    );
  }
  return moduleAt(posix.normalize(posix.join(posix.dirname(from), specifier)));
}

async function load(entry: string): Promise<void> {
  try {
    const module = await moduleAt(entry);
    await module.instantiate(context, resolved);
    await module.evaluate();
    toGuest("loaded", 0, "", module.namespace.derefInto());
  } catch (error) {
    if (isolate.isDisposed) return die(OUT_OF_MEMORY);
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    send({ type: "guest", kind: "failed", id: 0, text: text.slice(0, 2000) });
  }
}

link.listen({
  onMessage(received) {
    const message = received as ToChild;
    switch (message.type) {
      case "load":
        toGuest("granted", 0, message.granted);
        void load(message.entry);
        break;
      case "source":
        asked.get(message.id)?.(message);
        break;
      case "guest":
        if (message.kind === "call") {
          if (open.size === 0) {
            allowedCpuMs = cpuMs();
            isLoading = false;
            clearTimeout(watch);
            watch = setTimeout(watchCpu, CPU_CHECK_MS);
          }
          if (!message.isNested) allowedCpuMs += setup.cpuMs;
          open.add(message.id);
        }
        toGuest(message.kind, message.id, message.text);
        break;
      case "stop":
        die("did not end when it was asked to");
        break;
    }
  },
  onOutOfMemory: () => ({ type: "died", reason: OUT_OF_MEMORY }) satisfies FromChild,
});
