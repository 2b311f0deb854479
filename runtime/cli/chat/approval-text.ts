/** A call about which is asked, in words, and the answers that there are. */
import type { ApprovalDecision, ApprovalRequest } from "../../index.ts";
import { plainToolName } from "./tool-name.ts";

/** The answers. A capital letter is the same answer for calls with these arguments alone. */
export const APPROVAL_KEYS: readonly { readonly key: string; readonly name: string }[] = [
  { key: "y", name: "yes, once" },
  { key: "s", name: "in this session" },
  { key: "a", name: "always" },
  { key: "n", name: "no" },
];

/** @returns null for what is no answer */
export function approvalOf(key: string): ApprovalDecision | null {
  const by = "user";
  switch (key) {
    case "y":
      return { decision: "allow", by };
    case "s":
      return { decision: "allow", by, remember: "session" };
    case "S":
      return { decision: "allow", by, remember: "session", covers: "arguments" };
    case "a":
      return { decision: "allow", by, remember: "always" };
    case "A":
      return { decision: "allow", by, remember: "always", covers: "arguments" };
    case "n":
      return { decision: "deny", by };
    default:
      return null;
  }
}

/** The arguments of a call, whole, as they can be read, with what is to be known before the answer. */
export function approvalText(request: ApprovalRequest): string {
  const { tool, arguments: given, annotations, reason, change, taintedBy } = request;
  const text = typeof given === "string" ? given : JSON.stringify(given, null, 2);
  const hints = [
    annotations.destructiveHint === true ? "it may destroy something" : "",
    annotations.openWorldHint === true ? "it reaches beyond this machine" : "",
    annotations.readOnlyHint === true ? "it says that it only reads" : "",
  ].filter((hint) => hint !== "");
  const about = hints.length === 0 ? "" : ` (${hints.join("; ")})`;
  const facts = [
    reason ?? "",
    taintedBy === undefined ? "" : `The model has read text of strangers: ${taintedBy}.`,
    change === undefined ? "" : `The tool is another one than was trusted:\n${change}`,
  ].filter((fact) => fact !== "");
  return [`${plainToolName(tool)} asks to run${about}:`, text, ...facts].join("\n");
}
