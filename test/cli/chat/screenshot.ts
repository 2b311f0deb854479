/**
 * `npm run screenshot`: the picture in the README. The real command answers with the embedded model in a tmux window,
 * and the screen is written as SVG to `docs/chat.svg`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chorale, launcher } from "../chorale.ts";
import { TmuxWindow } from "./tmux.ts";

const COLUMNS = 84;
const ROWS = 24;
const QUESTION = "What is 123 + 456?";
const CELL = { width: 8.4, height: 18 };
const PADDING = 14;
const BACKGROUND = "#16181d";
const FOREGROUND = "#d7dae0";
/** Colours 30 to 37 of the terminal. */
const PALETTE = [
  "#5c6370",
  "#e06c75",
  "#98c379",
  "#e5c07b",
  "#61afef",
  "#c678dd",
  "#56b6c2",
  "#d7dae0",
];
const OUTPUT = fileURLToPath(new URL("../../../docs/chat.svg", import.meta.url));

type Style = {
  color: string;
  isBold: boolean;
  isDim: boolean;
  isItalic: boolean;
  isUnderlined: boolean;
};

const PLAIN: Style = {
  color: FOREGROUND,
  isBold: false,
  isDim: false,
  isItalic: false,
  isUnderlined: false,
};

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The style behind an SGR code. */
function styled(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, isBold: true };
  if (code === 2) return { ...style, isDim: true };
  if (code === 3) return { ...style, isItalic: true };
  if (code === 4) return { ...style, isUnderlined: true };
  if (code === 39) return { ...style, color: FOREGROUND };
  return code >= 30 && code <= 37 ? { ...style, color: PALETTE[code - 30] as string } : style;
}

/** One line of the screen as elements; the style goes on in the next line. */
function lineElements(line: string, row: number, before: Style): { svg: string; style: Style } {
  let style = before;
  let column = 0;
  let svg = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences of the terminal are read here
  for (const [, codes, text] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    for (const code of codes?.split(";") ?? []) style = styled(style, Number(code));
    if (text === undefined) continue;
    const x = PADDING + column * CELL.width;
    const y = PADDING + (row + 0.75) * CELL.height;
    const width = text.length * CELL.width;
    column += text.length;
    if (text.trim() === "") continue;
    const attributes = [
      `fill="${style.color}"`,
      style.isBold ? 'font-weight="bold"' : "",
      style.isItalic ? 'font-style="italic"' : "",
      style.isUnderlined ? 'text-decoration="underline"' : "",
      style.isDim ? 'opacity="0.6"' : "",
    ];
    const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" textLength="${width.toFixed(1)}"`;
    svg += `<text ${place} ${attributes.filter((one) => one !== "").join(" ")}>${escaped(text)}</text>\n`;
  }
  return { svg, style };
}

function picture(screen: string): string {
  const width = COLUMNS * CELL.width + 2 * PADDING;
  const height = ROWS * CELL.height + 2 * PADDING;
  let style = PLAIN;
  const lines = screen
    .split("\n")
    .slice(0, ROWS)
    .map((line, row) => {
      const { svg, style: next } = lineElements(line, row, style);
      style = next;
      return svg;
    });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">\n' +
    `<title>A chat with chorale in a terminal</title>\n` +
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>\n${lines.join("")}</svg>\n`
  );
}

const home = mkdtempSync(join(tmpdir(), "chorale-screenshot-"));
try {
  // The first start of Python makes its memory image, which is not what a chat usually waits for.
  await chorale(["run", "--quiet", QUESTION], { home });
  await using window = await TmuxWindow.start(
    [process.execPath, launcher, "chat", "--temperature", "0"],
    { columns: COLUMNS, rows: ROWS, env: { CHORALE_HOME: home, TERM: "screen-256color" } },
  );
  await window.until("tokens left");
  await window.press("C-t");
  await window.type(QUESTION);
  await window.press("Enter");
  await window.until("123 + 456 = 579");
  await window.until("ready");
  await window.type("/mo");
  await window.until("→ model");
  writeFileSync(OUTPUT, picture(await window.styled()));
  console.log(`written: ${OUTPUT}`);
} finally {
  rmSync(home, { recursive: true, force: true });
}
