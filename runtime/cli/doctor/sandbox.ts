/** What stands around code of the model and of plugins, and whether Python computes in it. */
import {
  createPythonTool,
  executeTool,
  type SandboxReport,
  type Tool,
} from "../../../tools/index.ts";
import { messageOf } from "../../errors.ts";
import { openHome } from "../../home.ts";
import type { Check } from "./check.ts";

/** What brings a layer where it is missing. */
const MEND: Readonly<Record<string, string>> = {
  isolate: "npm install isolated-vm in the project that has chorale, with the Node that runs it.",
};
const OS_SANDBOX =
  process.platform === "linux"
    ? "Install bubblewrap (apt install bubblewrap, dnf install bubblewrap), or allow unprivileged user namespaces."
    : "Only Linux has it; run Chorale in a container or a virtual machine of Linux to have it.";

/** Without the isolate, Python and plugins are off; of the other layers each that is missing is one less. */
export function sandboxChecks({ layers }: SandboxReport): readonly Check[] {
  return layers.map(({ name, enforced, detail }) => {
    const isNeeded = name === "isolate" || name === "process";
    const status = enforced ? "ok" : isNeeded ? "problem" : "note";
    const mend = MEND[name] ?? OS_SANDBOX;
    return { name: `sandbox: ${name}`, status, detail, ...(!enforced && { mend }) };
  });
}

/** One cell, as the model would write it. */
export async function pythonCheck(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Check> {
  const name = "python";
  const home = openHome(env, () => {});
  try {
    const python = createPythonTool({ cacheDir: home.path });
    try {
      const result = await executeTool(
        python as Tool,
        "import sys; print(6 * 7, sys.version.split()[0])",
        {
          signal,
          callId: "doctor",
          approved: true,
          countTokens: (text) => text.length,
          resultTokenLimit: Number.MAX_SAFE_INTEGER,
        },
      );
      const [, version] = /^42 (\S+)/.exec(result.text) ?? [];
      if (version === undefined) throw new Error(result.text.trim());
      return { name, status: "ok", detail: `Python ${version} computes in the sandbox.` };
    } finally {
      await python.close?.();
    }
  } catch (error) {
    signal.throwIfAborted();
    return {
      name,
      status: "problem",
      detail: `Python does not run: ${messageOf(error)}`,
      mend: "npm install pyodide isolated-vm in the project that has chorale.",
    };
  } finally {
    home.close();
  }
}
