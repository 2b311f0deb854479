/** Asks whether a call may run. Its arguments stand above, whole; until there is an answer, keys mean nothing else. */
import type { ApprovalDecision, ApprovalRequest } from "../../index.ts";
import { APPROVAL_KEYS, approvalOf } from "./approval-text.ts";
import { type Component, matchesKey, wrapTextWithAnsi } from "./terminal-library.ts";
import { shownText } from "./text-block.ts";
import type { Theme } from "./theme.ts";
import { plainToolName } from "./tool-name.ts";

export class ApprovalPrompt implements Component {
  readonly #request: ApprovalRequest;
  readonly #theme: Theme;
  readonly #answer: (decision: ApprovalDecision) => void;

  constructor(
    request: ApprovalRequest,
    theme: Theme,
    answer: (decision: ApprovalDecision) => void,
  ) {
    this.#request = request;
    this.#theme = theme;
    this.#answer = answer;
  }

  render(width: number): string[] {
    const { cause } = this.#request;
    const tool = shownText(plainToolName(this.#request.tool));
    const { warning, dim } = this.#theme;
    const question =
      cause === "unknown_outcome"
        ? `It is not known whether ${tool} took effect: the program ended while it ran. Run it again?`
        : `May ${tool} run with these arguments?`;
    const answers = APPROVAL_KEYS.map(({ key, name }) => `${key}  ${name}`).join("    ");
    return [
      dim("─".repeat(width)),
      ...wrapTextWithAnsi(warning(` ${question}`), width),
      ...wrapTextWithAnsi(` ${answers}`, width),
      ...wrapTextWithAnsi(
        dim(" S, A  the same for these arguments alone    Ctrl-C  stop the turn"),
        width,
      ),
      dim("─".repeat(width)),
    ];
  }

  invalidate(): void {}

  handleInput(data: string): void {
    const decision = approvalOf(matchesKey(data, "escape") ? "n" : data);
    if (decision !== null) this.#answer(decision);
  }
}
