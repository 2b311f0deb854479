/**
 * What runs beside a plugin in its own realm: collects its tools, calls them, and turns the guest API into
 * messages. `guestRuntime` is evaluated from its source text in an isolate, so it must not refer to
 * anything outside of itself.
 *
 * It is no protection: plugin code can change every builtin around it. What protects the agent is that only
 * primitives leave (`send` gets a string, a number, a string, also after changes of prototypes), that every
 * message is checked again outside, and that the realm can be ended.
 */
import type * as GuestApi from "./guest-api.d.ts";

export type FromGuest = "loaded" | "failed" | "result" | "request" | "log";
export type ToGuest = "granted" | "loaded" | "call" | "cancel" | "answer";
/** `id` is the call's or the request's own number. */
export type Send = (kind: FromGuest, id: number, text: string) => void;
export type Receive = (kind: ToGuest, id: number, text: string, namespace?: object) => void;

export type GuestSettings = {
  /** The realm is to have nothing but ECMAScript and the guest API. */
  readonly bare: boolean;
  readonly outputChars: number;
  readonly hostCalls: number;
  readonly pending: number;
  readonly messageChars: number;
  readonly logChars: number;
};

export function guestRuntime(send: Send, settingsJson: string): Receive {
  // Taken before any plugin code runs, so that a plugin that breaks builtins breaks less of itself.
  const { parse, stringify } = JSON;
  const { apply, ownKeys } = Reflect;
  const { freeze, defineProperty, getOwnPropertyDescriptor, keys } = Object;
  const { isArray } = Array;
  const PlainPromise = Promise;
  const PlainError = Error;
  const then = Promise.prototype.then;
  const settings: GuestSettings = parse(settingsJson);
  const bare = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

  type Waiting = { readonly settle: (value: unknown) => void; readonly fail: (e: Error) => void };
  type Call = { cancelled: boolean };
  const tools = bare<GuestApi.ToolDefinition<unknown>>();
  const defined = new WeakMap<object, GuestApi.ToolDefinition<unknown>>();
  const remember = WeakMap.prototype.set;
  const recall = WeakMap.prototype.get;
  let waiting = bare<Waiting>();
  const calls = bare<Call>();
  let open = 0;
  let lastRequest = 0;
  let pending = 0;
  let requestsLeft = 0;
  let logLeft = settings.logChars;

  const describe = (error: unknown): string => {
    try {
      const { name, message } = error as Error;
      const text = error instanceof PlainError ? `${name}: ${message}` : `${error}`;
      return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
    } catch {
      return "it threw something that cannot be printed";
    }
  };

  const request = (name: string, ...args: unknown[]): Promise<unknown> =>
    new PlainPromise((settle, fail) => {
      if (open === 0) throw new PlainError(`${name} works only while a tool is being called`);
      if (requestsLeft <= 0) throw new PlainError("too many host functions used in one call");
      if (pending >= settings.pending) throw new PlainError("too many host functions at once");
      const text = `${stringify([name, ...args])}`;
      if (text.length > settings.messageChars) throw new PlainError("the arguments are too long");
      const id = ++lastRequest;
      requestsLeft--;
      pending++;
      waiting[id] = { settle, fail };
      send("request", id, text);
    });

  const log = (...parts: unknown[]): void => {
    let text = "";
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at];
      text += `${at > 0 ? " " : ""}${typeof part === "string" ? part : safeJson(part)}`;
    }
    if (logLeft <= 0) return;
    const kept = text.slice(0, logLeft);
    logLeft -= kept.length + 1;
    send("log", 0, `${kept}`);
  };
  const safeJson = (value: unknown): string => {
    try {
      return `${stringify(value) ?? value}`;
    } catch {
      return describe(value);
    }
  };

  const granted = { net: [], fs: { read: [], write: [] }, tools: [], env: [] };
  // The types of what comes back are the host's to keep.
  const api = {
    defineTool(definition: GuestApi.ToolDefinition<never>): GuestApi.PluginTool {
      const { name, execute } = definition;
      if (typeof name !== "string") throw new TypeError("a tool needs a name");
      if (typeof execute !== "function") throw new TypeError(`${name}: execute is no function`);
      const tool = freeze({ name });
      apply(remember, defined, [tool, definition]);
      return tool;
    },
    net: freeze({
      fetch: (url: string, options?: GuestApi.FetchOptions) =>
        request("net.fetch", `${url}`, options ?? {}),
    }),
    fs: freeze({
      readText: (path: string) => request("fs.readText", `${path}`),
      readBase64: (path: string) => request("fs.readBase64", `${path}`),
      writeText: (path: string, text: string) => request("fs.writeText", `${path}`, `${text}`),
      list: (path: string) => request("fs.list", `${path}`),
    }),
    tools: freeze({
      call: (name: string, input: unknown) => request("tools.call", `${name}`, input ?? {}),
    }),
    env: freeze({ get: (name: string) => request("env.get", `${name}`) }),
    granted,
    sleep: (milliseconds: number) => request("sleep", +milliseconds),
  } as typeof GuestApi;

  if (settings.bare) {
    const ecmaScript =
      " Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date " +
      "Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError " +
      "SuppressedError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array " +
      "Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float16Array Float32Array " +
      "Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet WeakRef FinalizationRegistry Proxy " +
      "Reflect DisposableStack AsyncDisposableStack decodeURI decodeURIComponent encodeURI " +
      "encodeURIComponent isFinite isNaN ";
    const realm = globalThis as unknown as Record<PropertyKey, unknown>;
    for (const key of ownKeys(realm)) {
      if (typeof key === "symbol" || ecmaScript.includes(` ${key} `)) continue;
      delete realm[key];
    }
    const timers = bare<() => void>();
    let lastTimer = 0;
    realm["setTimeout"] = (run: (...args: unknown[]) => void, delay = 0, ...args: unknown[]) => {
      const timer = ++lastTimer;
      timers[timer] = () => apply(run, undefined, args);
      const fire = (): void => {
        const due = timers[timer];
        delete timers[timer];
        due?.();
      };
      apply(then, api.sleep(delay), [fire, () => delete timers[timer]]);
      return timer;
    };
    realm["clearTimeout"] = (timer: number) => {
      delete timers[timer];
    };
  }
  const consoleApi = { log, info: log, warn: log, error: log, debug: log };
  defineProperty(globalThis, "console", { value: consoleApi, writable: true, configurable: true });
  defineProperty(globalThis, "chorale", { value: api });

  const collect = (namespace: object): void => {
    const listed: object[] = [];
    const take = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      const definition = apply(recall, defined, [value]) as GuestApi.ToolDefinition<unknown>;
      if (definition === undefined) return;
      const { name, description, inputSchema, timeoutMs, annotations, needsApproval } = definition;
      if (tools[name] === definition) return;
      if (tools[name] !== undefined) throw new PlainError(`it has two tools of the name ${name}`);
      tools[name] = definition;
      listed[listed.length] = {
        name,
        description,
        inputSchema,
        timeoutMs,
        annotations,
        needsApproval,
      };
    };
    for (const key of ownKeys(namespace)) {
      const value = (namespace as Record<PropertyKey, unknown>)[key];
      if (isArray(value)) for (let at = 0; at < value.length; at++) take(value[at]);
      else take(value);
    }
    const text = `${stringify(listed)}`;
    if (text.length > settings.messageChars)
      throw new PlainError("its tools' schemas are too long");
    send("loaded", 0, text);
  };

  /** `{ text }`, `{ text, isError, data }`, or `{ data }` for what is neither a text nor a result. */
  const outcomeOf = (value: unknown): object => {
    if (typeof value === "string") return { text: value };
    if (typeof value === "object" && value !== null && !isArray(value)) {
      const text = getOwnPropertyDescriptor(value, "text")?.value;
      const known = { text: 1, isError: 1, data: 1, __proto__: null };
      if (typeof text === "string" && keys(value).every((key) => key in known)) {
        const { isError, data } = value as GuestApi.ToolOutput;
        return { text, isError: isError === true, data };
      }
    }
    return { data: value ?? null };
  };

  const finish = (id: number, outcome: () => object): void => {
    if (calls[id] === undefined) return;
    delete calls[id];
    let text: string;
    try {
      text = `${stringify(outcome())}`;
      if (text.length > settings.outputChars) {
        const sizes = `${text.length} characters, at most ${settings.outputChars} are accepted`;
        text = `${stringify({ error: `its result has ${sizes}` })}`;
      }
    } catch (error) {
      text = `${stringify({ error: describe(error) })}`;
    }
    open--;
    if (open === 0) {
      // There are no more answers; what still waits, waits for ever.
      waiting = bare();
      pending = 0;
    }
    send("result", id, text);
  };

  const begin = (id: number, text: string): void => {
    const call: Call = { cancelled: false };
    calls[id] = call;
    if (open === 0) {
      requestsLeft = 0;
      logLeft = settings.logChars;
    }
    open++;
    const context = {
      callId: "",
      get cancelled() {
        return call.cancelled;
      },
      net: api.net,
      fs: api.fs,
      tools: api.tools,
      env: api.env,
      granted,
      sleep: api.sleep,
    };
    const run = new PlainPromise((resolve) => {
      const { tool, input, callId, isNested } = parse(text);
      if (!isNested) requestsLeft += settings.hostCalls;
      context.callId = callId;
      const definition = tools[tool];
      if (definition === undefined) throw new PlainError(`there is no tool ${tool} in it`);
      resolve(apply(definition.execute, definition, [input, context]));
    });
    apply(then, run, [
      (value: unknown) => finish(id, () => outcomeOf(value)),
      (error: unknown) => finish(id, () => ({ error: describe(error) })),
    ]);
  };

  const answer = (id: number, text: string): void => {
    const waiter = waiting[id];
    if (waiter === undefined) return;
    delete waiting[id];
    pending--;
    const { ok, value, error } = parse(text);
    if (ok) waiter.settle(value);
    else waiter.fail(new PlainError(error));
  };

  return (kind, id, text, namespace) => {
    try {
      if (kind === "call") begin(id, text);
      else if (kind === "answer") answer(id, text);
      else if (kind === "cancel") {
        const call = calls[id];
        if (call !== undefined) call.cancelled = true;
      } else if (kind === "granted") {
        const given = parse(text);
        granted.net = freeze(given.net);
        granted.fs = freeze(given.fs);
        granted.tools = freeze(given.tools);
        granted.env = freeze(given.env);
        freeze(granted);
        freeze(api);
      } else if (kind === "loaded" && namespace !== undefined) collect(namespace);
    } catch (error) {
      if (kind === "call") finish(id, () => ({ error: describe(error) }));
      else if (kind === "loaded") send("failed", 0, `${describe(error)}`);
    }
  };
}
