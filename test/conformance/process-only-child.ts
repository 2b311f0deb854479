/**
 * The interpreter's process without its isolate: Pyodide as one would run it in Node, with the layers of
 * the process alone around it. For comparison only.
 */
import { constants, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { connectToParent } from "../../tools/isolate/ipc-client.ts";
import { pythonSource } from "../../tools/python/guest-source.ts";
import { OutputBuffer } from "../../tools/python/output-buffer.ts";
import type { ChildSetup, FromChild, ToChild } from "../../tools/python/protocol.ts";

type Run = (source: string, number: number) => string | Promise<string>;

const link = connectToParent<ChildSetup>();
const send = (message: FromChild): void => link.send(message);
const output = new OutputBuffer();
let cells = 0;

// Pyodide reads these through an interface that the permission model refuses.
Object.defineProperty(process, "binding", { value: () => ({ fs: { ...constants } }) });
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "ws"
      ? { url: "data:text/javascript,export default {}", shortCircuit: true }
      : next(specifier, context),
});

async function start(): Promise<Run> {
  const folder = link.setup.pyodideFolder;
  const { loadPyodide }: typeof import("pyodide") = await import(`${folder}/pyodide.mjs`);
  const lock = JSON.parse(readFileSync(`${folder}/pyodide-lock.json`, "utf8"));
  const python = await loadPyodide({
    indexURL: folder,
    packageBaseUrl: `${folder}/`,
    lockFileContents: { ...lock, packages: {} },
  });
  const write = (bytes: Uint8Array): number => {
    output.write(bytes);
    return bytes.length;
  };
  python.setStdout({ write, isatty: false });
  python.setStderr({ write, isatty: false });
  python.setStdin({ stdin: () => null, isatty: false });
  python.runPython(pythonSource(), { globals: python.toPy({}) });
  const [run, , , prepare] = python
    .runPython("import sys; sys.__dict__.pop('_chorale_cell')")
    .toJs();
  let timer: NodeJS.Timeout | undefined;
  const wake = (milliseconds: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => turn(), milliseconds);
  };
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  const pause = (seconds: number): void => void Atomics.wait(waiting, 0, 0, seconds * 1000);
  const turn: () => void = prepare(wake, pause);
  return run;
}

const starting = start();

link.listen({
  async onMessage(received) {
    const message = received as ToChild;
    if (message.type !== "run") return;
    output.forget(output.length);
    try {
      const { value, error } = JSON.parse(await (await starting)(message.code, ++cells));
      send({
        type: "result",
        id: message.id,
        leftOut: { count: 0, files: [] },
        interruptedBetween: false,
        output: output.read(),
        value,
        error,
      });
    } catch (error) {
      link.die({
        type: "died",
        reason: String(error).slice(0, 500),
        output: output.read(),
        begun: true,
      });
    }
  },
  onOutOfMemory: () => ({
    type: "died",
    reason: "out of memory",
    output: output.read(),
    begun: true,
  }),
});

starting.then(
  () => send({ type: "ready", fromSnapshot: false, snapshotProblem: null }),
  (error) =>
    link.die({ type: "died", reason: String(error).slice(0, 500), output: "", begun: false }),
);
