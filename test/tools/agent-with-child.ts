/**
 * An agent whose supervised process computes for ever on its main thread, for the test that ends the agent.
 * Arguments: what the operating system puts around it, or `watcher` for a machine without `setpriv`.
 */
import { spawn } from "node:child_process";
import { SupervisedChild } from "../../tools/isolate/index.ts";
import { type OsSandbox, osSandboxCommand } from "../../tools/isolate/os-sandbox-command.ts";

const MIB = 1024 * 1024;
const [kind = ""] = process.argv.slice(2);

if (kind === "watcher") {
  const loop = ["/bin/sh", "-c", "while :; do :; done"];
  const options = { osSandbox: "none", readable: [], dataBytes: 0 } as const;
  const [command = "", ...args] = osSandboxCommand(loop, options).map((word) =>
    word.replaceAll("setpriv", "no-such-program"),
  );
  spawn(command, args, { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  console.log("looping");
} else {
  const child = new SupervisedChild(
    {
      entry: new URL("./isolate-child.ts", import.meta.url),
      setup: { greeting: "" },
      readable: [],
      limits: { residentBytes: 300 * MIB, dataBytes: 2500 * MIB, heapMb: 64, wasmPages: 1024 },
      osSandbox: kind as OsSandbox,
    },
    {
      onMessage: (message) => (message === "ready" ? child.send("loop") : console.log(message)),
      onEnd: (reason) => console.log(reason),
    },
  );
  child.keepsAgentAlive(true);
}
