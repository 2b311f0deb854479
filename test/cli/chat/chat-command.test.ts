/** `chorale chat` and `chorale` alone, as they are typed: the real command with the embedded model. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { chorale, launcher } from "../chorale.ts";
import { hasTmux, TmuxWindow } from "./tmux.ts";

const home = mkdtempSync(join(tmpdir(), "chat-command-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const LIMIT_MS = 120_000;
/** The embedded model answers it without a tool. */
const QUESTION = "What can you do?";
const ANSWER = /\bor\s+XML\b/;

describe("in a pipe", { timeout: LIMIT_MS }, () => {
  test("there is no one to talk with", async () => {
    const { code, stdout, stderr } = await chorale(["chat"], { home });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      'chorale: A chat needs a terminal, and stdin or stdout is none here. In a script use: chorale run "QUESTION"\n',
    );
  });

  test("the name alone names no command", async () => {
    const { code, stderr } = await chorale([], { home });
    expect(code).toBe(2);
    expect(stderr).toContain("Name a command.");
  });
});

/** The real command in a window. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return TmuxWindow.start([process.execPath, launcher, ...args], {
    columns: 80,
    rows: 24,
    env: { CHORALE_HOME: home, XDG_CONFIG_HOME: home, TERM: "screen-256color", ...env },
  });
}

describe.skipIf(!hasTmux)("in a terminal (needs tmux)", { timeout: LIMIT_MS }, () => {
  test("the name alone is a chat, which can be continued", async () => {
    {
      await using window = await start(["--temperature", "0"]);
      // What is typed before the model is there is answered when it is.
      await window.until("/help lists commands");
      await window.type(QUESTION);
      await window.press("Enter");
      await window.until(ANSWER);
      await window.until("ready");
      await window.type("/sav");
      await window.press("Tab");
      await window.type(join(home, "talk.md"));
      await window.press("Enter");
      await window.until("The conversation is in");
      await window.press("C-d");
      await window.ended(0);
    }
    await using window = await start(["chat", "--continue", "--color", "never"]);
    await window.until(ANSWER);
    await window.until("tokens left");
    const styled = await window.styled();
    expect(styled.split("\n").slice(0, -1).join("\n")).not.toMatch(/\[(?:[34]\d|1|2|4)m/);
    await window.type("/nonsense");
    await window.press("Enter");
    await window.until("There is no command /nonsense");
  });

  test("a dumb one gets lines, and nothing is drawn over", async () => {
    await using window = await start(["chat", "--temperature", "0"], { TERM: "dumb" });
    await window.until(/^> $|^>$/m);
    await window.type(QUESTION);
    await window.press("Enter");
    await window.until(ANSWER);
    await window.press("C-c");
    await window.until("Ctrl-D or /exit ends the chat");
    await window.type("/exit");
    await window.press("Enter");
    const screen = await window.ended(0);
    expect(screen).toContain(`> ${QUESTION}`);
    expect(await window.styled()).not.toMatch(/\[3\dm/);
  });

  test("a conversation that is not there ends it with a sentence", async () => {
    await using window = await start(["chat", "--resume", "nowhere"]);
    const screen = await window.ended(2);
    expect(screen).toContain("There is no thread nowhere in this store.");
  });
});
