/** A call about which is asked, in words. */
import type { ApprovalRequest } from "../../index.ts";
import { plainToolName } from "./tool-name.ts";

/** The arguments of a call, whole, as they can be read. */
export function approvalText({ tool, arguments: given, annotations }: ApprovalRequest): string {
  const text = typeof given === "string" ? given : JSON.stringify(given, null, 2);
  const hints = [
    annotations.destructiveHint === true ? "it may destroy something" : "",
    annotations.openWorldHint === true ? "it reaches beyond this machine" : "",
    annotations.readOnlyHint === true ? "it says that it only reads" : "",
  ].filter((hint) => hint !== "");
  const about = hints.length === 0 ? "" : ` (${hints.join("; ")})`;
  return `${plainToolName(tool)} asks to run${about}:\n${text}`;
}
