/** What the parts of code are, line by line: what a line means depends on the lines before it, never on those behind it. */
import { LineStream } from "./line-stream.ts";
import {
  c,
  cpp,
  csharp,
  css,
  dart,
  diff,
  dockerFile,
  go,
  haskell,
  html,
  java,
  javascript,
  json,
  kotlin,
  lua,
  perl,
  powerShell,
  properties,
  python,
  r,
  ruby,
  rust,
  scala,
  shell,
  standardSQL,
  swift,
  toml,
  typescript,
  xml,
  yaml,
} from "./modes-library.ts";

export type CodeKind = "keyword" | "string" | "number" | "comment" | "type" | "problem";

/** A piece of a line; null: it is nothing in particular. */
export type CodeSpan = { readonly text: string; readonly kind: CodeKind | null };

export type CodeReader = {
  /** Reads the next lines of a block of code. */
  read(lines: readonly string[]): (readonly CodeSpan[])[];
  /** Reads lines that may still change. */
  peek(lines: readonly string[]): (readonly CodeSpan[])[];
};

/** A stream parser, as far as it is used here. */
type Mode = {
  startState?(indentUnit: number): unknown;
  copyState?(state: unknown): unknown;
  token(stream: LineStream, state: unknown): string | null;
  blankLine?(state: unknown, indentUnit: number): void;
};

const MODES: ReadonlyMap<string, Mode> = new Map(
  Object.entries({
    c,
    cpp,
    csharp,
    css,
    dart,
    diff,
    dockerFile,
    go,
    haskell,
    html,
    java,
    javascript,
    json,
    kotlin,
    lua,
    perl,
    powerShell,
    properties,
    python,
    r,
    ruby,
    rust,
    scala,
    shell,
    standardSQL,
    swift,
    toml,
    typescript,
    xml,
    yaml,
  } as Record<string, Mode>),
);
/** A longer line is no code that is read by a person. */
const LONGEST_LINE = 2_000;

/** Name behind a fence → the name of its mode. */
const NAMES: Readonly<Record<string, string>> = {
  bash: "shell",
  "c++": "cpp",
  "c#": "csharp",
  cc: "cpp",
  cjs: "javascript",
  console: "shell",
  cs: "csharp",
  dockerfile: "dockerFile",
  golang: "go",
  h: "c",
  hpp: "cpp",
  hs: "haskell",
  ini: "properties",
  js: "javascript",
  jsonc: "json",
  jsonl: "json",
  jsx: "javascript",
  kt: "kotlin",
  mjs: "javascript",
  patch: "diff",
  pl: "perl",
  powershell: "powerShell",
  ps1: "powerShell",
  py: "python",
  python3: "python",
  rb: "ruby",
  rs: "rust",
  sh: "shell",
  sql: "standardSQL",
  svg: "xml",
  ts: "typescript",
  tsx: "typescript",
  yml: "yaml",
  zsh: "shell",
};

/**
 * @param language as it stands behind the fence of a block of code
 * @returns null for a language that is not known
 */
export function codeReader(language: string): CodeReader | null {
  const mode = modeOf(language);
  if (mode === null) return null;
  const state = mode.startState?.(2) ?? {};
  const spans = (lines: readonly string[], from: unknown): (readonly CodeSpan[])[] =>
    lines.map((line) => lineSpans(mode, line, from));
  return {
    read: (lines) => spans(lines, state),
    peek: (lines) => spans(lines, copied(mode, state)),
  };
}

function modeOf(language: string): Mode | null {
  const name = language.toLowerCase();
  const known = (Object.hasOwn(NAMES, name) ? NAMES[name] : undefined) ?? name;
  return MODES.get(known) ?? null;
}

function lineSpans(mode: Mode, line: string, state: unknown): readonly CodeSpan[] {
  if (line.length > LONGEST_LINE) return [{ text: line, kind: null }];
  if (line === "") {
    mode.blankLine?.(state, 2);
    return [];
  }
  const stream = new LineStream(line);
  const spans: CodeSpan[] = [];
  while (!stream.eol()) {
    stream.start = stream.pos;
    const style = tokenStyle(mode, stream, state);
    spans.push({ text: stream.current(), kind: kindOf(style) });
  }
  return spans;
}

/** How often a parser may look at a place without moving on, as CodeMirror allows it. */
const LOOKS = 10;

/** Moves the stream behind the next token; a parser that does not move is helped on. */
function tokenStyle(mode: Mode, stream: LineStream, state: unknown): string | null {
  for (let look = 0; look < LOOKS; look++) {
    const style = mode.token(stream, state);
    if (stream.pos > stream.start) return style;
  }
  stream.next();
  return null;
}

function kindOf(style: string | null): CodeKind | null {
  const [name = ""] = (style ?? "").split(/[\s.]/);
  switch (name) {
    case "keyword":
    case "operatorKeyword":
    case "controlKeyword":
    case "definitionKeyword":
    case "moduleKeyword":
    case "modifier":
    case "tag":
    case "tagName":
      return "keyword";
    case "string":
    case "string2":
    case "inserted":
      return "string";
    case "number":
    case "atom":
    case "bool":
    case "null":
    case "literal":
      return "number";
    case "comment":
    case "meta":
      return "comment";
    case "type":
    case "typeName":
    case "def":
    case "variable-3":
    case "attribute":
    case "attributeName":
    case "heading":
      return "type";
    case "deleted":
    case "error":
      return "problem";
    default:
      return null;
  }
}

/** A state as CodeMirror copies it: lists one level deep. */
function copied(mode: Mode, state: unknown): unknown {
  if (mode.copyState !== undefined) return mode.copyState(state);
  if (typeof state !== "object" || state === null) return state;
  return Object.fromEntries(
    Object.entries(state).map(([key, value]) => [key, Array.isArray(value) ? [...value] : value]),
  );
}
