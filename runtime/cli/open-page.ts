/** `chorale open`: a page as the model reads it, for a person or a script. */
import {
  AddressRefusedError,
  matchingLines,
  type PageContent,
  type ShownPage,
  shownPage,
  stripLinks,
} from "../../tools/index.ts";
import { openTools } from "../environment.ts";
import { messageOf } from "../errors.ts";
import { openHome } from "../home.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { FetchArguments } from "./flags.ts";
import { clientOptions } from "./web-configuration.ts";

export type OpenArguments = FetchArguments & {
  readonly address: string;
  readonly docs: string | undefined;
  readonly find: string | undefined;
  readonly numbers: boolean;
  readonly links: boolean;
  readonly json: boolean;
};

/** Shown of each place where a text stands: as many as `browser.find` shows. */
const LINES_OF_MATCH = 4;

/**
 * Status 1 where the page cannot be had, or does not have the text.
 * @throws DocumentFolderError, UsageError: nothing was asked
 */
export async function openCommand(
  args: OpenArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const note = (sentence: string): void => output.note(sentence);
  const home = openHome(env, note);
  try {
    await using opened = await openTools({
      env,
      home,
      // A URL needs no folder, which the configuration may name.
      documents: /^https?:/i.test(args.address) ? undefined : args.docs,
      // A person named the URL, so robots.txt does not matter. No search service is asked.
      web: { search: [], purpose: "named by the user", client: clientOptions(args) },
      onNote: note,
    });
    output.progress(`opening ${args.address}`);
    let content: PageContent | undefined;
    try {
      content = await opened.browser?.backend.open(args.address, signal);
    } catch (error) {
      signal.throwIfAborted();
      output.problem(`${args.address} cannot be opened: ${messageOf(error)}${hintFor(error)}`);
      return EXIT.failed;
    }
    if (content === undefined) return EXIT.failed;
    for (const warning of content.warnings ?? []) note(warning);
    const page = shownPage(content);
    const matches = args.find === undefined ? null : matchingLines(page, args.find);
    if (args.json) output.jsonLine(asJson(page, matches));
    else output.answer(matches === null ? whole(page, args) : found(page, matches));
    if (matches === null || matches.length > 0) return EXIT.ok;
    if (!args.json) output.problem(`${JSON.stringify(args.find)} does not stand on the page.`);
    return EXIT.failed;
  } finally {
    await home.close();
  }
}

/** The flag by which a person can allow what was refused. */
function hintFor(error: unknown): string {
  return error instanceof AddressRefusedError
    ? ` --allow-private-host ${error.host} allows that, with :PORT where it is not 80 or 443.`
    : "";
}

function asJson(page: ShownPage, matches: readonly number[] | null): object {
  const { url, title, sha256, lines, links, hiddenCharacters, warnings } = page;
  return {
    url,
    title,
    sha256,
    lines: lines.map(({ text }) => text),
    links: links.map((link, id) => ({ id, url: link.url })),
    ...(hiddenCharacters !== undefined && { hidden_characters: hiddenCharacters }),
    ...(warnings !== undefined && { warnings }),
    ...(matches !== null && {
      matches: matches.map((line) => ({ line, text: matched(page, line).join("\n") })),
    }),
  };
}

function whole(page: ShownPage, { numbers, links }: OpenArguments): string {
  // Without numbers, a paragraph is one line; the page begins with an empty line and its address.
  const text = numbers
    ? page.lines.map((line, at) => `L${at}: ${line.text}`).join("\n")
    : `${page.title}\n${links ? page.text.trimStart() : stripLinks(page.text).trimStart()}`;
  const list = page.links.map(({ url }, id) => `[${id}] ${url}`);
  return `${[text, ...(links && list.length > 0 ? ["", ...list] : [])].join("\n")}\n`;
}

function found(page: ShownPage, matches: readonly number[]): string {
  return matches
    .map(
      (line) =>
        `${matched(page, line)
          .map((text, at) => `L${line + at}: ${text}\n`)
          .join("")}`,
    )
    .join("\n");
}

function matched({ lines }: ShownPage, first: number): readonly string[] {
  return lines.slice(first, first + LINES_OF_MATCH).map(({ text }) => stripLinks(text));
}
