/**
 * What a policy is: it says of each call whether it may run, has to be asked for, or must not run. The loop
 * knows this interface alone; `rule-policy.ts` implements it with rules.
 */
import type { Tool } from "../../tools/index.ts";

export type PolicyAction = "allow" | "ask" | "deny";

/** Text of strangers is part of a conversation: since when, and where it came from. */
export type Taint = {
  /** The tool that returned it, or the name of what the user put in (`<stdin>`, a file). */
  readonly source: string;
  /** The entry of the log from which on it is there. */
  readonly seq: number;
};

/** What an answer is about, by values that do not change with the order of keys. */
export type AnswerSubject = {
  /** The tool's own name. */
  readonly tool: string;
  /** Of the tool's definition, see `fingerprintOf`. */
  readonly fingerprint: string;
  /** SHA-256 of the arguments. */
  readonly argumentsHash: string;
};

/** An answer of a person that holds for later calls as well. */
export type RememberedAnswer = {
  readonly decision: "allow" | "deny";
  /** `session`: for the thread it was given in. */
  readonly scope: "session" | "always";
  readonly tool: string;
  readonly fingerprint: string;
  /** Absent: it covers every call of the tool. */
  readonly argumentsHash?: string;
  /** It was given when text of strangers had been read, so it covers calls made after that. */
  readonly isTainted: boolean;
};

/** A call that is to be decided about. */
export type PolicyCall = {
  readonly tool: Tool;
  /** The tool's own name, which rules are written for; the model may know it by another. */
  readonly name: string;
  /** The arguments after they were validated. JSON, or a text where the tool takes one. */
  readonly arguments: unknown;
  /** What strangers wrote and the model has read; null: nothing. */
  readonly taint: Taint | null;
  /** Answers that hold in this thread. */
  readonly answers: readonly RememberedAnswer[];
  /** Whether the tool itself wants to be asked for. */
  readonly needsApproval: () => Promise<boolean>;
};

export type PolicyDecision = {
  readonly action: PolicyAction;
  /** Name of the rule that decided. */
  readonly rule: string;
  /** Why, as a sentence for people. */
  readonly reason: string;
  /** What is other than in the definition that was trusted, line by line. */
  readonly change?: string;
};

export interface Policy {
  /** Never throws: what cannot be decided is asked. */
  decide(call: PolicyCall): Promise<PolicyDecision>;
  /**
   * Keeps an answer for later threads; an answer that allows also trusts the tool as it is.
   * @throws PolicyStoreError
   */
  remember(answer: RememberedAnswer, tool: Tool, name: string): Promise<void>;
}
