/**
 * The same plugin called over and over in one program, and loaded, called and closed over and over. Every
 * call has to give its result, and neither the program nor the plugin's process may grow.
 */
import { readFileSync } from "node:fs";
import { executeTool } from "../../tools/calls/execute.ts";
import { descendantsOf } from "../../tools/isolate/index.ts";
import { loadPlugin, type Plugin } from "../../tools/plugins/index.ts";
import { writePlugin } from "../fixtures/plugin-range.ts";

export type PluginStressOptions = {
  /** Calls of one plugin. */
  readonly calls: number;
  /** Times that a plugin is loaded, called once and closed. */
  readonly loads: number;
  /** For the plugin. */
  readonly folder: string;
  readonly onProgress: (done: number) => void;
};

/** Resident MB, sampled after each tenth run from the 50th on. */
export type Growth = {
  readonly at_50: number;
  readonly last: number;
  readonly largest: number;
  /** The largest and the smallest sample, each as a part of the 50th run's. */
  readonly range: readonly [smallest: number, largest: number];
};

export type PluginStressReport = {
  /** Runs that gave another result than they should have. */
  readonly wrong: readonly string[];
  readonly calls: { readonly agent: Growth; readonly plugin: Growth | null };
  readonly loads: { readonly agent: Growth };
  /** Processes that are left at the end. */
  readonly left: number;
};

const WARM_UP = 50;
const SAMPLE_EVERY = 10;
const MB = 1e6;
const CODE = `import { defineTool } from "chorale/plugin";
  export default defineTool({
    name: "sum", description: "", inputSchema: { type: "object" },
    execute: async ({ numbers }, { sleep }) => {
      await sleep(1);
      return { sum: numbers.reduce((a, b) => a + b, 0), text: "x".repeat(5000) };
    },
  });`;

export async function stressPlugins(options: PluginStressOptions): Promise<PluginStressReport> {
  const { calls, loads, onProgress } = options;
  const folder = writePlugin(options.folder, "adder", CODE, { entry: "./index.js" });
  const wrong: string[] = [];
  const run = async (plugin: Plugin, n: number): Promise<void> => {
    const [tool] = plugin.tools;
    if (tool === undefined) throw new Error("the plugin has no tool");
    const { status, data, text } = await executeTool(tool, JSON.stringify({ numbers: [n, 1] }), {
      signal: new AbortController().signal,
      callId: `call_${n}`,
      idempotencyKey: `key_${n}`,
      context: undefined,
      countTokens: (counted) => counted.length / 4,
      resultTokenLimit: 4000,
    });
    const sum = (data as { sum?: unknown } | undefined)?.sum;
    if (status !== "completed" || sum !== n + 1) wrong.push(`${n}: ${text.slice(0, 100)}`);
  };

  const ofAgent = new Samples();
  const ofPlugin = new Samples();
  const plugin = await loadPlugin(folder);
  for (let n = 1; n <= calls; n++) {
    await run(plugin, n);
    ofAgent.take(n, process.memoryUsage.rss());
    ofPlugin.take(n, residentBytes(descendantsOf(process.pid).at(-1)));
    onProgress(n);
  }
  await plugin.close();

  const ofLoads = new Samples();
  for (let n = 1; n <= loads; n++) {
    const loaded = await loadPlugin(folder);
    await run(loaded, n);
    await loaded.close();
    ofLoads.take(n, process.memoryUsage.rss());
    onProgress(n);
  }
  return {
    wrong,
    calls: {
      agent: ofAgent.growth(),
      plugin: process.platform === "linux" ? ofPlugin.growth() : null,
    },
    loads: { agent: ofLoads.growth() },
    left: descendantsOf(process.pid).length,
  };
}

class Samples {
  readonly #all: number[] = [];

  take(run: number, bytes: number): void {
    if (run >= WARM_UP && run % SAMPLE_EVERY === 0) this.#all.push(bytes / MB);
  }

  growth(): Growth {
    const [first = Number.NaN] = this.#all;
    const rounded = (value: number): number => Math.round(value * 100) / 100;
    return {
      at_50: rounded(first),
      last: rounded(this.#all.at(-1) ?? Number.NaN),
      largest: rounded(Math.max(...this.#all)),
      range: [rounded(Math.min(...this.#all) / first), rounded(Math.max(...this.#all) / first)],
    };
  }
}

function residentBytes(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const [, kib = "0"] =
      /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib) * 1024;
  } catch {
    return 0;
  }
}
