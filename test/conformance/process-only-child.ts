/**
 * The interpreter's process without its isolate: Pyodide as one would run it in Node, with the layers of
 * the process alone around it. For comparison only.
 */
import { constants, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { connectToParent } from "../../tools/isolate/ipc-client.ts";
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
  const source = readFileSync(new URL("../../tools/python/cell.py", import.meta.url), "utf8");
  python.runPython(source, { globals: python.toPy({}) });
  const [run, , , prepare] = python
    .runPython("import sys; sys.__dict__.pop('_chorale_cell')")
    .toJs();
  prepare();
  return run;
}

const starting = start();

link.listen({
  async onMessage(received) {
    const message = received as ToChild;
    if (message.type !== "run") return;
    output.clear();
    try {
      const { value, error } = JSON.parse(await (await starting)(message.code, ++cells));
      send({ type: "result", id: message.id, leftOut: 0, output: output.read(), value, error });
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
