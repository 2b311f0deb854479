/**
 * An agent that has no descriptor to spare when it starts its first supervised process, and some when it
 * starts its second. Prints how each went, and in which sandbox.
 */
import { closeSync, openSync } from "node:fs";
import { SupervisedChild } from "../../tools/isolate/index.ts";
import { findOsSandbox } from "../../tools/isolate/os-sandbox.ts";

const MIB = 1024 * 1024;

function start(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const child = new SupervisedChild(
    {
      entry: new URL("./isolate-child.ts", import.meta.url),
      setup: { greeting: "" },
      readable: [],
      limits: { residentBytes: 300 * MIB, dataBytes: 2500 * MIB, heapMb: 64, wasmPages: 1024 },
    },
    {
      onMessage: () => {
        resolve("started");
        child.kill();
      },
      onEnd: resolve,
    },
  );
  child.keepsAgentAlive(true);
  return promise;
}

/** @param spare  descriptors that are left */
async function startWith(spare: number): Promise<void> {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // There are no more.
  }
  for (const one of taken.splice(0, spare)) closeSync(one);
  console.log(await start());
  for (const one of taken) closeSync(one);
}

await startWith(0);
// The trial, or the start of the process itself, gets some of the descriptors that it needs.
for (const spare of [2, 5, 7]) await startWith(spare);
console.log(await start());
console.log(findOsSandbox());
