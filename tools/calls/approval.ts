/** Whether a call needs the user's approval before it is run. */

import type { Tool, ToolContext } from "../core/tool.ts";
import { unlessAborted } from "../core/unless-aborted.ts";
import { withTimeout } from "../core/with-timeout.ts";

/** A rule may ask a database or a person's settings; it is no place to wait for the person. */
const RULE_LIMIT_MS = 10_000;

/**
 * Asks the tool's rule, if it has one.
 *
 * @param input  what `prepareCall` made of the arguments
 * @returns true also for a rule that throws, gives no boolean, or takes longer than 10 s: what cannot
 *   be decided is for the user to decide
 */
export async function needsApproval(
  tool: Tool,
  input: unknown,
  context: ToolContext,
): Promise<boolean> {
  const rule = tool.needsApproval ?? false;
  if (typeof rule === "boolean") return rule;
  try {
    const asked = Promise.resolve(rule(input, context));
    const late = `the approval rule of ${tool.recipient} took too long`;
    const decided = await unlessAborted(withTimeout(RULE_LIMIT_MS, late, asked), context.signal);
    return decided !== false;
  } catch {
    return true;
  }
}
