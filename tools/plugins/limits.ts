/** How much a plugin may use. A manifest may ask for other values, up to what is accepted here. */

export type PluginLimits = {
  /** JavaScript objects of the plugin. */
  readonly memoryMb: number;
  /** Wall time of one call, for tools that do not say it themselves. */
  readonly timeoutMs: number;
  /** Computing time of one call. */
  readonly cpuMs: number;
  /** Characters of one result. */
  readonly outputChars: number;
  /** Host functions (net, fs, tools, env, sleep) that one call may use. */
  readonly hostCalls: number;
};

/** Lowest, default and highest value. */
export const LIMIT_RANGES: Readonly<Record<keyof PluginLimits, readonly [number, number, number]>> =
  {
    memoryMb: [8, 64, 512],
    timeoutMs: [10, 30_000, 600_000],
    cpuMs: [10, 10_000, 600_000],
    outputChars: [1, 256 * 1024, 1024 * 1024],
    hostCalls: [0, 256, 10_000],
  };

export function limitsWith(asked: Partial<PluginLimits> = {}): PluginLimits {
  const entries = Object.entries(LIMIT_RANGES).map(([name, [, usual]]) => [
    name,
    asked[name as keyof PluginLimits] ?? usual,
  ]);
  return Object.fromEntries(entries) as PluginLimits;
}

/** Of the plugin's sources together: they travel in one message. */
export const MOST_SOURCE_BYTES: number = 2 * 1024 * 1024;
export const MOST_SOURCE_FILES = 512;
/** Evaluating the plugin's modules, and the process around them. */
export const LOAD_TIMEOUT_MS = 60_000;
export const LOAD_CPU_MS = 3_000;
/** Tools of one plugin. */
export const MOST_TOOLS = 64;
/** Calls of one plugin at the same time. */
export const MOST_CALLS = 16;
/** Host functions that wait for their answer at the same time. */
export const MOST_PENDING = 32;
/** Characters of one host function's arguments or answer. */
export const MOST_MESSAGE_CHARS: number = 1024 * 1024;
/** Characters that one call may log. */
export const MOST_LOG_CHARS: number = 64 * 1024;
/** Levels of a result's data: what prints or stores it later recurses. */
export const DEEPEST_DATA = 64;
