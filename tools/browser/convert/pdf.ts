/**
 * PDF by pdf.js, as the package unpdf brings it for programs without a screen (2 MB instead of 41). It is
 * loaded when the first PDF is opened. Without the tables of pdf.js for character sets that are not
 * embedded, some East Asian documents have no text here; that is said.
 */
import { type PageContent, urlHeading } from "../page.ts";
import { chooseTitle, cleanText } from "../text/clean-text.ts";

/** Pages that are read; a book has fewer. */
const MAX_PAGES = 2000;
/** A gap between two pieces of a line that is wider than this share of the letter height parts words. */
const WORD_GAP = 0.2;
/** A gap that parts columns of a table. */
const COLUMN_GAP = 1.5;

type TextPiece = {
  readonly str: string;
  readonly hasEOL: boolean;
  readonly width: number;
  readonly height: number;
  /** Matrix of the piece: its place is in the last two. */
  readonly transform: readonly number[];
};

/**
 * @throws an error whose message says why there is no text
 */
export async function pdfToPage(
  bytes: Uint8Array,
  url: string,
  fallbackTitle: string,
): Promise<PageContent> {
  const { getDocumentProxy } = await import("unpdf");
  // pdf.js takes the memory of what it is given.
  const document = await getDocumentProxy(new Uint8Array(bytes), {
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    stopAtErrors: false,
    verbosity: 0,
  });
  try {
    const info: unknown = (await document.getMetadata().catch(() => null))?.info;
    const pages = Math.min(document.numPages, MAX_PAGES);
    const parts: string[] = [];
    const anchors: { [name: string]: number } = {};
    let length = urlHeading(url).length;
    for (let number = 1; number <= pages; number++) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      page.cleanup();
      const text =
        `[Page ${number}]\n${cleanText(joinPieces(items.flatMap((item) => (isPiece(item) ? [item] : []))))}`.trimEnd();
      anchors[`page=${number}`] = length;
      length += text.length + 2;
      parts.push(text);
    }
    const text = parts.join("\n\n");
    if (!/[^\s\d[\]]/.test(text.replaceAll("[Page ", ""))) {
      throw new Error(
        "its pages hold no text: they are pictures, or their letters are not encoded as text",
      );
    }
    return {
      url,
      title: chooseTitle([titleOf(info), parts[0]?.split("\n")[1], fallbackTitle]),
      text: urlHeading(url) + text,
      links: [],
      anchors,
      ...(document.numPages > pages && {
        warnings: [`only its first ${pages} of ${document.numPages} pages are read`],
      }),
    };
  } finally {
    await document.destroy();
  }
}

function titleOf(info: unknown): string | undefined {
  if (typeof info !== "object" || info === null || !("Title" in info)) return undefined;
  const { Title: title } = info;
  // Word processors leave the name of their file.
  return typeof title === "string" && !/\.(?:docx?|tex|dvi|indd|qxd)$/i.test(title)
    ? title
    : undefined;
}

function isPiece(item: object): item is TextPiece {
  return "str" in item && "transform" in item;
}

/** Pieces of text at their places into lines and paragraphs. */
function joinPieces(pieces: readonly TextPiece[]): string {
  const parts: string[] = [];
  let last: TextPiece | undefined;
  for (const piece of pieces) {
    // Blanks are told by the places of the words beside them.
    if (piece.str.trim() === "") continue;
    if (last !== undefined) parts.push(between(last, piece));
    parts.push(piece.str);
    last = piece;
  }
  return parts
    .join("")
    .replace(/[ \t]+\n/g, "\n")
    .replace(/(\p{Ll})[-\u00ad]\n(?=\p{Ll})/gu, "$1")
    .replace(/\n{3,}/g, "\n\n");
}

function between(last: TextPiece, next: TextPiece): string {
  const height = last.height || next.height || 10;
  const drop = (last.transform[5] ?? 0) - (next.transform[5] ?? 0);
  if (Math.abs(drop) > height * 0.5)
    return Math.abs(drop) > height * 1.8 || drop < 0 ? "\n\n" : "\n";
  const gap = (next.transform[4] ?? 0) - (last.transform[4] ?? 0) - last.width;
  if (gap > height * COLUMN_GAP && last.str.trim() !== "" && next.str.trim() !== "") return " | ";
  return gap > height * WORD_GAP && !/\s$/.test(last.str) && !/^\s/.test(next.str) ? " " : "";
}
