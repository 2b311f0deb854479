/** Whether a call may run, asked of the caller of the run or of the user. */
import type { ToolAnnotations } from "../../tools/index.ts";

export type ApprovalRequest = {
  readonly callId: string;
  /** The tool's own name. */
  readonly tool: string;
  /** The arguments, validated. JSON. */
  readonly arguments: unknown;
  readonly annotations: ToolAnnotations;
  /** The rule because of which it is asked; `tool`: the tool wants it. */
  readonly rule: string;
  /** The same as a sentence. */
  readonly reason?: string;
  /** What is other than in the definition of the tool that was trusted; lines with `- ` were, lines with `+ ` are new. */
  readonly change?: string;
  /** Text of strangers that the model has read: the tool that returned it, or its name. */
  readonly taintedBy?: string;
  /**
   * `needs_approval`: the tool wants to be asked for. `unknown_outcome`: the process ended while the call
   * ran; allowing it runs it again.
   */
  readonly cause: "needs_approval" | "unknown_outcome";
};

export type ApprovalDecision =
  | "allow"
  | "deny"
  /** The run ends as `pending`; `thread.decide` records the decision, and the next run goes on. */
  | "pause"
  | {
      readonly decision: "allow" | "deny";
      /** What the model is told about a denied call. */
      readonly reason?: string;
      /** Who decided. Default `caller`. */
      readonly by?: string;
      /**
       * The answer holds for later calls: in this thread, or in all threads (which needs a policy that keeps it,
       * else it holds in this thread). Default: for this call alone.
       */
      readonly remember?: "session" | "always";
      /** Which later calls: all of the tool, or those with the same arguments. Default: all. */
      readonly covers?: "tool" | "arguments";
    };

export type ApprovalRule = (
  request: ApprovalRequest,
  options: { readonly signal: AbortSignal },
) => ApprovalDecision | Promise<ApprovalDecision>;
