/**
 * The window of a page that one call shows: a heading with the cursor, then numbered lines, as many as
 * fit a number of tokens.
 */
import { BrowsingError } from "./errors.ts";
import type { Page } from "./page.ts";

/** Most tokens of one view in the reference, whatever the context. */
export const VIEW_TOKENS = 1024;
/** Characters of a URL that the heading shows. */
const SHOWN_URL_CHARACTERS = 1024;

export type ViewRequest = {
  readonly cursor: number;
  /** First line to show. */
  readonly firstLine: number;
  /** Lines wanted; 0 or less: as many as fit. */
  readonly numLines: number;
  /** Tokens the whole view may take. */
  readonly tokenLimit: number;
  readonly countTokens: (text: string) => number;
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
  const wanted = request.numLines > 0 ? request.numLines : page.lines.length;
  const numbered = fittingLines(page, firstLine, wanted, budget, countTokens);
  const lastLine = firstLine + numbered.length - 1;
  return { text: heading(lastLine) + numbered.join("\n"), firstLine, lastLine };
}

/** Whether the whole page can be seen at once. */
export function fitsInOneView(
  page: Page,
  limits: Pick<ViewRequest, "tokenLimit" | "countTokens">,
): boolean {
  const view = viewPage(page, { ...limits, cursor: 0, firstLine: 0, numLines: 0 });
  return view.lastLine === page.lines.length - 1;
}

function fittingLines(
  page: Page,
  firstLine: number,
  wanted: number,
  budget: number,
  countTokens: (text: string) => number,
): readonly string[] {
  const lines: string[] = [];
  let tokens = 0;
  for (let at = firstLine; at < page.lines.length && lines.length < wanted; at++) {
    const line = `L${at}: ${page.lines[at]?.text ?? ""}`;
    tokens += countTokens(`${line}\n`);
    if (lines.length > 0 && tokens > budget) break;
    lines.push(line);
  }
  // Tokens of the parts are not exactly those of the whole; what counts is the whole.
  while (lines.length > 1 && countTokens(lines.join("\n")) > budget) lines.pop();
  return lines;
}

function shownUrl(url: string): string {
  if (url === "") return "";
  const shown = decoded(url);
  const short = shown.length > SHOWN_URL_CHARACTERS ? shown.slice(0, SHOWN_URL_CHARACTERS) : shown;
  return ` (${short.toWellFormed()})`;
}

function decoded(url: string): string {
  try {
    return decodeURI(url);
  } catch {
    return url;
  }
}
