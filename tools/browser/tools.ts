/**
 * The three tools of the `browser` namespace. They keep nothing: which pages a conversation was shown is with its
 * thread (`ToolContext.threadState`), so that one set of tools serves any number of conversations.
 */
import type { JsonSchema } from "../../harmony/index.ts";
import type { Tool, ToolContext, ToolOutput } from "../core/tool.ts";
import type { BrowserBackend } from "./backend.ts";
import type { WebOptions } from "./backends/open-backend.ts";
import { BrowserSession, PageCache } from "./browser-session.ts";
import { Browsing, type Shown, type ViewLimits } from "./browsing.ts";
import {
  type FolderBackend,
  type FolderOptions,
  type FolderSummary,
  openDocumentFolder,
} from "./documents/folder-backend.ts";
import { BrowsingError } from "./errors.ts";
import { oneLine } from "./text/clean-text.ts";

export type BrowserToolsOptions =
  | {
      /** Folder of documents. */
      readonly docs?: string | undefined;
      /** Where its index is kept from one time to the next; without it, it goes with the process. */
      readonly indexFile?: string | undefined;
      /** Instead of `indexFile`: a folder for the indexes of all folders. */
      readonly indexFolder?: string | undefined;
      /** Called again and again while documents are read and indexed. */
      readonly onProgress?: FolderOptions["onProgress"];
      /** The web, searched and read; `{}` as it is. Default: it is not asked. */
      readonly web?: WebOptions | undefined;
    }
  | { readonly backend: BrowserBackend };

export type BrowserTools = AsyncDisposable & {
  /** `browser.search`, `browser.open`, `browser.find`; closing any of them closes the backend. */
  readonly tools: readonly Tool[];
  /** What is in the folder; absent for another backend. */
  readonly summary?: FolderSummary;
  /** Where pages come from; for a program that searches and opens without a model. */
  readonly backend: BrowserBackend;
  /** What calls were shown that have no thread behind them. */
  readonly session: BrowserSession;
  close(): Promise<void>;
};

const TIMEOUT_MS = 60_000;
const DEFAULT_RESULTS = 10;
const MAX_RESULTS = 20;
const MAX_QUERY_CHARACTERS = 500;

/**
 * Wider than the types of the builtin section: a number may come as a string or as null, and what is none
 * is refused in the words that the model knows. Undeclared keys are ignored with a note. What the
 * model means is clear, and a refusal would cost it a step.
 */
const ANY = {};

const SEARCH_SCHEMA: JsonSchema = {
  type: "object",
  properties: { query: { type: "string" }, topn: ANY, top_n: ANY, source: ANY },
  required: ["query"],
};

const OPEN_SCHEMA: JsonSchema = {
  type: "object",
  properties: { id: ANY, cursor: ANY, loc: ANY, num_lines: ANY, view_source: ANY, source: ANY },
};

const FIND_SCHEMA: JsonSchema = {
  type: "object",
  properties: { pattern: { type: "string" }, cursor: ANY },
  required: ["pattern"],
};

type Call = (browsing: Browsing, input: Arguments, limits: ViewLimits) => Shown | Promise<Shown>;

type Arguments = { readonly [name: string]: unknown };

/**
 * Builds the tools; with `docs`, reads and indexes that folder first. Calls without a thread behind them share one
 * session.
 *
 * @throws DocumentFolderError when the folder is missing, is none, or holds no document
 * @throws SearchConfigurationError for a search service that cannot be asked
 */
export async function createBrowserTools(options: BrowserToolsOptions): Promise<BrowserTools> {
  const { backend, folder } = await openBackend(options);
  const hasWeb = "web" in options && options.web !== undefined;
  const what = hasWeb
    ? folder === null
      ? "the web"
      : "the web and the documents"
    : "the documents";
  const cache = new PageCache();
  const ownSession = BrowserSession.of([], cache);
  const browsing = ({ threadState }: ToolContext): Browsing =>
    new Browsing(
      backend,
      threadState === undefined ? ownSession : BrowserSession.of(threadState, cache),
      cache,
    );
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= backend.close());
  const tool = (name: string, description: string, inputSchema: JsonSchema, call: Call): Tool => ({
    recipient: `browser.${name}`,
    description,
    inputSchema,
    timeoutMs: TIMEOUT_MS,
    annotations: { readOnlyHint: true, openWorldHint: backend !== folder },
    origin: "builtin",
    execute: (input, context) => resultOf(input, inputSchema, context, browsing(context), call),
    close,
  });
  return {
    tools: [
      tool("search", `Searches ${what}.`, SEARCH_SCHEMA, (session, input, limits) =>
        session.search(
          String(input["query"]).slice(0, MAX_QUERY_CHARACTERS).toWellFormed(),
          resultCount(input),
          limits,
        ),
      ),
      tool(
        "open",
        `Opens a link, ${hasWeb ? "a URL" : "a document"}, or another part of a page.`,
        OPEN_SCHEMA,
        (session, input, limits) =>
          session.open(
            {
              target: linkTarget(input["id"]),
              cursor: integer(input, "cursor"),
              line: integer(input, "loc"),
              numLines: integer(input, "num_lines"),
            },
            limits,
          ),
      ),
      tool("find", "Finds a phrase on a page.", FIND_SCHEMA, (session, input, limits) =>
        session.find(
          String(input["pattern"]).slice(0, MAX_QUERY_CHARACTERS).toWellFormed(),
          integer(input, "cursor"),
          limits,
        ),
      ),
    ],
    ...(folder && { summary: folder.summary }),
    backend,
    session: ownSession,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function openBackend(
  options: BrowserToolsOptions,
): Promise<{ readonly backend: BrowserBackend; readonly folder: FolderBackend | null }> {
  if ("backend" in options) return { backend: options.backend, folder: null };
  const { docs, web } = options;
  if (docs === undefined && web === undefined)
    throw new TypeError("docs, web or backend is needed");
  const folder = docs === undefined ? null : await openDocumentFolder(docs, options);
  if (web === undefined) return { backend: folder as FolderBackend, folder };
  try {
    // Loaded only where the web is wanted: it brings an HTTP client and parsers.
    const { openWebBackend } = await import("./backends/open-backend.ts");
    return { backend: openWebBackend(web, folder), folder };
  } catch (error) {
    await folder?.close();
    throw error;
  }
}

async function resultOf(
  input: unknown,
  schema: JsonSchema,
  context: ToolContext,
  browsing: Browsing,
  call: Call,
): Promise<ToolOutput> {
  try {
    const args = isArguments(input) ? input : {};
    const shown = await call(browsing, args, {
      tokenLimit: context.resultTokenLimit,
      countTokens: context.countTokens,
      signal: context.signal,
    });
    const { cursor, page, firstLine, lastLine, text, record } = shown;
    const { kind, url, title, sha256, hiddenCharacters } = page;
    return {
      text: text + ignoredNote(args, schema),
      data: {
        ...{ cursor, kind, url, title, sha256, firstLine, lastLine },
        lineCount: page.lines.length,
        ...(hiddenCharacters !== undefined && { hiddenCharacters }),
      },
      threadState: record,
    };
  } catch (error) {
    if (error instanceof BrowsingError) return { text: error.message, isError: true };
    throw error;
  }
}

function isArguments(input: unknown): input is Arguments {
  return typeof input === "object" && input !== null;
}

function resultCount(input: Arguments): number {
  const wanted = integer(input, "topn" in input ? "topn" : "top_n");
  return wanted > 0 ? Math.min(wanted, MAX_RESULTS) : DEFAULT_RESULTS;
}

/** Says which keys had no meaning, so that the model does not rely on them. */
function ignoredNote(args: Arguments, schema: JsonSchema): string {
  const known = typeof schema === "object" ? Object.keys(schema["properties"] ?? {}) : [];
  const unknown = Object.keys(args).filter((key) => !known.includes(key));
  if (unknown.length === 0) return "";
  const named = unknown.slice(0, MAX_NAMED_KEYS).map((key) => `\`${oneLine(key).slice(0, 40)}\``);
  return `\n\n[Ignored, since there is no such parameter: ${named.join(", ")}.]`;
}

const MAX_NAMED_KEYS = 5;

/** A link id, also as a numeric string; another string is a URL; nothing or -1 means the page itself. */
function linkTarget(id: unknown): number | string | null {
  if (id === undefined || id === null || id === "") return null;
  if (typeof id === "string" && !NUMERIC.test(id))
    return id.trim().replace(/^view-source:/, "") || null;
  const number = Number(id);
  if (typeof id === "boolean" || typeof id === "object" || !Number.isSafeInteger(number)) {
    throw new BrowsingError(`Invalid link id \`${oneLine(JSON.stringify(id)).slice(0, 80)}\`.`);
  }
  return number === -1 ? null : number;
}

const NUMERIC = /^\s*-?\d+\s*$/;

/** -1 stands for "not given". @throws BrowsingError in the words of the reference */
function integer(input: Arguments, name: string): number {
  const value = input[name] ?? -1;
  const number = typeof value === "string" && NUMERIC.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number)) return number;
  throw new BrowsingError(`\`${name}\` should be an integer, not \`${typeName(value)}\``);
}

/** The reference is written in Python, and says which of its types it got. */
function typeName(value: unknown): string {
  if (Array.isArray(value)) return "list";
  const names: { [type: string]: string } = { number: "float", string: "str", boolean: "bool" };
  return names[typeof value] ?? "dict";
}
