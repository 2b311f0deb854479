/**
 * One life of a plugin's process, seen from the agent: it loads the plugin, runs calls, answers what the
 * plugin asks for, and ends the process for anything that it may not do.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { dirname, sep } from "node:path";
import type { ToolContext, ToolOutput } from "../core/tool.ts";
import {
  findIsolatedVm,
  gracefulKill,
  SupervisedChild,
  type SupervisedChildOptions,
} from "../isolate/index.ts";
import { type GuestTool, readOutcome, readTools } from "./guest-data.ts";
import type { HostFunctions } from "./host-functions.ts";
import type { IsolateSetup } from "./isolate-child.ts";
import {
  LOAD_TIMEOUT_MS,
  MOST_CALLS,
  MOST_LOG_CHARS,
  MOST_MESSAGE_CHARS,
  MOST_PENDING,
} from "./limits.ts";
import type { PluginManifest } from "./manifest.ts";
import type { GrantedPermissions } from "./permissions.ts";
import type { ProcessSetup } from "./process-child.ts";
import { readFromChild, type ToChild } from "./protocol.ts";
import { type ReadSource, sourceReader } from "./sources.ts";

export type PluginProcessOptions = {
  readonly manifest: PluginManifest;
  readonly granted: GrantedPermissions;
  readonly host: HostFunctions;
  /** Default: from the plugin's folder. */
  readonly readSource?: ReadSource;
  readonly onLog: (text: string) => void;
};

const MIB = 1024 * 1024;
/** Of a process with an empty isolate, and as much again. */
const BASE_RESIDENT = 256 * MIB;
/** Writable memory that such a process has mapped (not used). */
const BASE_DATA = 1600 * MIB;
const HEAP_MB = 128;
/** Node itself uses some WebAssembly, for TypeScript. */
const WASM_PAGES = 1024;
/** The answers of all host functions that may wait at once, and a few calls. */
const UNREAD_LIMIT_BYTES = 64 * MIB;

/** The processes on whose behalf a tool is being called, through their host functions. */
const callers = new AsyncLocalStorage<ReadonlySet<PluginProcess>>();

type OpenCall = {
  readonly context: ToolContext;
  readonly callers: ReadonlySet<PluginProcess>;
  readonly end: (outcome: string) => void;
  readonly fail: (reason: Error) => void;
};

export class PluginProcess {
  /** The tools that the plugin defines; rejects with a sentence's end when it does not load. */
  readonly loaded: Promise<readonly GuestTool[]>;
  readonly #options: PluginProcessOptions;
  readonly #child: SupervisedChild;
  readonly #readSource: ReadSource;
  readonly #loaded = Promise.withResolvers<readonly GuestTool[]>();
  readonly #calls = new Map<number, OpenCall>();
  #lastCall = 0;
  /** Calls that were asked to end and have not: each may take the process with it. */
  readonly #overdue = new Set<Promise<unknown>>();
  /** Ends what host functions do when no call is open any more. */
  #busy = new AbortController();
  #answering = 0;
  #requestsLeft = 0;
  #logLeft = MOST_LOG_CHARS;
  #isLoading = true;

  /** Starts the process. */
  constructor(options: PluginProcessOptions) {
    this.#options = options;
    this.#readSource = options.readSource ?? sourceReader(options.manifest.folder);
    this.loaded = this.#loaded.promise;
    this.loaded.catch(() => undefined);
    this.#child = new SupervisedChild(launchOptions(options.manifest), {
      onMessage: (message) => this.#receive(message),
      onEnd: (reason) => this.#end(reason),
    });
    this.#child.keepsAgentAlive(true);
    this.#send({
      type: "load",
      entry: options.manifest.entry,
      granted: JSON.stringify(options.granted),
    });
    const timer = setTimeout(
      () => this.#child.fail(`was not loaded after ${LOAD_TIMEOUT_MS / 1000} s`),
      LOAD_TIMEOUT_MS,
    );
    this.loaded
      .catch(() => undefined)
      .finally(() => {
        clearTimeout(timer);
        this.#restUnlessBusy();
      });
  }

  get alive(): boolean {
    return this.#child.alive;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the process is gone. */
  get exited(): Promise<void> {
    return this.#child.exited;
  }

  /** Resolves when no call is overdue: the process is then gone, or will stay. */
  async settled(): Promise<void> {
    while (this.#overdue.size > 0) await Promise.allSettled(this.#overdue);
  }

  /**
   * Runs one call. Several may be open at once; what ends the process ends all of them.
   *
   * @throws Error with a sentence: the plugin's own, or "it …" of the process
   */
  async call(tool: GuestTool, input: unknown, context: ToolContext): Promise<ToolOutput> {
    if (this.#calls.size >= MOST_CALLS) throw new Error(`more than ${MOST_CALLS} calls are open.`);
    const onBehalfOf = callers.getStore() ?? new Set();
    // A plugin that calls itself, perhaps by way of others, gets no more than the call that it is in.
    const isNested = onBehalfOf.has(this);
    const text = JSON.stringify({ tool: tool.name, callId: context.callId, input, isNested });
    if (text.length > MOST_MESSAGE_CHARS) throw new Error("its arguments are too long.");
    const id = ++this.#lastCall;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (this.#calls.size === 0) {
      this.#busy = new AbortController();
      this.#requestsLeft = 0;
      this.#logLeft = MOST_LOG_CHARS;
    }
    if (!isNested) this.#requestsLeft += this.#options.manifest.limits.hostCalls;
    this.#calls.set(id, { context, callers: onBehalfOf, end: resolve, fail: reject });
    this.#child.keepsAgentAlive(true);
    this.#child.resume();
    const ending = gracefulKill(tool.timeoutMs, context.signal, {
      interrupt: () => {
        this.#overdue.add(promise);
        this.#send({ type: "guest", kind: "cancel", id, text: "" });
      },
      stop: () => this.#send({ type: "stop" }),
      kill: () => this.#child.fail("did not end when it was told to"),
    });
    try {
      if (this.#child.alive) this.#send({ type: "guest", kind: "call", id, text, isNested });
      else reject(new Error("its process is gone."));
      return readOutcome(await promise);
    } catch (error) {
      throw ending.reason === null ? error : new Error(`${ending.reason}.`);
    } finally {
      ending.settle();
      this.#overdue.delete(promise);
      this.#calls.delete(id);
      this.#restUnlessBusy();
    }
  }

  kill(): void {
    this.#child.fail("was ended");
  }

  #send(message: ToChild): void {
    this.#child.send(message);
  }

  #restUnlessBusy(): void {
    if (this.#calls.size > 0) return;
    this.#busy.abort();
    if (!this.#child.alive) return;
    this.#child.keepsAgentAlive(false);
    // In an isolate the process measures what the plugin computes between calls.
    if (this.#options.manifest.isolation === "process") this.#child.pause();
  }

  #receive(received: unknown): void {
    const message = readFromChild(received);
    if (message === undefined) throw new RangeError("a message of no known kind");
    if (message.type === "died") this.#child.fail(message.reason);
    else if (message.type === "source") void this.#giveSource(message.id, message.path);
    else this.#hear(message.kind, message.id, message.text);
  }

  async #giveSource(id: number, path: string): Promise<void> {
    // After loading, nothing but what was loaded is the plugin's.
    if (!this.#isLoading) return this.#child.fail("asked for a module after it was loaded");
    try {
      this.#send({ type: "source", id, text: await this.#readSource(path), problem: "" });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#send({ type: "source", id, text: null, problem });
    }
  }

  #hear(kind: string, id: number, text: string): void {
    switch (kind) {
      case "loaded":
      case "failed":
        if (!this.#isLoading) throw new RangeError("that it is loaded, twice");
        this.#isLoading = false;
        try {
          if (kind === "failed") throw new Error(text);
          this.#loaded.resolve(readTools(text, this.#options.manifest.limits));
        } catch (error) {
          this.#child.fail(error instanceof Error ? error.message : String(error));
        }
        break;
      case "result": {
        const call = this.#calls.get(id);
        if (call === undefined) throw new RangeError("the result of a call that was not made");
        this.#calls.delete(id);
        call.end(text);
        break;
      }
      case "request":
        void this.#answer(id, text);
        break;
      case "log": {
        const kept = text.slice(0, Math.max(0, this.#logLeft));
        this.#logLeft -= text.length + 1;
        // A plugin that goes past its own runtime could keep the agent busy with what it throws away.
        if (this.#logLeft < -MOST_LOG_CHARS) throw new RangeError("more log than one call may");
        if (kept !== "") this.#options.onLog(kept);
        break;
      }
    }
  }

  async #answer(id: number, text: string): Promise<void> {
    const newest = [...this.#calls.values()].at(-1);
    // The call it belongs to has just ended.
    if (newest === undefined) return;
    if (--this.#requestsLeft < 0 || this.#answering >= MOST_PENDING) {
      return this.#child.fail("used more host functions than one call may");
    }
    this.#answering++;
    const { signal } = this.#busy;
    const call = { context: newest.context, signal };
    // Which of several open calls asks cannot be known.
    const all = new Set([this, ...[...this.#calls.values()].flatMap((one) => [...one.callers])]);
    const answer = await callers.run(all, () => this.#options.host.answer(text, call));
    this.#answering--;
    if (!signal.aborted) this.#send({ type: "guest", kind: "answer", id, text: answer });
  }

  #end(reason: string): void {
    this.#isLoading = false;
    this.#loaded.reject(new Error(reason));
    for (const call of this.#calls.values())
      call.fail(new Error(/^its? /.test(reason) ? `${reason}.` : `it ${reason}.`));
    this.#calls.clear();
    this.#busy.abort();
  }
}

function launchOptions(manifest: PluginManifest): SupervisedChildOptions {
  const { isolation, folder, limits } = manifest;
  const guest = {
    bare: isolation === "isolate",
    outputChars: limits.outputChars,
    hostCalls: limits.hostCalls,
    pending: MOST_PENDING,
    messageChars: MOST_MESSAGE_CHARS,
    logChars: MOST_LOG_CHARS,
  };
  const memory = limits.memoryMb * MIB;
  if (isolation === "process") {
    return {
      entry: new URL("./process-child.ts", import.meta.url),
      setup: { folder, guest } satisfies ProcessSetup,
      unreadLimitBytes: UNREAD_LIMIT_BYTES,
      readable: folder === "" ? [] : [folder, ...dependencyFolders(folder)],
      limits: {
        residentBytes: BASE_RESIDENT + 2 * memory,
        dataBytes: BASE_DATA + 2 * memory,
        heapMb: limits.memoryMb,
        wasmPages: Math.max(WASM_PAGES, limits.memoryMb * 16),
      },
    };
  }
  const { path } = findIsolatedVm();
  return {
    entry: new URL("./isolate-child.ts", import.meta.url),
    setup: {
      binary: path ?? "",
      memoryMb: limits.memoryMb,
      cpuMs: limits.cpuMs,
      guest,
    } satisfies IsolateSetup,
    readable: [],
    addon: path ?? undefined,
    unreadLimitBytes: UNREAD_LIMIT_BYTES,
    limits: {
      residentBytes: BASE_RESIDENT + 2 * memory,
      dataBytes: BASE_DATA + 4 * memory,
      heapMb: HEAP_MB,
      wasmPages: WASM_PAGES,
    },
  };
}

/** Where npm may have put what an installed package depends on: the `node_modules` that it lies in. */
function dependencyFolders(folder: string): readonly string[] {
  const inside = `${sep}node_modules${sep}`;
  const at = folder.lastIndexOf(inside);
  return at < 0 ? [] : [dirname(folder.slice(0, at + inside.length))];
}
