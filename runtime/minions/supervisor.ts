/** The remote model: asked for JSON or code, and asked again where its reply cannot be used. */
import { runAgent, Thread } from "../index.ts";
import { DryRunEnd, type EgressGate, type Piece } from "./egress.ts";
import { MinionsError } from "./errors.ts";

const IDENTITY = "You are a careful assistant.";
const INSTRUCTIONS =
  "You are the supervisor. You answer a question about documents that you cannot see. A small model on the user's " +
  "machine can read them, and works for you. Reply in exactly the form that is asked for. Labels such as [NAME_1] " +
  "stand for values that are kept from you; write them as they are.";

/** What a reply was understood as; or what is wrong with it, in a sentence without anything of the context. */
export type Reading<Value> = { readonly value: Value } | { readonly problem: string };

export type SupervisorOptions = {
  readonly gate: EgressGate;
  readonly signal: AbortSignal;
  /** How often a reply may be unusable before the run ends. */
  readonly maxAttempts: number;
};

export class Supervisor {
  /** Replies that had to be asked for again. */
  retries = 0;
  readonly #options: SupervisorOptions;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    options.gate.allow(IDENTITY);
    options.gate.allow(INSTRUCTIONS);
  }

  /** Whether what is left of the budget is likely to do for another round. */
  get mayAskAgain(): boolean {
    return this.#options.gate.hasTokensForRound;
  }

  /**
   * Says something and reads the reply.
   * @param thread the conversation so far; a new one is all that the remote model then reads
   * @throws MinionsError; DryRunEnd; the signal's reason
   */
  async ask<Value>(
    pieces: readonly Piece[],
    read: (reply: string) => Reading<Value> | Promise<Reading<Value>>,
    thread: Thread = Thread.create(),
  ): Promise<Value> {
    const { gate, maxAttempts } = this.#options;
    let said = pieces;
    for (let attempt = 1; ; attempt++) {
      const reading = await read(await this.#reply(said, thread));
      if ("value" in reading) return reading.value;
      if (attempt >= maxAttempts) {
        throw new MinionsError(
          "CHORALE_MINIONS_SUPERVISOR",
          `${gate.name} gave ${maxAttempts} replies in a row that cannot be used; the last: ${reading.problem}`,
        );
      }
      this.retries++;
      said = [
        {
          label: "protocol",
          text: `Your reply cannot be used: ${reading.problem} Reply again, in the form that was asked for.`,
        },
      ];
    }
  }

  async #reply(pieces: readonly Piece[], thread: Thread): Promise<string> {
    const { gate, signal } = this.#options;
    gate.refusal = undefined;
    const options = {
      ...{ model: gate, thread, signal, prompt: gate.pass(pieces) },
      ...{ system: { identity: IDENTITY }, instructions: INSTRUCTIONS },
      // Nothing is said to the remote model but what goes through `pass`.
      ...{ compaction: false, maxSteps: 1, maxRetries: 0, maxRepairs: 0 },
    };
    const result = await runAgent(options).catch((error: unknown) => {
      throw gate.refusal ?? error;
    });
    signal.throwIfAborted();
    if (result.status === "completed" && result.output !== null) return result.output;
    const { refusal } = gate;
    if (refusal instanceof MinionsError || refusal instanceof DryRunEnd) throw refusal;
    const cause = refusal ?? result.error;
    throw new MinionsError(
      "CHORALE_MINIONS_MODEL",
      `${gate.name} gave no reply: ${cause instanceof Error ? cause.message : "it ended without one."}`,
      cause,
    );
  }
}

/** The object in a reply, also where it stands in a fence or between sentences. */
export function objectIn(reply: string): Readonly<Record<string, unknown>> | null {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(reply)?.[1];
  const bare = reply.slice(reply.indexOf("{"), reply.lastIndexOf("}") + 1);
  for (const text of [fenced, bare]) {
    if (text === undefined) continue;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        return value as Readonly<Record<string, unknown>>;
      }
    } catch {
      // The other form is tried, and then there is no object.
    }
  }
  return null;
}

/** What the supervisor decides behind each round. */
export type SupervisorDecision =
  | { readonly decision: "answer"; readonly answer: string }
  | { readonly decision: "ask"; readonly message: string; readonly scratchpad: string };

/** @param mustAnswer whether it was the last round */
export function readDecision(reply: string, mustAnswer: boolean): Reading<SupervisorDecision> {
  const object = objectIn(reply);
  if (object === null) return { problem: "it has no JSON object." };
  const { decision, answer, message, scratchpad } = object;
  if (decision === "provide_final_answer") {
    if (typeof answer === "string" && answer.trim() !== "") {
      return { value: { decision: "answer", answer } };
    }
    return { problem: "answer is not a text." };
  }
  if (decision !== "request_additional_info") {
    return { problem: "decision is neither provide_final_answer nor request_additional_info." };
  }
  if (mustAnswer)
    return { problem: "this was the last round: decision has to be provide_final_answer." };
  if (typeof message !== "string" || message.trim() === "") {
    return { problem: "message is not a text." };
  }
  const notes = typeof scratchpad === "string" ? scratchpad : "";
  return { value: { decision: "ask", message, scratchpad: notes } };
}
