/** Lines of a page. */

export type Line = {
  readonly text: string;
  /** Offset of the line in the text of the page, in UTF-16 units. */
  readonly start: number;
};

/** Columns of a line, in code points. The model was trained on this width. */
export const LINE_WIDTH = 80;

/**
 * Wraps at word ends, at most `width` code points a line; words longer than a line are broken where
 * the line ends. Blank space is kept where it is, so nothing of the text is lost.
 */
export function wrapText(text: string, width: number): readonly Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const paragraph of text.split("\n")) {
    // As many units as columns, or fewer code points than that.
    if (paragraph.length <= width) lines.push({ text: paragraph, start });
    else wrapParagraph(paragraph, start, width, lines);
    start += paragraph.length + 1;
  }
  return lines;
}

/** A run of blanks, or a word up to and with a hyphen inside it. The bound keeps the matcher's stack small. */
const CHUNK = /\s{1,256}|(?:[^\s-]|-(?!\p{L})){1,256}-?|-/gu;

function wrapParagraph(paragraph: string, offset: number, width: number, lines: Line[]): void {
  let lineStart = 0;
  let lineWidth = 0;
  let at = 0;
  const endLine = (): void => {
    lines.push({ text: paragraph.slice(lineStart, at), start: offset + lineStart });
    lineStart = at;
    lineWidth = 0;
  };
  for (const [chunk] of paragraph.matchAll(CHUNK)) {
    const chunkWidth = countCodePoints(chunk);
    if (chunkWidth <= width) {
      if (lineWidth > 0 && lineWidth + chunkWidth > width) endLine();
      at += chunk.length;
      lineWidth += chunkWidth;
      continue;
    }
    for (const character of chunk) {
      if (lineWidth === width) endLine();
      at += character.length;
      lineWidth++;
    }
  }
  if (lineWidth > 0) endLine();
}

function countCodePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // The second half of a pair.
    if (unit >= 0xdc00 && unit < 0xe000 && at > 0 && isHighSurrogate(text.charCodeAt(at - 1)))
      count--;
  }
  return count;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
