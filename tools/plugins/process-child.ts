/**
 * A plugin that needs all of Node: its modules run on this process's main thread, within Node's permission
 * model (its own files can be read, nothing written, no processes, no threads, no native code). What it asks
 * of the agent goes the same way as from an isolate. Code in here can say anything to the agent; the agent
 * believes none of it, and stops the process between calls.
 */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { connectToParent } from "../isolate/ipc-client.ts";
import { type FromGuest, type GuestSettings, guestRuntime } from "./guest-runtime.ts";
import type { FromChild, ToChild } from "./protocol.ts";

export type ProcessSetup = { readonly folder: string; readonly guest: GuestSettings };

const API_MODULE = "chorale/plugin";
const API_SOURCE =
  "export const { defineTool, net, fs, tools, env, granted, sleep } = globalThis.chorale;";
const API_URL = `data:text/javascript,${encodeURIComponent(API_SOURCE)}`;
const LONGEST_SLEEP_MS = 600_000;
const NO_NATIVE_FILES =
  "it loads a native file, which no plugin may: native code is not held by Node's permission model";

const link = connectToParent<ProcessSetup>();
const { setup } = link;
const send = (message: FromChild): void => link.send(message);

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === API_MODULE ? { url: API_URL, shortCircuit: true } : next(specifier, context),
});

const open = new Set<number>();
const timers = new Set<NodeJS.Timeout>();

function fromGuest(kind: FromGuest, id: number, text: string): void {
  if (kind === "request" && text.startsWith('["sleep",')) {
    const asked: unknown = JSON.parse(text)[1];
    const delay = typeof asked === "number" ? Math.min(Math.max(asked, 0), LONGEST_SLEEP_MS) : 0;
    const timer = setTimeout(() => {
      timers.delete(timer);
      receive("answer", id, '{"ok":true}');
    }, delay);
    timers.add(timer);
    return;
  }
  if (kind === "result" && open.delete(id) && open.size === 0) {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
  }
  send({ type: "guest", kind, id, text });
}

const receive = guestRuntime(fromGuest, JSON.stringify(setup.guest));

async function load(entry: string): Promise<void> {
  try {
    const url = entry.startsWith("data:") ? entry : pathToFileURL(join(setup.folder, entry)).href;
    const namespace: object = await import(url);
    receive("loaded", 0, "", namespace);
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const isNative = (error as NodeJS.ErrnoException | null)?.code === "ERR_DLOPEN_DISABLED";
    const why = isNative ? `${NO_NATIVE_FILES} (${text})` : text;
    send({ type: "guest", kind: "failed", id: 0, text: why.slice(0, 2000) });
  }
}

link.listen({
  onMessage(received) {
    const message = received as ToChild;
    if (message.type === "load") {
      receive("granted", 0, message.granted);
      void load(message.entry);
    } else if (message.type === "guest") {
      if (message.kind === "call") open.add(message.id);
      receive(message.kind, message.id, message.text);
    } else if (message.type === "stop") {
      link.die({ type: "died", reason: "did not end when it was asked to" } satisfies FromChild);
    }
  },
  onOutOfMemory: () => ({ type: "died", reason: "used up its memory" }) satisfies FromChild,
});
