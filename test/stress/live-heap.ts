import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of objects that are still reachable. */
export function liveHeap(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
