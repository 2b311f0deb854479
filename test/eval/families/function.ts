/** Requests for a declared function, and requests that no declared function is for. */
import type { Random } from "../random.ts";
import type { DeclaredTool } from "../task.ts";
import { arithmetic } from "./arithmetic.ts";
import type { Draft } from "./draft.ts";
import { outside } from "./outside.ts";
import { text } from "./text.ts";
import { otherTools, TOOLS, useTool } from "./tools.ts";

/** The call must be exactly the one that the request means, and the answer tell what was asked. */
export function functionCall(random: Random): Draft {
  const design = random.pick(TOOLS);
  const { declaration, prompt, call, wanted } = useTool(random, design);
  const tools = withOthers(random, declaration, otherTools(random, [design], random.int(0, 2)));
  return { prompt, tools, expect: { final_contains: wanted, calls: [call] } };
}

/** Something for Python, or for no tool, while functions are declared that would not help. */
export function noTool(random: Random): Draft {
  const tools = otherTools(random, [], random.int(1, 3));
  if (random.chance(0.5)) return { ...outside(random), tools };
  const draft = random.chance(0.5) ? arithmetic(random) : text(random);
  return { ...draft, tools, expect: { ...draft.expect, calls: [{ recipient: "python" }] } };
}

export function withOthers(
  random: Random,
  tool: DeclaredTool,
  others: readonly DeclaredTool[],
): DeclaredTool[] {
  return random.sample([tool, ...others], others.length + 1);
}
