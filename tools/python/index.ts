/** Python for the model: stateful, sandboxed, nothing to install. */
export type { Artifact } from "./artifacts.ts";
export { type InputFile, readInputFiles } from "./input-files.ts";
export { pythonProblem } from "./launch.ts";
export * from "./packages/index.ts";
export { createPythonTool, type PythonTool, type PythonToolOptions } from "./python-tool.ts";
