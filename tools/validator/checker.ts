/** The agent's side of validation: each request is a task of the worker pool, with a deadline. */
import { SchemaError } from "../core/errors.ts";
import { runInWorker, TaskEndedError } from "../core/worker-pool.ts";
import type { Reply, Request, Spec } from "./validate-task.ts";
import type { ValidationResult, Verdict } from "./validator.ts";

const COMPILE_LIMIT_MS = 10_000;
const CHECK_LIMIT_MS = 5_000;

const TASK = new URL("./validate-task.ts", import.meta.url);

let lastKey = 0;

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
    try {
      const reply = await ask({ op: "open", key, spec }, COMPILE_LIMIT_MS);
      if (reply.kind === "opened") return new Checker(key, spec, reply.warnings);
      throw new SchemaError(reply.kind === "refused" ? reply.message : "The schema was not read.");
    } catch (error) {
      if (!(error instanceof TaskEndedError)) throw error;
      throw new SchemaError(
        `The schema cannot be used: compiling it was given up, ${error.message}.`,
      );
    }
  }

  text(text: string): Promise<ValidationResult> {
    return this.#check({ op: "text", key: this.#key, spec: this.#spec, text });
  }

  value(value: unknown): Promise<ValidationResult> {
    return this.#check({ op: "value", key: this.#key, spec: this.#spec, value });
  }

  /** The verdicts of several texts, in their order. */
  async texts(texts: readonly string[]): Promise<readonly Verdict[]> {
    const request = { op: "texts", key: this.#key, spec: this.#spec, texts } as const;
    const verdicts = await this.#verdicts(request);
    if (verdicts.length === texts.length) return verdicts;
    // One of them took too long: each alone, so that the others get their verdict.
    return Promise.all(texts.map((text) => this.text(text)));
  }

  /** The verdict of each document of a YAML text; one verdict where it is no YAML. */
  async yaml(text: string): Promise<readonly Verdict[]> {
    const request = { op: "yaml", key: this.#key, spec: this.#spec, text } as const;
    return this.#verdicts(request, (problem) => [noVerdict(problem)]);
  }

  async #verdicts(
    request: Request,
    instead: (problem: string) => readonly Verdict[] = () => [],
  ): Promise<readonly Verdict[]> {
    const reply = await this.#reply(request);
    return typeof reply !== "string" && reply.kind === "verdicts"
      ? reply.verdicts
      : instead(problemOf(reply));
  }

  async #check(request: Request): Promise<ValidationResult> {
    const reply = await this.#reply(request);
    return typeof reply !== "string" && reply.kind === "result"
      ? reply.result
      : noVerdict(problemOf(reply));
  }

  /** @returns a sentence where the thread had to be ended */
  async #reply(request: Request): Promise<Reply | string> {
    try {
      return await ask(request, CHECK_LIMIT_MS);
    } catch (error) {
      if (!(error instanceof TaskEndedError)) throw error;
      return `checking it was given up: ${error.message}`;
    }
  }
}

function problemOf(reply: Reply | string): string {
  if (typeof reply === "string") return reply;
  return reply.kind === "refused" ? reply.message : "it was not checked";
}

function noVerdict(message: string): ValidationResult {
  return { action: "retry", warnings: [], errors: [{ message }] };
}

function ask(request: Request, limitMs: number): Promise<Reply> {
  return runInWorker<Request, Reply>(TASK, request, limitMs);
}
