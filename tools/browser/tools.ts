/** The three tools of the `browser` namespace over one browsing session. */
import type { JsonSchema } from "../../harmony/index.ts";
import type { Tool, ToolContext, ToolOutput } from "../core/tool.ts";
import type { BrowserBackend } from "./backend.ts";
import { type CitedText, normaliseCitations } from "./citations.ts";
import { BrowsingError } from "./errors.ts";
import { type FolderSummary, openDocumentFolder } from "./documents/folder-backend.ts";
import { BrowsingSession, type ShownPage, type ViewLimits } from "./session.ts";

export type BrowserToolsOptions =
  | { /** Folder of documents. */ readonly docs: string }
  | { readonly backend: BrowserBackend };

export type BrowserTools = {
  /** `browser.search`, `browser.open`, `browser.find`; closing any of them closes the backend. */
  readonly tools: readonly Tool[];
  /** What is in the folder; absent for another backend. */
  readonly summary?: FolderSummary;
  /** The model's citations in an answer of this conversation, made readable. */
  readonly normaliseCitations: (text: string) => CitedText;
  close(): Promise<void>;
};

const TIMEOUT_MS = 60_000;
const DEFAULT_RESULTS = 10;
const MAX_RESULTS = 20;
const MAX_QUERY_CHARACTERS = 500;

/**
 * Types of the builtin section, and wider: a number may come as a string or as null, and keys that
 * nobody declared are ignored. What the model means is clear, and a refusal would cost it a turn.
 */
const NUMBER = { type: ["number", "string", "null"] };
const IGNORED = {};

const SEARCH_SCHEMA: JsonSchema = {
  type: "object",
  properties: { query: { type: "string" }, topn: NUMBER, top_n: NUMBER, source: IGNORED },
  required: ["query"],
};

const OPEN_SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    id: NUMBER,
    cursor: NUMBER,
    loc: NUMBER,
    num_lines: NUMBER,
    view_source: IGNORED,
    source: IGNORED,
  },
};

const FIND_SCHEMA: JsonSchema = {
  type: "object",
  properties: { pattern: { type: "string" }, cursor: NUMBER },
  required: ["pattern"],
};

type Arguments = { readonly [name: string]: unknown };

/**
 * Builds the tools for one conversation; with `docs`, reads and indexes that folder first.
 *
 * @throws DocumentFolderError when the folder is missing, is none, or holds no document
 */
export async function createBrowserTools(options: BrowserToolsOptions): Promise<BrowserTools> {
  const folder = "docs" in options ? await openDocumentFolder(options.docs) : null;
  const backend = "backend" in options ? options.backend : folder;
  if (backend === null || backend === undefined) throw new TypeError("docs or backend is needed");
  const session = new BrowsingSession(backend);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= backend.close());
  const tool = (
    name: string,
    description: string,
    inputSchema: JsonSchema,
    call: (input: Arguments, limits: ViewLimits) => ShownPage | Promise<ShownPage>,
  ): Tool => ({
    recipient: `browser.${name}`,
    description,
    inputSchema,
    timeoutMs: TIMEOUT_MS,
    annotations: { readOnlyHint: true, openWorldHint: folder === null },
    execute: (input, context) => resultOf(input, context, call),
    close,
  });
  return {
    tools: [
      tool("search", "Searches the documents.", SEARCH_SCHEMA, (input, limits) =>
        session.search(
          String(input["query"]).slice(0, MAX_QUERY_CHARACTERS).toWellFormed(),
          resultCount(input),
          limits,
        ),
      ),
      tool(
        "open",
        "Opens a link, a document, or another part of a page.",
        OPEN_SCHEMA,
        (input, limits) =>
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
      tool("find", "Finds a phrase on a page.", FIND_SCHEMA, (input, limits) =>
        session.find(
          String(input["pattern"]).slice(0, MAX_QUERY_CHARACTERS).toWellFormed(),
          integer(input, "cursor"),
          limits,
        ),
      ),
    ],
    ...(folder && { summary: folder.summary }),
    normaliseCitations: (text) => normaliseCitations(text, (cursor) => session.pageAt(cursor)),
    close,
  };
}

async function resultOf(
  input: unknown,
  context: ToolContext,
  call: (input: Arguments, limits: ViewLimits) => ShownPage | Promise<ShownPage>,
): Promise<ToolOutput> {
  try {
    const shown = await call(isArguments(input) ? input : {}, {
      tokenLimit: context.resultTokenLimit,
      countTokens: context.countTokens,
      signal: context.signal,
    });
    const { cursor, page, firstLine, lastLine, text } = shown;
    const data = { cursor, url: page.url, title: page.title, firstLine, lastLine };
    return { text, data: { ...data, lineCount: page.lines.length } };
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

/** A link id, also as a numeric string; another string is a URL; nothing or -1 means the page itself. */
function linkTarget(id: unknown): number | string | null {
  if (typeof id === "string" && !/^\s*-?\d+\s*$/.test(id)) {
    const url = id.trim().replace(/^view-source:/, "");
    return url === "" ? null : url;
  }
  const number = integer({ id }, "id");
  return number === -1 ? null : number;
}

/** -1 stands for "not given". @throws BrowsingError in the words of the reference */
function integer(input: Arguments, name: string): number {
  const value = input[name] ?? -1;
  const number = typeof value === "string" && /^\s*-?\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number)) {
    throw new BrowsingError(`\`${name}\` should be an integer, not \`${JSON.stringify(value)}\``);
  }
  return number;
}
