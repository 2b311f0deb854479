/** `chorale search`: what the model's search finds, for a person or a script. */
import { folderNotes, type SearchHit, stripLinks } from "../../tools/index.ts";
import { openTools } from "../environment.ts";
import { messageOf } from "../errors.ts";
import { openHome } from "../home.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { WebArguments } from "./flags.ts";
import { type PluginArguments, pluginConfigurations } from "./plugins.ts";
import { wrapWords } from "./terminal-text.ts";
import { webConfiguration } from "./web-configuration.ts";

export type SearchArguments = WebArguments &
  PluginArguments & {
    readonly query: readonly string[];
    readonly docs: string | undefined;
    readonly limit: number;
    readonly json: boolean;
  };

/**
 * Status 1 where nothing is found, or no service answers.
 * @throws SearchConfigurationError, DocumentFolderError, UsageError: nothing was asked
 */
export async function searchCommand(
  args: SearchArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const note = (sentence: string): void => output.note(sentence);
  const home = openHome(env, note);
  try {
    await using opened = await openTools({
      env,
      home,
      documents: args.docs,
      plugins: await pluginConfigurations(args),
      // The command itself asks for the web, unless a folder is named instead.
      web: webConfiguration({ ...args, web: args.web || args.docs === undefined }),
      onNote: note,
      onProgress: (text) => output.progress(text),
      onPluginLog: (text) => output.watchLines("log", text, "result"),
    });
    const { summary } = opened.browser ?? {};
    if (summary !== undefined) for (const line of folderNotes(summary)) note(line);
    const query = args.query.join(" ");
    output.progress(`searching for ${query}`);
    let hits: readonly SearchHit[];
    try {
      hits = (await opened.browser?.backend.search(query, args.limit, signal)) ?? [];
    } catch (error) {
      signal.throwIfAborted();
      output.problem(messageOf(error));
      return EXIT.failed;
    }
    if (args.json) output.jsonLine({ query, results: hits.map(asJson) });
    else if (hits.length === 0) output.problem(`Nothing was found for ${JSON.stringify(query)}.`);
    else output.answer(hits.map((hit, at) => shown(hit, at + 1, output.columns)).join("\n"));
    return hits.length === 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await home.close();
  }
}

function asJson({ url, title, summary, line }: SearchHit, at: number): object {
  return {
    rank: at + 1,
    url,
    title: plain(title),
    summary: plain(summary),
    ...(line !== undefined && { line }),
  };
}

function shown({ url, title, summary }: SearchHit, rank: number, columns: number): string {
  const first = `${rank}. `;
  const indent = " ".repeat(first.length);
  const [name, about] = [plain(title), plain(summary)];
  const lines = [
    ...(name === "" || name === url ? [] : [name]),
    url,
    ...(about === "" ? [] : [wrapWords(about, columns - indent.length, indent)]),
  ];
  return `${first}${lines.join(`\n${indent}`)}\n`;
}

function plain(text: string): string {
  return stripLinks(text).replace(/\s+/g, " ").trim();
}
