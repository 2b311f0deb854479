/** Whether a call may run, asked of the caller of the run or of the user. */
import type { ToolAnnotations } from "../../tools/index.ts";

export type ApprovalRequest = {
  readonly callId: string;
  /** The tool's own name. */
  readonly tool: string;
  /** The arguments, validated. JSON. */
  readonly arguments: unknown;
  readonly annotations: ToolAnnotations;
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
    };

export type ApprovalRule = (
  request: ApprovalRequest,
  options: { readonly signal: AbortSignal },
) => ApprovalDecision | Promise<ApprovalDecision>;
