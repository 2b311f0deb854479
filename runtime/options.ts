/** What an agent and a run are given: types, defaults, and the checks at the door. */
import type { Message, ReasoningEffort } from "../harmony/index.ts";
import type { Sampling } from "../inference/index.ts";
import type { SystemSettings, ToolChoice } from "./context.ts";
import { UsageError } from "./errors.ts";

/** What decides how a turn runs. Given to an agent, and overridden for one run. */
export type TurnOptions = {
  /** Text of the developer message. */
  readonly instructions?: string | undefined;
  /** Who the model is told to be. Default: what gpt-oss was trained with. */
  readonly system?: SystemSettings | undefined;
  /** Default medium. */
  readonly effort?: ReasoningEffort | undefined;
  /** `YYYY-MM-DD`, told to the model. Default: today, by this machine's clock. */
  readonly date?: string | undefined;
  /** What is not given is the model's own; the seed is random. */
  readonly sampling?: Partial<Sampling> | undefined;
  /** Most steps (samplings of the model) of a turn. Default 20. */
  readonly maxSteps?: number | undefined;
  /** Most tokens sampled in all steps of a turn. Default: what the context holds. */
  readonly maxTokens?: number | undefined;
  /** Most tokens of reasoning in all steps of a turn; then its analysis is ended. Default: no limit. */
  readonly maxReasoningTokens?: number | undefined;
  /** Most seconds that a turn works; waiting for an approval is not counted. Default: no limit. */
  readonly maxSeconds?: number | undefined;
  /** Most calls that are executed in a turn. Default: no limit. */
  readonly maxToolCalls?: number | undefined;
  /** Most bytes of UTF-8 said to the user in a turn: the answer, and what comes before calls. Default: no limit. */
  readonly maxOutputBytes?: number | undefined;
  /**
   * Whether what the model reads is made shorter near the end of its context: old results of tools first, then
   * turns that are over, which the model summarises. Default true; the log keeps everything.
   */
  readonly compaction?: boolean | undefined;
  /**
   * Most tokens of the prompt that the signatures of function tools take. Where they take more, tools are declared
   * in their order up to half of it, and the model finds the others by a search (`tool_search`). Default: 6,000,
   * and a quarter of the context where that is less, but not below 1,500.
   */
  readonly toolTokenBudget?: number | undefined;
  /** How often in a row the model may produce something unusable and try again. Default 3. */
  readonly maxRetries?: number | undefined;
  /** How often an invalid answer goes back to the model. Default 2. */
  readonly maxRepairs?: number | undefined;
  /**
   * Whether an answer goes back to the model, once, where its citations do not hold, or the cited lines do not have
   * the numbers, dates and names of their sentences. What is wrong after that is marked in `annotations`. Default
   * false; not for an answer with an output schema.
   */
  readonly verifyCitations?: boolean | undefined;
  /**
   * Whether the model can write only headers that the format has. Default true; only engines that can
   * exclude ids do it.
   */
  readonly constrainHeaders?: boolean | undefined;
  /**
   * Whether the model can write only arguments of calls and answers that pass their schemas. Default true: as far
   * as a grammar carries a schema (`describeOutput` tells), and only engines that can exclude ids do it; everything
   * is validated in any case. `required`: an output schema that no grammar carries is refused.
   */
  readonly constrainContent?: boolean | "required" | undefined;
  /**
   * What becomes of an answer with a format that a limit of tokens cuts off: `close` ends it in the shortest valid
   * way, `fail` (the default) ends the turn.
   */
  readonly onLimit?: "fail" | "close" | undefined;
  /** Which tool has to be called in the first step of a turn. Default `auto`. */
  readonly toolChoice?: ToolChoice | undefined;
  /** Names of the tools that may be used, with or without `functions.`. Default: all. */
  readonly activeTools?: readonly string[] | undefined;
};

/** A role and a text, as chat APIs have them; or a whole Harmony message. */
export type InputMessage =
  | { readonly role: "user" | "assistant"; readonly content: string }
  | Message;

/** The user's text, or messages: an earlier conversation, ended by what is to be answered. */
export type RunInput = string | readonly InputMessage[];

/** The messages of an input. @throws UsageError when there is nothing to answer */
export function inputMessages(input: RunInput): readonly Message[] {
  const messages = typeof input === "string" ? [{ role: "user", content: input } as const] : input;
  if (!Array.isArray(messages)) {
    throw invalid("prompt", messages, "a text, or a list of messages");
  }
  const last = messages.at(-1);
  if (last === undefined || (messages.length === 1 && textOf(last).trim() === "")) {
    throw new UsageError("The prompt is empty; give a question.", { option: "prompt" });
  }
  return messages.map((message: InputMessage): Message => {
    const { content } = message;
    if (typeof content !== "string") return message as Message;
    return {
      role: message.role,
      ...(message.role === "assistant" && { channel: "final" }),
      content: [{ type: "text", text: content }],
    };
  });
}

/** The text of a message. */
export function textOf({ content }: InputMessage): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** @param accepted what would be accepted, in words */
export function invalid(option: string, found: unknown, accepted: string): UsageError {
  const shown = typeof found === "number" ? String(found) : JSON.stringify(found);
  return new UsageError(
    `The option ${option} is ${shown ?? String(found)}; accepted: ${accepted}.`,
    {
      option,
    },
  );
}
