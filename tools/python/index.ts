/** Python for the model: stateful, sandboxed, nothing to install. */
export { createPythonTool, type PythonTool, type PythonToolOptions } from "./python-tool.ts";
