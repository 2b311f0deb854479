/** The chat as a person sees it: keys into a terminal, its screens as golden text. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { hasTmux, TmuxWindow } from "./tmux.ts";

const program = fileURLToPath(new URL("chat-program.ts", import.meta.url));
const golden = (name: string): string =>
  fileURLToPath(new URL(`../../golden/chat/${name}.txt`, import.meta.url));
const root = mkdtempSync(join(tmpdir(), "chat-screen-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 200, rows: 50 },
] as const;

/** A chat over a script, and the screens that are looked at. */
async function chat(
  script: string,
  size: { readonly columns: number; readonly rows: number },
  folder = mkdtempSync(join(root, "home-")),
  resume: readonly string[] = [],
) {
  const window = await TmuxWindow.start([process.execPath, program, script, folder, ...resume], {
    ...size,
    env: { CHORALE_HOME: folder, TERM: "screen-256color", LANG: "C.UTF-8" },
  });
  try {
    await window.until("tokens left");
  } catch (error) {
    await window[Symbol.asyncDispose]();
    throw error;
  }
  const shots: string[] = [];
  return {
    folder,
    window,
    open: (gate: number) => writeFileSync(join(folder, `gate-${gate}`), ""),
    /** The script has come to this pause. */
    paused: async (gate: number) => {
      const file = join(folder, `waits-${gate}`);
      while (!existsSync(file)) await new Promise((done) => setTimeout(done, 20));
      rmSync(file);
    },
    ask: async (question: string, answer: string | RegExp) => {
      await window.type(question);
      await window.press("Enter");
      await window.until(answer);
    },
    /** Looks at the screen once the text is there. */
    shoot: async (title: string, text: string | RegExp) => {
      await window.until(text);
      const screen = await still(window);
      shots.push(`=== ${title}\n${screen}`);
      return screen;
    },
    text: () => `${shots.join("\n\n")}\n`,
    [Symbol.asyncDispose]: () => window[Symbol.asyncDispose](),
  };
}

/** The screen once it does not change any more. */
async function still(window: TmuxWindow): Promise<string> {
  for (let before = ""; ; ) {
    const screen = steady(await window.screen());
    if (screen === before) return screen;
    before = screen;
    await new Promise((done) => setTimeout(done, STILL_MS));
  }
}

/** An editor without text. */
const EMPTY_EDITOR = /─\n\n─/;
/** A few frames. */
const STILL_MS = 80;

/** The screen without what is another one each time: times, ids, what turns. */
function steady(screen: string): string {
  return screen
    .replace(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, "*")
    .replace(/\d+ min \d+ s|\d+ s\b/g, "N s")
    .replace(/[\d.]+ tokens\/s/g, "N tokens/s")
    .replace(/thread_[\w-]+/g, "thread_ID")
    .replace(/ · N s$/gm, "")
    .replace(/^( ready| \*.*?) {2,}/gm, "$1  ");
}

describe.skipIf(!hasTmux)("in a terminal (needs tmux)", { timeout: 120_000 }, () => {
  test.for(SIZES)("a tour, $columns columns", async (size) => {
    const { columns } = size;
    await using shown = await chat("tour", size);
    const { window, ask, shoot } = shown;
    await shoot("the first prompt", "ready");
    await window.type("/hel");
    await shoot("a command is completed", "→ help");
    await window.press("C-u");
    await window.until(EMPTY_EDITOR);
    await ask("Hello", "The end.");
    await shoot("an answer", /ready/);
    await window.press("C-t");
    await shoot("with its reasoning", /ready/);
    await window.press("C-t");
    await ask("広い文字と😀", "한국어도");
    await shoot("wide characters", "ready");
    await ask("Call the bad tool", "tab");
    const hostile = await shoot("hostile text", "ready");
    expect(hostile).toContain("␛[2J␛[Hgone␛[31mred");
    expect(await window.fact("#{pane_title}")).not.toContain("owned");
    await ask("Write to Ann", "May send run");
    await shoot("an approval", "n  no");
    await window.press("y");
    await window.until("It was sent.");
    await ask("Write to Bob", "May send run");
    await window.press("n");
    await shoot("a denial", "Then not.");
    await window.paste(Array.from({ length: 200 }, (_, line) => `line ${line + 1}`).join("\n"));
    await shoot("200 lines in the editor", "paste #1 +200 lines");
    await window.press("Enter");
    await shoot("200 lines are sent", "The question had 200 lines.");
    await window.type("/fork");
    await window.press("Enter");
    await shoot("a fork", "stays as it is");
    await window.resize(columns === 80 ? 60 : 100, 20);
    await shoot("after a resize", "ready");
    await window.press("C-d");
    await window.ended(0);
    await expect(shown.text()).toMatchFileSnapshot(golden(`tour-${columns}`));
  });

  test.for(SIZES)("stops and what is said meanwhile, $columns columns", async (size) => {
    await using shown = await chat("stops", size);
    const { window, open, paused, ask, shoot } = shown;
    await ask("Read a lot", "reading 512 of 2,048 tokens");
    await shoot("the prompt is read", "reading");
    await window.press("C-c");
    await shoot("stopped in the prompt", "Stopped.");
    await ask("Say one two three", "one two");
    await window.press("C-c");
    await shoot("stopped in the answer", /one two[\s\S]*Stopped\./);
    await ask("Wait", "running wait");
    await paused(9);
    await window.press("C-c");
    await shoot("stopped in a tool", /cancelled|aborted|Stopped\.\s[\s\S]*ready/);
    await ask("Say something", "It goes on.");
    await ask("Wait again", "running wait");
    await window.type("be short");
    await shoot("a word about keys", "after this step");
    await window.press("Enter");
    await window.type("and then?");
    await window.press("C-q");
    await shoot("what waits", "after this turn: and then?");
    open(9);
    await shoot("was told", "And: and then?.");
    await window.press("C-c");
    await shoot("how to leave", "Ctrl-D or /exit");
    await expect(shown.text()).toMatchFileSnapshot(golden(`stops-${size.columns}`));
  });

  test("a conversation goes on", async () => {
    const [size] = SIZES;
    let folder = "";
    {
      await using first = await chat("resumed", size);
      folder = first.folder;
      await first.ask("Hello", "before");
      await first.window.press("C-d");
      await first.window.ended(0);
    }
    await using second = await chat("resumed", size, folder, ["resume"]);
    await second.window.press("Up");
    await second.shoot("resumed, with the last question from the history", /─\n Hello\n─/);
    await second.window.press("C-c");
    await second.shoot("the last turn is shown", EMPTY_EDITOR);
    await second.ask("/retry", /We have met[\s\S]*We have met/);
    await second.ask("/undo", "undone");
    await second.shoot("undone", "undone");
    await expect(second.text()).toMatchFileSnapshot(golden("resumed"));
  });
});
