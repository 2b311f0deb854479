/**
 * Tables as text: one line a row, its cells in their columns with bars between. A table that only places
 * things on the screen is read as a sequence of blocks.
 */
import { isElement, type MarkupElement, type MarkupNode, textOf } from "./markup-tree.ts";

/** A cell, or null for a place that a cell of another row or column reaches into. */
export type TableRow = {
  readonly element: MarkupElement;
  readonly cells: readonly (MarkupElement | null)[];
};

export type Table = {
  readonly caption: MarkupElement | undefined;
  readonly rows: readonly TableRow[];
  /** Text that stands in the table and in none of its cells. */
  readonly stray: readonly MarkupNode[];
  /** Whether the table holds data, to be read by rows. */
  readonly isData: boolean;
};

const MAX_COLUMNS = 200;
const MAX_ROW_SPAN = 2000;
/** Empty places that cells reach into; behind so many, cells reach no further. */
const MAX_SPANNED = 20_000;
/** A cell with more text than this in several blocks is a column of a page. */
const MAX_CELL_CHARACTERS = 1500;

const SECTIONS = new Set(["thead", "tbody", "tfoot"]);

export function readTable(table: MarkupElement): Table {
  const rows: { element: MarkupElement; cells: MarkupElement[] }[] = [];
  const stray: MarkupNode[] = [];
  let caption: MarkupElement | undefined;
  for (const node of table.children) {
    if (!isElement(node)) {
      if (node.trim() !== "") stray.push(node);
    } else if (node.name === "caption") caption = node;
    else if (node.name === "tr" || node.name === "td" || node.name === "th") addRow(node, rows);
    else if (SECTIONS.has(node.name)) {
      for (const inner of node.children) {
        if (isElement(inner)) addRow(inner, rows);
        else if (inner.trim() !== "") stray.push(inner);
      }
    } else if (node.name !== "colgroup" && node.name !== "col") stray.push(node);
  }
  return { caption, rows: placed(rows), stray, isData: isDataTable(table, rows) };
}

/** Cells without a row form one. */
function addRow(
  node: MarkupElement,
  rows: { element: MarkupElement; cells: MarkupElement[] }[],
): void {
  if (node.name === "tr") {
    rows.push({ element: node, cells: node.children.filter(isElement) });
    return;
  }
  const last = rows.at(-1);
  if (last !== undefined && last.element.name !== "tr") last.cells.push(node);
  else rows.push({ element: node, cells: [node] });
}

/** Cells at their columns, with empty places where another cell reaches into. */
function placed(
  rows: readonly { readonly element: MarkupElement; readonly cells: readonly MarkupElement[] }[],
): readonly TableRow[] {
  /** For each column, how many further rows a cell above reaches into. */
  const reaching: number[] = [];
  let spanned = 0;
  return rows.map(({ element, cells }) => {
    const places: (MarkupElement | null)[] = [];
    const skipReached = (): void => {
      while (places.length < MAX_COLUMNS && (reaching[places.length] ?? 0) > 0) {
        reaching[places.length] = (reaching[places.length] ?? 0) - 1;
        places.push(null);
        spanned++;
      }
    };
    for (const cell of cells) {
      skipReached();
      const columns = span(cell, "colspan", MAX_COLUMNS);
      const rowSpan = spanned < MAX_SPANNED ? span(cell, "rowspan", MAX_ROW_SPAN) : 1;
      for (let column = 0; column < columns && places.length < MAX_COLUMNS; column++) {
        reaching[places.length] = rowSpan - 1;
        places.push(column === 0 ? cell : null);
      }
      // Cells beyond the bound lose their columns, not their text.
      if (places.length >= MAX_COLUMNS && !places.includes(cell)) places.push(cell);
    }
    skipReached();
    for (let column = places.length; column < reaching.length; column++) {
      if ((reaching[column] ?? 0) > 0) reaching[column] = (reaching[column] ?? 0) - 1;
    }
    while (places.at(-1) === null) places.pop();
    return { element, cells: places };
  });
}

function span(cell: MarkupElement, attribute: "colspan" | "rowspan", bound: number): number {
  const value = Number.parseInt(cell.attributes[attribute] ?? "1", 10);
  return Number.isSafeInteger(value) && value > 0 ? Math.min(value, bound) : 1;
}

function isDataTable(
  table: MarkupElement,
  rows: readonly { readonly cells: readonly MarkupElement[] }[],
): boolean {
  if (/^(?:presentation|none)$/.test(table.attributes["role"] ?? "")) return false;
  if (rows.every(({ cells }) => cells.length <= 1)) {
    return rows.every(({ cells }) => cells.every(isShort));
  }
  return rows.every(({ cells }) => cells.every(isDataCell));
}

/** The rows of a table of one column are lines, or they are the blocks of a page. */
function isShort(cell: MarkupElement): boolean {
  const hasHeading = cell.children.some((child) => isElement(child) && /^h[1-6]$/.test(child.name));
  return !hasHeading && cell.textLength <= MAX_LINE_CHARACTERS && isDataCell(cell);
}

const MAX_LINE_CHARACTERS = 120;

const BLOCKS = new Set(["p", "div", "ul", "ol", "dl", "section", "article", "blockquote", "form"]);

/** Whether a cell can be read on one line: no table, no program text of several lines, no long text in blocks. */
function isDataCell(cell: MarkupElement): boolean {
  let blocks = 0;
  let characters = 0;
  const nodes: MarkupNode[] = [cell];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (typeof node === "string") {
      characters += node.length;
      continue;
    }
    if (node.name === "table") return false;
    if (node.name === "pre" && /\S[^\n]*\n[^\n]*\S/.test(textOf(node).trim())) return false;
    if (BLOCKS.has(node.name)) blocks++;
    for (const child of node.children) nodes.push(child);
  }
  return blocks < 3 || characters <= MAX_CELL_CHARACTERS;
}

/** Rows and cells that are made of other elements (ARIA). */
export function readAriaRow(element: MarkupElement): readonly MarkupElement[] {
  return element.children.filter(
    (child): child is MarkupElement =>
      isElement(child) &&
      /^(?:cell|gridcell|columnheader|rowheader)$/.test(child.attributes["role"] ?? ""),
  );
}

/** A column of line numbers beside a program text. */
export function isLineNumbers(cell: MarkupElement): boolean {
  if (
    !/\b(?:line-?n(?:o|um|umber|umbers|os)s?|gutter|blob-num|lntd)\b/i.test(
      cell.attributes["class"] ?? "",
    )
  ) {
    return false;
  }
  return /^[\s\d]*$/.test(textOf(cell));
}
