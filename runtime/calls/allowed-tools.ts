/** Which of the declared tools a turn's choice leaves. */
import type { ToolChoice } from "../context.ts";
import type { DeclaredTool, DeclaredTools } from "./declared-tools.ts";
import { resolveCall } from "./resolve.ts";

export function allowedTools(choice: ToolChoice, tools: DeclaredTools): readonly DeclaredTool[] {
  if (choice === "none") return [];
  if (typeof choice === "string") return tools.list;
  const names = "tool" in choice ? [choice.tool] : choice.tools;
  const recipients = new Set(names.map((name) => resolveCall(name, tools).call.recipient));
  return tools.list.filter(({ recipient }) => recipients.has(recipient));
}

/** Whether the model has to call a tool in the first step. */
export function isDemanded(choice: ToolChoice): boolean {
  if (typeof choice === "string") return choice === "required";
  return "tool" in choice || choice.mode === "required";
}

/** The choice behind the first step: a call that was demanded has been made, a set of tools stays. */
export function laterChoice(choice: ToolChoice): ToolChoice {
  if (typeof choice === "string" || "tool" in choice) return choice === "none" ? "none" : "auto";
  return { tools: choice.tools, mode: "auto" };
}
