/** The chat in a terminal that can move its cursor: the screen, the keys, and what they do. */
import type { RunEvent } from "../../events.ts";
import type { ApprovalDecision, ApprovalRequest, ConversationTurn } from "../../index.ts";
import { ApprovalPrompt } from "./approval-prompt.ts";
import { approvalText } from "./approval-text.ts";
import { ChatEditor } from "./chat-editor.ts";
import { ChatSession, type ChatView, type OpenedChat, type Teller } from "./chat-session.ts";
import { FRAME_MS } from "./clock-text.ts";
import { CHAT_COMMANDS, type CommandHost, runChatCommand } from "./commands.ts";
import type { ChatHistory } from "./history.ts";
import type { Folding } from "./item-views.ts";
import type { AnswerRenderer } from "./markdown-block.ts";
import type { QueuedAt } from "./queue.ts";
import { QueueView } from "./queue-view.ts";
import { ChatScreen } from "./screen.ts";
import { StatusLine } from "./status-line.ts";
import {
  CombinedAutocompleteProvider,
  matchesKey,
  ProcessTerminal,
  setCapabilityOverrides,
  type Terminal,
} from "./terminal-library.ts";
import { type Table, TextBlock } from "./text-block.ts";
import { makeTheme, type Theme } from "./theme.ts";
import { TranscriptView } from "./transcript-view.ts";

export type ChatTerminalOptions = {
  readonly open: (teller: Teller) => Promise<OpenedChat>;
  /** Questions of earlier chats; null: none are kept. */
  readonly history: (() => Promise<ChatHistory>) | null;
  readonly isColored: boolean;
  /** Default: the process's own. */
  readonly terminal?: Terminal;
  /** Called when the person has left and the terminal is as it was; what is open is closed behind it. */
  readonly onLeft?: () => void;
  /** Ends the chat from outside: a signal. */
  readonly signal: AbortSignal;
};

const GREETING = "Chorale. /help lists commands and keys, Ctrl-D ends the chat.";
/** Questions of earlier chats that the arrow keys bring back. */
const HISTORY = 100;

/**
 * Runs a chat until the person leaves it.
 * @throws what opening throws
 */
export async function chatInTerminal(options: ChatTerminalOptions): Promise<void> {
  await new ChatTerminal(options).run();
}

class ChatTerminal implements ChatView {
  readonly #options: ChatTerminalOptions;
  readonly #theme: Theme;
  readonly #screen: ChatScreen;
  readonly #editor: ChatEditor;
  readonly #transcript: TranscriptView;
  readonly #session: ChatSession;
  readonly #host: CommandHost;
  readonly #folding: Folding = { reasoning: true, tools: true };
  readonly #left = Promise.withResolvers<void>();
  /** Calls about which is asked one after the other. */
  #asking: Promise<unknown> = Promise.resolve();
  #prompt: ApprovalPrompt | null = null;
  #renderer: AnswerRenderer | null = null;
  #ticker: NodeJS.Timeout | null = null;
  #isLeaving = false;
  #history: ChatHistory | null = null;

  constructor(options: ChatTerminalOptions) {
    this.#options = options;
    this.#theme = makeTheme(options.isColored);
    // No links and pictures: what a model writes stays text.
    setCapabilityOverrides({ hyperlinks: false, images: null });
    this.#screen = new ChatScreen(options.terminal ?? new ProcessTerminal(), true);
    this.#editor = this.#makeEditor();
    this.#transcript = new TranscriptView({
      screen: this.#screen,
      theme: this.#theme,
      folding: this.#folding,
      renderer: () => this.#renderer,
    });
    this.#session = new ChatSession({
      open: options.open,
      view: this,
    });
    this.#host = { session: this.#session, view: this, leave: () => this.#leave() };
    this.#layOut();
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const screen = this.#screen;
    this.#screen.commit(new TextBlock(GREETING, { paint: this.#theme.dim }));
    screen.addInputListener((data) => this.#key(data));
    signal.addEventListener("abort", () => this.#leave(signal.reason), { once: true });
    screen.start();
    screen.renderNow();
    this.changed();
    const isOpen = this.#open();
    void this.#openHistory();
    try {
      await Promise.race([this.#left.promise, isOpen.then(() => this.#left.promise)]);
    } finally {
      if (this.#ticker !== null) clearInterval(this.#ticker);
      this.#editor.setText("");
      this.#layOut();
      screen.renderNow();
      screen.stop();
      this.#options.onLeft?.();
      await this.#session.close();
    }
  }

  addQuestion(text: string): void {
    this.#transcript.addQuestion(text);
  }

  addTurns(turns: readonly ConversationTurn[]): void {
    this.#transcript.addTurns(turns);
  }

  addNote(text: string, kind?: "note" | "problem"): void {
    this.#transcript.addNote(text, kind);
  }

  addTable(rows: Table): void {
    this.#transcript.addTable(rows);
  }

  take(event: RunEvent): void {
    this.#transcript.take(event);
  }

  closeItems(): void {
    this.#transcript.close();
  }

  edit(text: string): void {
    const typed = this.#editor.getExpandedText();
    this.#editor.setText(typed.trim() === "" ? text : `${text}\n\n${typed}`);
    this.#screen.requestRender();
  }

  changed(): void {
    this.#screen.requestRender();
    const moves = this.#session.isWorking || this.#session.loading !== null;
    if (moves && this.#ticker === null) {
      this.#ticker = setInterval(() => this.#screen.requestRender(), FRAME_MS);
    } else if (!moves && this.#ticker !== null) {
      clearInterval(this.#ticker);
      this.#ticker = null;
    }
  }

  opened(chat: OpenedChat): void {
    this.#transcript.useFootnotes(() => chat.footnotes(() => this.#session.thread ?? chat.thread));
  }

  askApproval(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalDecision> {
    const asked = this.#asking.then(() => this.#ask(request, signal));
    this.#asking = asked.catch(() => {});
    return asked;
  }

  async #open(): Promise<void> {
    const { AnswerRenderer } = await import("./markdown-block.ts");
    this.#renderer = new AnswerRenderer(this.#theme);
    await this.#session.open();
  }

  async #openHistory(): Promise<void> {
    const history = await this.#options.history?.();
    for (const question of history?.read(HISTORY) ?? []) this.#editor.addToHistory(question);
    this.#history = history ?? null;
  }

  #ask(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalDecision> {
    const { promise, resolve, reject } = Promise.withResolvers<ApprovalDecision>();
    const stop = (): void => reject(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener("abort", stop, { once: true });
    this.#screen.commit(
      new TextBlock(approvalText(request), {
        first: "? ",
        paint: this.#theme.warning,
        hasGap: true,
      }),
    );
    this.#prompt = new ApprovalPrompt(request, this.#theme, resolve);
    this.#layOut();
    return promise.finally(() => {
      signal.removeEventListener("abort", stop);
      this.#prompt = null;
      this.#layOut();
    });
  }

  /** The changing lines, from top to bottom. */
  #layOut(): void {
    const screen = this.#screen;
    screen.clear();
    if (!this.#isLeaving) {
      screen.addChild(this.#transcript);
      screen.addChild(new QueueView(this.#session.queue, this.#theme));
      screen.addChild(this.#prompt ?? this.#editor);
      screen.addChild(new StatusLine(() => this.#status(), this.#theme));
      screen.setFocus(this.#prompt ?? this.#editor);
    }
    screen.requestRender();
  }

  #status() {
    const session = this.#session;
    const { model } = session;
    return {
      meter: session.meter,
      loading: session.loading,
      isStopping: session.isStopping,
      model: model?.name ?? null,
      contextLength: model?.contextLength ?? null,
      effort: session.effort,
      hint:
        session.isWorking && this.#prompt === null && this.#editor.getText() !== ""
          ? "Enter: after this step · Ctrl-Q: after this turn"
          : null,
    };
  }

  #makeEditor(): ChatEditor {
    const { dim, accent } = this.#theme;
    const editor = new ChatEditor(
      this.#screen,
      {
        borderColor: dim,
        selectList: {
          selectedPrefix: accent,
          selectedText: accent,
          description: dim,
          scrollInfo: dim,
          noMatch: dim,
        },
      },
      { paddingX: 1, autocompleteMaxVisible: 8 },
    );
    editor.onSubmit = (text) => void this.#submit(text, "step");
    editor.setAutocompleteProvider(
      new CombinedAutocompleteProvider(
        CHAT_COMMANDS.map(({ name, argument, description, values }) => ({
          name,
          description: argument === undefined ? description : `${argument}: ${description}`,
          ...(values !== undefined && {
            getArgumentCompletions: (typed: string) =>
              values(this.#host)
                .filter((value) => value.startsWith(typed))
                .map((value) => ({ value, label: value })),
          }),
        })),
        process.cwd(),
      ),
    );
    return editor;
  }

  async #submit(text: string, at: QueuedAt): Promise<void> {
    if (text.trim() === "") return;
    this.#editor.addToHistory(text);
    void this.#history?.add(text);
    if (await runChatCommand(text, this.#host)) return;
    this.#session.say(text, at);
  }

  /** Keys that mean the same wherever the cursor is. */
  #key(data: string): { consume: true } | undefined {
    const taken = { consume: true } as const;
    if (matchesKey(data, "ctrl+c")) {
      this.#interrupt();
      return taken;
    }
    if (matchesKey(data, "ctrl+d") && this.#editor.getText() === "") {
      this.#leave();
      return taken;
    }
    if (matchesKey(data, "ctrl+l")) {
      this.#screen.repaint();
      return taken;
    }
    if (matchesKey(data, "ctrl+t") || matchesKey(data, "ctrl+o")) {
      const what = matchesKey(data, "ctrl+t") ? "reasoning" : "tools";
      this.#folding[what] = !this.#folding[what];
      this.#screen.repaint();
      return taken;
    }
    if (matchesKey(data, "ctrl+q") && this.#prompt === null) {
      const text = this.#editor.getExpandedText();
      this.#editor.setText("");
      void this.#submit(text, "turn");
      this.#screen.requestRender();
      return taken;
    }
    return undefined;
  }

  #interrupt(): void {
    if (this.#editor.closeCompletions()) {
      this.#screen.requestRender();
    } else if (this.#session.stopTurn()) {
      this.changed();
    } else if (this.#editor.getText() !== "") {
      this.#editor.setText("");
      this.#screen.requestRender();
    } else {
      this.addNote("Ctrl-D or /exit ends the chat.");
    }
  }

  #leave(error?: unknown): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (error === undefined) this.#left.resolve();
    else this.#left.reject(error);
  }
}
