import { type Gate, measureTogether } from "./measure-together.ts";

/** What a thread is given, and what it says: bytes read and the milliseconds that took. */
export type BandwidthInit = Gate & {
  readonly bufferBytes: number;
  readonly milliseconds: number;
};
export type BandwidthResult = { readonly bytes: number; readonly milliseconds: number };

/** Larger than caches, of which two are compared. */
const BUFFER_BYTES = 128 << 20;
const MILLISECONDS = 400;

/**
 * Measures how fast this machine reads memory with so many threads, by native code (`memcmp`): the
 * limit of decoding, which reads every active weight once per token. Takes about a second.
 *
 * @returns bytes per second of all threads together
 * @throws EngineFailedError when the threads or their memory cannot be had; the signal's reason
 */
export async function measureBandwidth(threads: number, signal?: AbortSignal): Promise<number> {
  const measured = await measureTogether<BandwidthResult>({
    entry: new URL("./bandwidth-worker.ts", import.meta.url),
    threads,
    data: { bufferBytes: BUFFER_BYTES, milliseconds: MILLISECONDS },
    what: "the memory's bandwidth",
    signal,
  });
  return measured.reduce((sum, { bytes, milliseconds }) => sum + bytes / milliseconds, 0) * 1000;
}
