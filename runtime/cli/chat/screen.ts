/**
 * The screen of a chat. What is finished is printed once and then belongs to the terminal, which scrolls it and
 * keeps it; only the lines below it (what is being written, the editor, the status line) are drawn again when they
 * change. So a key costs the same behind an answer of ten thousand lines as behind none.
 */
import { type Component, CURSOR_MARKER, TuiMainScreen, visibleWidth } from "./terminal-library.ts";

/** One picture instead of its parts, where the terminal can; lines that are cut instead of wrapped. */
const BEGIN_FRAME = "\x1b[?2026h\x1b[?7l";
const END_FRAME = "\x1b[?7h\x1b[?2026l";
/** Marks of the library at the place of the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: marks are escape sequences
const MARKS = /\x1b_pi:[^\x07]*\x07/g;
/** Everything that a terminal obeys, but for colours and attributes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about
const OBEYED = /\x1b(?!\[[\d;:]*m)|[\u0000-\u001a\u001c-\u001f\u007f-\u009f]/g;
/** Finished blocks that are kept, to be drawn again when the window changes. */
const KEPT_BLOCKS = 400;

type Cursor = { readonly row: number; readonly column: number };

export class ChatScreen extends TuiMainScreen {
  /** Finished blocks, oldest first; the last `#waiting` of them are not printed yet. */
  readonly #blocks: Component[] = [];
  #waiting = 0;
  /** Lines that were printed above the changing ones; more than the window has count as much as those. */
  #printed = 0;
  /** The changing lines as they are on the screen now, and the cursor among them. */
  #shown: readonly string[] = [];
  #cursor: Cursor = { row: 0, column: 0 };
  #width = 0;
  #height = 0;
  #mustRepaint = false;

  /** Prints a block above the changing lines, for good. */
  commit(block: Component): void {
    this.#blocks.push(block);
    this.#waiting++;
    this.requestRender();
  }

  /** Draws the whole window again, with the finished blocks as they are rendered now. */
  repaint(): void {
    this.#mustRepaint = true;
    this.requestRender();
  }

  protected override resetRenderState(): void {
    this.#mustRepaint = true;
  }

  protected override doRender(): void {
    if (this.stopped) return;
    const width = Math.max(1, this.terminal.columns);
    const height = Math.max(1, this.terminal.rows);
    const { lines, cursor } = this.#changingLines(width, height);
    const isResized = this.#width !== 0 && (width !== this.#width || height !== this.#height);
    const output =
      isResized || this.#mustRepaint
        ? this.#wholeWindow(lines, width, height)
        : this.#waiting > 0
          ? this.#withNewBlocks(lines, width)
          : this.#changes(lines);
    const from = output === null ? this.#cursor : { row: lines.length - 1, column: -1 };
    const target = cursor ?? { row: lines.length - 1, column: 0 };
    this.#mustRepaint = false;
    this.#width = width;
    this.#height = height;
    this.#shown = lines;
    this.#cursor = target;
    if (output === null && from.row === target.row && from.column === target.column) return;
    const place = `${vertical(target.row - from.row)}\x1b[${target.column + 1}G`;
    const visibility = `\x1b[?25${cursor === null ? "l" : "h"}`;
    this.terminal.write(BEGIN_FRAME + (output ?? "") + place + visibility + END_FRAME);
  }

  /** Leaves the cursor below everything. */
  protected override beforeTerminalStop(): void {
    this.terminal.write(`${vertical(this.#shown.length - 1 - this.#cursor.row)}\r\n`);
    this.#shown = [];
    this.#cursor = { row: 0, column: 0 };
  }

  #changingLines(width: number, height: number): { lines: string[]; cursor: Cursor | null } {
    const rendered = this.render(width).slice(-height);
    let cursor: Cursor | null = null;
    const lines = rendered.map((line, row) => {
      const at = line.lastIndexOf(CURSOR_MARKER);
      if (at !== -1) cursor = { row, column: visibleWidth(line.slice(0, at).replace(MARKS, "")) };
      return safeLine(line);
    });
    if (lines.length === 0) lines.push("");
    return { lines, cursor };
  }

  /** New blocks, and the changing lines below them. */
  #withNewBlocks(lines: readonly string[], width: number): string {
    const fresh = this.#blocks.slice(-this.#waiting).flatMap((block) => block.render(width));
    this.#waiting = 0;
    this.#printed += fresh.length;
    if (this.#blocks.length > 2 * KEPT_BLOCKS) {
      this.#blocks.splice(0, this.#blocks.length - KEPT_BLOCKS);
    }
    const all = [...fresh.map(safeLine), ...lines];
    return this.#toRow(0) + drawn(all) + cleared(this.#shown.length - all.length);
  }

  /** Only the lines that differ from what is shown; null where none does. */
  #changes(lines: readonly string[]): string | null {
    const shown = this.#shown;
    if (shown.length === 0) return drawn(lines);
    let first = 0;
    while (first < lines.length && first < shown.length && lines[first] === shown[first]) first++;
    if (first === lines.length && first === shown.length) return null;
    // New lines scroll in below the last one that exists, and that one is drawn with them.
    const from = Math.min(first, shown.length - 1, lines.length - 1);
    return this.#toRow(from) + drawn(lines.slice(from)) + cleared(shown.length - lines.length);
  }

  /** What a resize has left is unknown in detail: everything that is visible is drawn again, in its place. */
  #wholeWindow(lines: readonly string[], width: number, height: number): string {
    const isFull = this.#printed + this.#shown.length >= this.#height;
    const start = isFull ? "\x1b[H" : `${vertical(-this.#rowsAbove(width))}\r`;
    const above = this.#lastLines(width, height - lines.length);
    this.#waiting = 0;
    this.#printed = isFull ? Math.max(above.length, height) : above.length;
    const [first = "", ...others] = [...above, ...lines];
    // Clearing from the first place of the window on would put all of it into the scrollback of some terminals.
    const rest = others.length === 0 ? "" : `\r\n\x1b[J${drawn(others)}`;
    return start + drawn([first]) + rest;
  }

  /** Rows from the top of what was printed to the cursor, after the terminal has wrapped lines anew. */
  #rowsAbove(width: number): number {
    const before = this.#shown.slice(0, this.#cursor.row);
    const rows = before.map((line) => Math.max(1, Math.ceil(visibleWidth(line) / width)));
    const inLine = Math.floor(this.#cursor.column / width);
    return rows.reduce((sum, count) => sum + count, this.#printed + inLine);
  }

  #lastLines(width: number, count: number): string[] {
    const parts: (readonly string[])[] = [];
    for (let at = this.#blocks.length - 1, found = 0; at >= 0 && found < count; at--) {
      const part = (this.#blocks[at] as Component).render(width);
      parts.unshift(part);
      found += part.length;
    }
    return count <= 0 ? [] : parts.flat().slice(-count).map(safeLine);
  }

  /** Moves the cursor to the beginning of a changing line. */
  #toRow(row: number): string {
    return `${vertical(row - this.#cursor.row)}\r`;
  }
}

/** A line of which a terminal obeys colours and attributes alone. */
function safeLine(line: string): string {
  return line.replace(MARKS, "").replace(OBEYED, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\ufffd";
  });
}

/** A line is cleared before it is written: behind its last column, clearing would take that column. */
function drawn(lines: readonly string[]): string {
  return lines.map((line) => `\x1b[K${line}\x1b[0m`).join("\r\n");
}

/** Clears lines below, and comes back. */
function cleared(rows: number): string {
  return rows <= 0 ? "" : "\r\n\x1b[K".repeat(rows) + vertical(-rows);
}

function vertical(rows: number): string {
  if (rows === 0) return "";
  return rows > 0 ? `\x1b[${rows}B` : `\x1b[${-rows}A`;
}
