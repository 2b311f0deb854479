/**
 * The agent's side of the validating thread: one thread for the program, one request at a time, each with a
 * deadline.
 */
import { Worker } from "node:worker_threads";
import { SchemaError } from "../core/errors.ts";
import type { ValidationResult } from "./validator.ts";
import type { Reply, Request, Spec } from "./worker.ts";

/** Starting the thread and loading the libraries is part of the first. */
const OPEN_LIMIT_MS = 20_000;
const CHECK_LIMIT_MS = 5_000;
/** Of JavaScript objects in the thread. */
const HEAP_MB = 512;

/** Why there was no reply; told like any other error of the text. */
class NoReply extends Error {}

let worker: Worker | undefined;
let lastKey = 0;
/** The end of the queue. One at a time: so a deadline is that of one request alone. */
let queue: Promise<unknown> = Promise.resolve();

/** A schema that texts can be checked against. */
export class Checker {
  readonly warnings: readonly string[];
  readonly #key: number;
  readonly #spec: Spec;

  private constructor(key: number, spec: Spec, warnings: readonly string[]) {
    this.#key = key;
    this.#spec = spec;
    this.warnings = warnings;
  }

  /** @throws SchemaError */
  static async open(spec: Spec): Promise<Checker> {
    const key = ++lastKey;
    return new Checker(key, spec, await enqueue(() => openKey(key, spec)));
  }

  text(text: string): Promise<ValidationResult> {
    return this.#check({ op: "text", key: this.#key, text });
  }

  value(value: unknown): Promise<ValidationResult> {
    return this.#check({ op: "value", key: this.#key, value });
  }

  #check(request: Request): Promise<ValidationResult> {
    return enqueue(async () => {
      try {
        let reply = await ask(request, CHECK_LIMIT_MS);
        if (reply.kind === "unknown") {
          await openKey(this.#key, this.#spec);
          reply = await ask(request, CHECK_LIMIT_MS);
        }
        if (reply.kind === "result") return reply.result;
        throw new NoReply("the validator gave no verdict");
      } catch (error) {
        if (!(error instanceof NoReply)) throw error;
        return { action: "retry", warnings: [], errors: [{ message: error.message }] };
      }
    });
  }
}

async function openKey(key: number, spec: Spec): Promise<readonly string[]> {
  try {
    const reply = await ask({ op: "open", key, spec }, OPEN_LIMIT_MS);
    if (reply.kind === "opened") return reply.warnings;
    throw new SchemaError(reply.kind === "refused" ? reply.message : "The schema was not read.");
  } catch (error) {
    if (!(error instanceof NoReply)) throw error;
    throw new SchemaError(`The schema cannot be used: ${error.message}.`);
  }
}

function enqueue<T>(task: () => Promise<T>): Promise<T> {
  const result = queue.then(task);
  queue = result.catch(() => undefined);
  return result;
}

/**
 * @throws NoReply when the thread is too slow or dies; it is then ended, and the next request starts
 *   another
 */
async function ask(request: Request, limitMs: number): Promise<Reply> {
  worker ??= start();
  const current = worker;
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const onError = (error: Error): void =>
    reject(new NoReply(`checking it failed: ${error.message}`));
  const onExit = (): void => reject(new NoReply("checking it ended the validator"));
  const timer = setTimeout(
    () => reject(new NoReply(`checking it took longer than ${limitMs / 1000} s and was given up`)),
    limitMs,
  );
  current.ref();
  current.once("message", resolve);
  current.once("error", onError);
  current.once("exit", onExit);
  try {
    current.postMessage(request);
    const reply = await promise;
    current.unref();
    return reply;
  } catch (error) {
    worker = undefined;
    current.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    current.off("message", resolve);
    current.off("error", onError);
    current.off("exit", onExit);
  }
}

function start(): Worker {
  const started = new Worker(new URL("./worker.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  // Errors count for the request that is waiting; without one they have no reader.
  started.on("error", () => undefined);
  return started;
}
