/**
 * The globals that Pyodide needs in the isolate, which has ECMAScript and WebAssembly alone. Emscripten and
 * Pyodide have a mode for such a place, "shell" (V8's d8); this file defines what they use there. It calls
 * three functions of the host, with numbers and strings only.
 */
import { BytesDecoder, Utf8Encoder } from "./text-codec.ts";

export type HostFunctions = {
  /** That many random bytes, as a string of char codes; at most `RANDOM_BYTES_PER_CALL`. */
  random(length: number): string;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /**
   * Has the host call `fire(id)` after that many milliseconds, in place of an earlier request with the id;
   * a negative number takes the request back.
   */
  timer(id: number, milliseconds: number): void;
};

export type Shell = {
  /** Rejects when WebAssembly cannot be started: Pyodide itself then waits for ever. */
  readonly instantiationFailed: Promise<never>;
  /** Python has started: errors of the loader are not part of what a cell prints. */
  silenceErrors(): void;
  /** Runs what `setTimeout` or `onWake` was given. */
  fire(id: number): void;
  /** Has `onWake` run after that time, in place of an earlier request. No flood of timers is in its way. */
  wake(milliseconds: number): void;
  onWake(callback: () => void): void;
  /** Blocks this thread without computing. */
  pause(seconds: number): void;
};

export const RANDOM_BYTES_PER_CALL = 16_384;
/** Of `setTimeout` and `setInterval`. More are refused: they can only be a flood. */
const MAX_TIMERS = 10_000;
/** The id of `wake`; those of other timers are positive. */
const WAKE = 0;
/** A call of the host takes about 20 µs, which a loop that looks at the clock must not pay each time. */
const CLOCK_CALLS_PER_MS = 8;

/**
 * Defines the globals.
 *
 * @param files  what `readbuffer` finds, by name
 * @param write  gets the bytes of `console` and `print`
 */
export function openShell(
  host: HostFunctions,
  files: ReadonlyMap<string, ArrayBuffer>,
  write: (bytes: Uint8Array) => void,
): Shell {
  const encoder = new Utf8Encoder();
  const print = (...values: unknown[]): void => {
    write(encoder.encode(`${values.map(describe).join(" ")}\n`));
  };
  let silent = false;
  const printError = (...values: unknown[]): void => {
    if (!silent) print(...values);
  };
  const now = makeClock(host);
  const { timers, fire } = makeTimers(host);
  let wakeUp = (): void => undefined;
  const getRandomValues = makeRandom(host);
  Object.assign(globalThis, {
    TextEncoder: Utf8Encoder,
    TextDecoder: BytesDecoder,
    AbortController,
    console: { log: print, info: print, debug: print, warn: printError, error: printError },
    performance: { now, timeOrigin: Date.now() },
    crypto: { getRandomValues },
    ...timers,
    print,
    printErr: printError,
    quit: () => undefined,
    load: refuse,
    read: refuse,
    readbuffer: (name: string) => files.get(name) ?? refuse(),
    // Emscripten asks a shell for random bytes by `head -cN /dev/urandom | base64`.
    os: {
      system: (_: string, [, command]: readonly [string, string]) => {
        const length = Number(/^head -c(\d+) /.exec(command)?.[1] ?? 0);
        return toBase64(getRandomValues(new Uint8Array(length)));
      },
    },
  });
  return {
    instantiationFailed: compileAtOnce(),
    fire: (id) => (id === WAKE ? wakeUp() : fire(id)),
    silenceErrors() {
      silent = true;
    },
    wake: (milliseconds) => host.timer(WAKE, Math.max(0, milliseconds)),
    onWake(callback) {
      wakeUp = callback;
    },
    pause: makePause(),
  };
}

function describe(value: unknown): string {
  try {
    return value instanceof Error ? `${value.stack ?? value}` : `${value}`;
  } catch {
    return "?";
  }
}

function refuse(): never {
  throw new Error("There are no files here.");
}

/** The wall clock says only whether to ask the host again: it may be set back. */
function makeClock(host: HostFunctions): () => number {
  const wallClock = Date.now;
  let millisecond = 0;
  let calls = 0;
  let last = 0;
  return () => {
    const wall = wallClock();
    if (wall !== millisecond) {
      millisecond = wall;
      calls = 0;
    }
    if (calls++ < CLOCK_CALLS_PER_MS) last = Math.max(last, host.now());
    return last;
  };
}

function makePause(): (seconds: number) => void {
  const { wait } = Atomics;
  const nothing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return (seconds) => void wait(nothing, 0, 0, seconds * 1000);
}

function makeTimers(host: HostFunctions): {
  readonly timers: Readonly<Record<string, unknown>>;
  readonly fire: (id: number) => void;
} {
  const pending = new Map<number, () => void>();
  let last = 0;
  const start = (callback: () => void, milliseconds: unknown): number => {
    if (pending.size >= MAX_TIMERS) throw new RangeError(`more than ${MAX_TIMERS} timers`);
    pending.set(++last, callback);
    host.timer(last, Math.max(0, Number(milliseconds) || 0));
    return last;
  };
  const setTimeout = (
    f: (...args: unknown[]) => void,
    after?: unknown,
    ...args: unknown[]
  ): number => start(() => f(...args), after);
  const setInterval = (
    f: (...args: unknown[]) => void,
    every?: unknown,
    ...args: unknown[]
  ): number => {
    const id = start(function again() {
      pending.set(id, again);
      host.timer(id, Math.max(0, Number(every) || 0));
      f(...args);
    }, every);
    return id;
  };
  const clear = (id: unknown): void => {
    if (pending.delete(Number(id))) host.timer(Number(id), -1);
  };
  return {
    timers: {
      setTimeout,
      setInterval,
      clearTimeout: clear,
      clearInterval: clear,
      setImmediate: (f: () => void, ...args: unknown[]) => setTimeout(f, 0, ...args),
      clearImmediate: clear,
      queueMicrotask: (f: () => void) => void Promise.resolve().then(f),
    },
    fire(id) {
      const callback = pending.get(id);
      pending.delete(id);
      callback?.();
    },
  };
}

function makeRandom(host: HostFunctions): (view: ArrayBufferView) => Uint8Array {
  return (view) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const part = host.random(Math.min(bytes.length - at, RANDOM_BYTES_PER_CALL));
      for (let i = 0; i < part.length; i++) bytes[at++] = part.charCodeAt(i);
    }
    return bytes;
  };
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const triple = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const digits = [18, 12, 6, 0].map((shift) => BASE64[(triple >> shift) & 63]);
    const present = bytes.length - i >= 3 ? 4 : bytes.length - i + 1;
    text += digits.map((digit, k) => (k < present ? digit : "=")).join("");
  }
  return text;
}

/** Pyodide makes one while it starts; nothing here is ever aborted by it. */
class AbortController {
  readonly signal = { aborted: false, addEventListener() {}, removeEventListener() {} };

  abort(): void {
    this.signal.aborted = true;
  }
}

/** The isolate's compiler, as far as it is used here. */
type Compiler = {
  readonly Module: new (bytes: unknown) => object;
  readonly Instance: new (module: object, imports: unknown) => object;
};

/**
 * Compiling in the background never ends in an isolate, which has no such threads of its own.
 *
 * @returns rejects with the first failure to make an instance, as for lack of addresses for its memory
 */
function compileAtOnce(): Promise<never> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const { Module, Instance } = WebAssembly as unknown as Compiler;
  const compile = async (bytes: unknown): Promise<object> => new Module(bytes);
  const instantiate = async (source: unknown, imports: unknown): Promise<object> => {
    try {
      if (source instanceof Module) return new Instance(source, imports);
      const module = new Module(source);
      return { module, instance: new Instance(module, imports) };
    } catch (error) {
      reject(error);
      throw error;
    }
  };
  Object.assign(WebAssembly, { compile, instantiate });
  return failed;
}
