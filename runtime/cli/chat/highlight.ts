/** Colours for code, line by line: what a line means depends on the lines before it, never on those behind it. */
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
} from "./code-modes-library.ts";
import { LineStream } from "./line-stream.ts";
import type { Paint, Theme } from "./theme.ts";

export type CodeLines = {
  /** Paints the next lines of a block of code. */
  paint(lines: readonly string[]): string[];
  /** Paints lines that may still change. */
  peek(lines: readonly string[]): string[];
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

/** @param language as it stands behind the fence; an unknown one is left in one colour */
export function highlighter(language: string, theme: Theme): CodeLines {
  const mode = modeOf(language);
  const plain = (lines: readonly string[]): string[] => lines.map((line) => theme.code(line));
  if (mode === null || !theme.isColored) return { paint: plain, peek: plain };
  const state = mode.startState?.(2) ?? {};
  const painted = (lines: readonly string[], from: unknown): string[] =>
    lines.map((line) => paintedLine(mode, line, from, theme));
  return {
    paint: (lines) => painted(lines, state),
    peek: (lines) => painted(lines, copied(mode, state)),
  };
}

function modeOf(language: string): Mode | null {
  const name = language.toLowerCase();
  const known = (Object.hasOwn(NAMES, name) ? NAMES[name] : undefined) ?? name;
  return MODES.get(known) ?? null;
}

function paintedLine(mode: Mode, line: string, state: unknown, theme: Theme): string {
  if (line.length > LONGEST_LINE) return theme.code(line);
  if (line === "") {
    mode.blankLine?.(state, 2);
    return "";
  }
  const stream = new LineStream(line);
  let painted = "";
  while (!stream.eol()) {
    stream.start = stream.pos;
    const style = tokenStyle(mode, stream, state);
    painted += paintOf(style, theme)(stream.current());
  }
  return painted;
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

function paintOf(style: string | null, theme: Theme): Paint {
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
      return theme.keyword;
    case "string":
    case "string2":
    case "inserted":
      return theme.string;
    case "number":
    case "atom":
    case "bool":
    case "null":
    case "literal":
      return theme.number;
    case "comment":
    case "meta":
      return theme.comment;
    case "type":
    case "typeName":
    case "def":
    case "variable-3":
    case "attribute":
    case "attributeName":
    case "heading":
      return theme.type;
    case "deleted":
    case "error":
      return theme.problem;
    default:
      return plain;
  }
}

const plain: Paint = (text) => text;

/** A state as CodeMirror copies it: lists one level deep. */
function copied(mode: Mode, state: unknown): unknown {
  if (mode.copyState !== undefined) return mode.copyState(state);
  if (typeof state !== "object" || state === null) return state;
  return Object.fromEntries(
    Object.entries(state).map(([key, value]) => [key, Array.isArray(value) ? [...value] : value]),
  );
}
