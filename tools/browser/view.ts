/**
 * The window of a page that one call shows: a heading with the cursor, then numbered lines, as many as
 * fit a number of tokens.
 *
 * Source of the format and of the counting: the simple_browser tool of openai/gpt-oss.
 */
import { BrowsingError } from "./errors.ts";
import type { Page } from "./page.ts";
import { cleanAddress } from "./text/address.ts";

/** Tokens of the numbered lines of one view, where no number of lines is asked for. */
const VIEW_TOKENS = 1024;
/** A rest of so few characters is shown whole, without counting. */
const SHORT_REST_CHARACTERS = 1024;
/** Characters of a URL that the heading shows. */
const SHOWN_URL_CHARACTERS = 1024;

/** What a call may take of the model's context. */
export type ViewBudget = {
  /** Tokens that the whole result may take. */
  readonly tokenLimit: number;
  readonly countTokens: (text: string) => number;
};

export type ViewRequest = ViewBudget & {
  readonly cursor: number;
  /** First line to show. */
  readonly firstLine: number;
  /** Lines wanted; 0 or less: as many as fit into one view. */
  readonly numLines: number;
};

export type View = {
  readonly text: string;
  readonly firstLine: number;
  readonly lastLine: number;
};

/**
 * Shows lines from `firstLine` on: at least one, even if it alone is more than the limit, so that
 * scrolling always advances.
 *
 * @throws BrowsingError when `firstLine` is no line of the page
 */
export function viewPage(page: Page, request: ViewRequest): View {
  const { firstLine, cursor, countTokens } = request;
  const lastOfPage = page.lines.length - 1;
  if (firstLine > lastOfPage) {
    throw new BrowsingError(
      `Invalid location parameter: \`${firstLine}\`. Cannot exceed page maximum of \`${lastOfPage}\`.`,
    );
  }
  const heading = (lastLine: number): string =>
    `[${cursor}] ${page.title}${shownUrl(page.url)}\n` +
    `**viewing lines [${firstLine} - ${lastLine}] of ${lastOfPage}**\n\n`;
  const budget = request.tokenLimit - countTokens(heading(lastOfPage));
  const numbered = linesToShow(page, request, budget);
  const lastLine = firstLine + numbered.length - 1;
  return { text: heading(lastLine) + numbered.join("\n"), firstLine, lastLine };
}

/** Whether the whole page can be seen at once. */
export function fitsInOneView(page: Page, budget: ViewBudget): boolean {
  const view = viewPage(page, { ...budget, cursor: 0, firstLine: 0, numLines: 0 });
  return view.lastLine === page.lines.length - 1;
}

function linesToShow(page: Page, request: ViewRequest, budget: number): readonly string[] {
  const { firstLine, numLines, countTokens } = request;
  const wanted = numLines > 0 ? numLines : page.lines.length;
  // As in the reference, the line in which the view's tokens end is shown whole.
  const isAutomatic = numLines <= 0 && !isShortRest(page, firstLine);
  const lines: string[] = [];
  let tokens = 0;
  for (let at = firstLine; at < page.lines.length && lines.length < wanted; at++) {
    const line = `L${at}: ${page.lines[at]?.text ?? ""}`;
    const before = tokens;
    tokens += countTokens(`${line}\n`);
    if (lines.length > 0 && (tokens > budget || (isAutomatic && before > VIEW_TOKENS))) break;
    lines.push(line);
  }
  // Tokens of the parts are not exactly those of the whole; what counts is the whole.
  while (lines.length > 1 && countTokens(lines.join("\n")) > budget) lines.pop();
  return lines;
}

function isShortRest(page: Page, firstLine: number): boolean {
  // Line ends stand between the lines.
  let characters = -1;
  for (let at = firstLine; at < page.lines.length; at++) {
    characters += `L${at}: `.length + (page.lines[at]?.text.length ?? 0) + 1;
    if (characters > SHORT_REST_CHARACTERS) return false;
  }
  return true;
}

function shownUrl(url: string): string {
  if (url === "") return "";
  return ` (${cleanAddress(decoded(url)).slice(0, SHOWN_URL_CHARACTERS).toWellFormed()})`;
}

function decoded(url: string): string {
  try {
    return decodeURI(url);
  } catch {
    return url;
  }
}
