/** Tries the layers around a supervised process from the inside and says what it found. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type TcpNetConnectOpts } from "node:net";
import { Worker } from "node:worker_threads";
import { canSeeItsMemory, connectToParent } from "./ipc-client.ts";
import { loadIsolatedVm } from "./isolated-vm.ts";

export type ReportSetup = {
  /** The binary of isolated-vm, for a process that was launched with it; null: no isolate is tried. */
  readonly addon: string | null;
  /** A native file that exists: isolated-vm's, once more. */
  readonly nativeFile: string | null;
  /** A file that exists and may not be read. */
  readonly forbiddenFile: string;
  /** A path in a folder that the user could write. */
  readonly forbiddenTarget: string;
  /** Where the agent listens; null: it could not. */
  readonly unixSocket: string | null;
  readonly tcpPort: number | null;
};

/** `true`: it is held back. */
export type ReportFindings = {
  /** What went wrong with an isolate, null when one computed. */
  readonly isolateProblem: string | null;
  readonly environment: boolean;
  readonly reading: boolean;
  readonly writing: boolean;
  readonly processes: boolean;
  readonly threads: boolean;
  readonly nativeCode: boolean;
  readonly codeFromStrings: boolean;
  /** A connection to the agent over TCP. */
  readonly network: boolean;
  /** A connection to the agent through a Unix socket; null: not tried. */
  readonly unixSockets: boolean | null;
  /** Not held back: the process can watch its own memory. */
  readonly seesItsMemory: boolean;
};

const CONNECT_MS = 3000;

const client = connectToParent<ReportSetup>();
const { addon, nativeFile, forbiddenFile, forbiddenTarget, unixSocket, tcpPort } = client.setup;

function refused(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch {
    return true;
  }
}

/** Whether a connection does not come about. */
function unconnected(target: TcpNetConnectOpts | { readonly path: string }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(target);
  socket.once("connect", () => resolve(false));
  socket.once("error", () => resolve(true));
  socket.setTimeout(CONNECT_MS, () => resolve(true));
  return promise.finally(() => socket.destroy());
}

async function tryIsolate(): Promise<string | null> {
  if (addon === null) return "there is no binary";
  try {
    const { Isolate } = loadIsolatedVm(addon);
    const isolate = new Isolate({ memoryLimit: 16 });
    const context = await isolate.createContext();
    const answer: unknown = await context.eval("typeof process + typeof require + 6 * 7");
    return answer === "undefinedundefined42" ? null : `it answered ${String(answer)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

client.listen({ onMessage: () => undefined, onOutOfMemory: () => null });
client.send({
  isolateProblem: await tryIsolate(),
  environment: Object.keys(process.env).length === 0,
  reading: refused(() => readFileSync(forbiddenFile)) && !process.getBuiltinModule("node:sqlite"),
  writing: refused(() => writeFileSync(forbiddenTarget, "")),
  processes: refused(() => {
    const { error } = spawnSync(process.execPath, ["--version"]);
    if (error) throw error;
  }),
  threads: refused(() => new Worker("", { eval: true })),
  nativeCode: nativeFile === null || refused(() => process.dlopen({ exports: {} }, nativeFile)),
  codeFromStrings: refused(() => new Function("return 1")()),
  network: tcpPort === null || (await unconnected({ host: "127.0.0.1", port: tcpPort })),
  unixSockets: unixSocket === null ? null : await unconnected({ path: unixSocket }),
  seesItsMemory: canSeeItsMemory(),
} satisfies ReportFindings);
