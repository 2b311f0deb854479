/** A terminal for tests: a window of a tmux server of its own, with keys in and the screen out. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether tmux is installed; a reason to skip otherwise. */
export const hasTmux: boolean = spawnSync("tmux", ["-V"]).status === 0;

const PATIENCE_MS = 30_000;

export class TmuxWindow implements AsyncDisposable {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Starts a program in a window of this size. */
  static async start(
    program: readonly string[],
    options: { columns: number; rows: number; env: Readonly<Record<string, string>> },
  ): Promise<TmuxWindow> {
    const window = new TmuxWindow(`chorale-test-${process.pid}-${++count}`);
    const { columns, rows, env } = options;
    const set = Object.entries({ ...env, TMUX: "" }).map(([name, value]) => `${name}=${value}`);
    await window.#tmux(
      ...["-f", "/dev/null", "new-session", "-d", "-x", String(columns), "-y", String(rows)],
      ...["env", ...set, ...program],
      // The last screen stays to be looked at.
      ...[";", "set-option", "-g", "remain-on-exit", "on"],
    );
    return window;
  }

  /** Keys by their tmux names: `Enter`, `C-c`, `Up`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", text);
  }

  /** As the terminal pastes it: in one piece, with the marks of a paste around it. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", text);
    await this.#tmux("paste-buffer", "-p");
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** What is visible. */
  async screen(): Promise<string> {
    const { stdout } = await this.#tmux("capture-pane", "-p");
    return stdout.replace(/\s+$/, "");
  }

  /** What is visible, with the sequences of its colours. */
  async styled(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p", "-e")).stdout;
  }

  /** The screen once it holds `text`. @throws Error with the screen, when it does not come */
  async until(text: string | RegExp, beforeLook: () => void = () => {}): Promise<string> {
    const isThere = (screen: string): boolean =>
      typeof text === "string" ? screen.includes(text) : text.test(screen);
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      beforeLook();
      const screen = await this.screen();
      if (isThere(screen)) return screen;
      if (performance.now() > end) throw new Error(`${text} does not come:\n${screen}`);
      await new Promise((done) => setTimeout(done, 25));
    }
  }

  /**
   * The last screen, once the program has ended with this exit code. When the terminal of a program is closed, tmux
   * 3.3a starts a helper of libutempter and ignores SIGCHLD until that one is done; a program that ends in these
   * milliseconds is never reaped, and its end is never shown. So the server is told again to look for it, which
   * changes nothing while the program runs.
   * @throws Error with the screen, when the program does not end so
   */
  async ended(code: number): Promise<string> {
    const server = Number(await this.fact("#{pid}"));
    const end = new RegExp(`Pane is dead \\(status ${code}\\b`);
    return this.until(end, () => process.kill(server, "SIGCHLD"));
  }

  /** A fact of the window, like `#{pane_title}`. */
  async fact(format: string): Promise<string> {
    return (await this.#tmux("display-message", "-p", format)).stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
  }

  #tmux(...args: readonly string[]): Promise<{ stdout: string }> {
    return run("tmux", ["-L", this.#socket, ...args]);
  }
}

let count = 0;
