/**
 * The chat on a terminal that cannot move its cursor (`TERM=dumb`): one line in, text out, nothing is drawn over.
 * A line that ends in a backslash goes on in the next one.
 */
import { createInterface, type Interface } from "node:readline/promises";
import type { EventListener, RunEvent } from "../../events.ts";
import type { ApprovalDecision, ApprovalRequest, ConversationTurn } from "../../index.ts";
import type { Output } from "../output.ts";
import { visibleText } from "../terminal-text.ts";
import { watchRun } from "../watch.ts";
import { APPROVAL_KEYS, approvalOf, approvalText } from "./approval-text.ts";
import { ChatSession, type ChatView, type OpenedChat, type Teller } from "./chat-session.ts";
import { type CommandHost, runChatCommand } from "./commands.ts";
import type { ChatHistory } from "./history.ts";
import type { Table } from "./text-block.ts";

export type ChatLinesOptions = {
  readonly open: (teller: Teller) => Promise<OpenedChat>;
  readonly history: (() => Promise<ChatHistory>) | null;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Called when the person has left; what is open is closed behind it. */
  readonly onLeft?: () => void;
};

/** Runs a chat until the person leaves it. @throws what opening throws */
export async function chatInLines(options: ChatLinesOptions): Promise<void> {
  await new ChatLines(options).run();
}

class ChatLines implements ChatView {
  readonly #options: ChatLinesOptions;
  readonly #session: ChatSession;
  readonly #lines: Interface;
  #watch: EventListener;
  #hasLeft = false;
  /** Lines that came and were not taken yet. */
  readonly #typed: string[] = [];
  #isEnded = false;
  #wake: () => void = () => {};

  constructor(options: ChatLinesOptions) {
    this.#options = options;
    const { open, output } = options;
    this.#session = new ChatSession({ open, view: this });
    this.#watch = watchRun(output, { holdAnswer: false });
    this.#lines = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: false,
    });
    this.#lines.on("line", (line) => {
      this.#typed.push(line);
      this.#wake();
    });
    this.#lines.on("close", () => {
      this.#isEnded = true;
      this.#wake();
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const lines = this.#lines;
    const host: CommandHost = {
      session: this.#session,
      view: this,
      leave: () => {
        this.#hasLeft = true;
      },
    };
    const interrupt = (): void => {
      if (!this.#session.stopTurn()) this.addNote("Ctrl-D or /exit ends the chat.");
    };
    // Here Ctrl-C stops a turn; elsewhere it ends the command.
    const others = process.listeners("SIGINT");
    process.removeAllListeners("SIGINT");
    process.on("SIGINT", interrupt);
    const close = (): void => lines.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      const history = await this.#options.history?.();
      await this.#session.open();
      while (!this.#hasLeft) {
        await this.#session.idle();
        const text = await this.#read();
        if (text === null) break;
        if (text.trim() === "") continue;
        void history?.add(text);
        if (!(await runChatCommand(text, host))) this.#session.say(text, "turn");
      }
    } finally {
      process.off("SIGINT", interrupt);
      for (const other of others) process.on("SIGINT", other);
      lines.close();
      this.#options.onLeft?.();
      await this.#session.close();
    }
    signal.throwIfAborted();
  }

  addQuestion(): void {}

  addTurns(turns: readonly ConversationTurn[]): void {
    this.addNote(
      `the conversation goes on; it has ${turns.length} turn${turns.length === 1 ? "" : "s"}.`,
    );
  }

  addNote(text: string, kind: "note" | "problem" = "note"): void {
    if (kind === "note") this.#options.output.note(text);
    else this.#options.output.problem(text);
  }

  addTable(rows: Table): void {
    const column = Math.max(...rows.map(([left]) => left.length));
    for (const [left, right] of rows) {
      this.#options.output.line(visibleText(`${left.padEnd(column)}  ${right}`.trimEnd()));
    }
  }

  take(event: RunEvent): void {
    void this.#watch(event);
  }

  closeItems(): void {
    this.#options.output.finishAnswer();
  }

  async askApproval(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalDecision> {
    this.#options.output.line(visibleText(approvalText(request)));
    const answers = APPROVAL_KEYS.map(({ key, name }) => `${key}: ${name}`).join("; ");
    for (;;) {
      process.stdout.write(`May it run? ${answers}: `);
      const answer = await this.#line(signal);
      const decision = answer === null ? approvalOf("n") : approvalOf(answer.trim());
      if (decision !== null) return decision;
    }
  }

  edit(text: string): void {
    if (text !== "") this.addNote(`not sent: ${text}`);
  }

  changed(): void {}

  opened(chat: OpenedChat): void {
    this.#watch = watchRun(this.#options.output, {
      holdAnswer: false,
      footnotes: () => chat.footnotes(() => this.#session.thread ?? chat.thread),
    });
  }

  /** null at the end of the input. */
  async #read(): Promise<string | null> {
    const parts: string[] = [];
    for (;;) {
      process.stdout.write(parts.length === 0 ? "> " : ". ");
      const line = await this.#line();
      if (line === null) return parts.length === 0 ? null : parts.join("\n");
      if (!line.endsWith("\\")) return [...parts, line].join("\n");
      parts.push(line.slice(0, -1));
    }
  }

  /** null at the end of the input. */
  async #line(signal?: AbortSignal): Promise<string | null> {
    while (this.#typed.length === 0 && !this.#isEnded) {
      const more = Promise.withResolvers<void>();
      const stop = (): void => more.reject(signal?.reason);
      this.#wake = more.resolve;
      signal?.addEventListener("abort", stop, { once: true });
      await more.promise.finally(() => signal?.removeEventListener("abort", stop));
    }
    return this.#typed.shift() ?? null;
  }
}
