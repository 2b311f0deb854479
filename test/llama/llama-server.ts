/** A real llama-server on a free port of loopback, that ends with its test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { llamaServerPath } from "./installed.ts";

export type LlamaServer = AsyncDisposable & {
  /** For `--engine`. */
  readonly address: string;
  readonly url: string;
};

/** A small model is there in a second; a machine that others use may need more. */
const START_MS = 60_000;

/**
 * @param model  a GGUF file
 * @throws Error with what the server said, where it ends instead
 */
export async function startLlamaServer(
  model: string,
  ...flags: readonly string[]
): Promise<LlamaServer> {
  const args = [
    ...["--model", model, "--host", "127.0.0.1", "--port", "0", "--threads", "1"],
    ...["--ctx-size", "2048", "--parallel", "1", "--no-warmup", "--no-ui", "--offline", ...flags],
  ];
  const child = spawn(llamaServerPath(), args, { stdio: ["ignore", "ignore", "pipe"] });
  const url = await addressOf(child);
  return {
    url,
    address: url.replace("http://", "llama://"),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let said = "";
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    reject(new Error(`llama-server does not listen within ${START_MS / 1000} s: ${said}`));
  }, START_MS);
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
    said = (said + piece).slice(-8192);
    const [, url] = /listening on (http:\S+)/.exec(said) ?? [];
    if (url !== undefined) resolve(url);
  });
  child.on("error", reject);
  child.on("exit", () => reject(new Error(`llama-server has ended: ${said}`)));
  return promise.finally(() => clearTimeout(timer));
}
