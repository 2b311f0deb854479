/** Asks the person at the terminal whether a call may run: the arguments whole, one letter as the answer. */
import { setTimeout as delay } from "node:timers/promises";
import type { ApprovalDecision, ApprovalRequest, ApprovalRule } from "../index.ts";
import type { Output } from "./output.ts";
import { nextLine } from "./terminal-question.ts";

/** What was typed before the question could be read is no answer to it. */
const TYPED_AHEAD_MS = 60;

/** @returns null where there is no person to ask: stdin or stderr is no terminal */
export function terminalApprover(output: Output): ApprovalRule | null {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return null;
  return async (request, { signal }) => {
    await dropTypedAhead();
    output.question(`${questionText(request)}\n`);
    const choices = choicesOf(request);
    for (;;) {
      output.question(`${choices.map(({ key, means }) => `${key}: ${means}`).join("   ")} > `);
      const line = await nextLine(signal);
      if (line === null) {
        // Ctrl-D ends no line.
        output.question("\n");
        return { decision: "deny", by: "user" };
      }
      const chosen = choices.find(({ key }) => key === line.trim().toLowerCase());
      if (chosen !== undefined) return chosen.decision;
    }
  };
}

/** Everything that a person has to know before the answer. */
export function questionText(request: ApprovalRequest): string {
  const { tool, arguments: given, cause, reason, change, taintedBy } = request;
  const shown = typeof given === "string" ? given : JSON.stringify(given, null, 2);
  const lines =
    cause === "unknown_outcome"
      ? [
          `The program ended while ${tool} ran, so it is not known whether it took effect. Run it again with`,
        ]
      : [`${tool} wants to run with`];
  lines.push(...indented(shown));
  if (reason !== undefined) lines.push(`Why you are asked: ${reason}`);
  if (change !== undefined) lines.push("What has changed of the tool:", ...indented(change));
  if (taintedBy !== undefined) {
    lines.push(`The model has read text of strangers (${taintedBy}); it may be what they want.`);
  }
  return lines.join("\n");
}

const indented = (text: string): readonly string[] => text.split("\n").map((line) => `  ${line}`);

type Choice = { readonly key: string; readonly means: string; readonly decision: ApprovalDecision };

function choicesOf({ tool, cause }: ApprovalRequest): readonly Choice[] {
  const by = "user";
  const once: Choice = { key: "y", means: "yes, once", decision: { decision: "allow", by } };
  const no: Choice = { key: "n", means: "no", decision: { decision: "deny", by } };
  if (cause === "unknown_outcome") return [once, no];
  return [
    once,
    {
      key: "s",
      means: `yes, every ${tool} of this conversation`,
      decision: { decision: "allow", by, remember: "session" },
    },
    {
      key: "a",
      means: "always",
      decision: { decision: "allow", by, remember: "always" },
    },
    no,
  ];
}

async function dropTypedAhead(): Promise<void> {
  const drop = (): void => {};
  process.stdin.on("data", drop);
  await delay(TYPED_AHEAD_MS);
  process.stdin.off("data", drop);
  process.stdin.pause();
}
