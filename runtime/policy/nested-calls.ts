/** Calls that a tool makes of another one, where no person can be asked in between. */
import { needsApproval, type Tool } from "../../tools/index.ts";
import type { Policy } from "./policy.ts";

/**
 * The same tool, which wants to be asked for unless the policy allows the call. The conversation is not known
 * there, so text of strangers is taken to have been read.
 */
export function underPolicy(tool: Tool, policy: Policy): Tool {
  const { recipient, description, inputSchema, timeoutMs } = tool;
  return {
    recipient,
    description,
    inputSchema,
    timeoutMs,
    ...(tool.inputStandardSchema && { inputStandardSchema: tool.inputStandardSchema }),
    ...(tool.execute && { execute: tool.execute.bind(tool) }),
    async needsApproval(input, context) {
      const { action } = await policy.decide({
        tool,
        name: recipient,
        arguments: input,
        taint: { source: "unknown", seq: 0 },
        answers: [],
        needsApproval: () => needsApproval(tool, input, context),
      });
      return action !== "allow";
    },
  };
}
