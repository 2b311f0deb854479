/** Writes what `chorale connect` has made, beside what a client's files hold already. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { messageOf, UsageError } from "../../errors.ts";
import { writeWhole } from "../write-file.ts";
import { isOurs, type MergedEntry, type SetupFile } from "./client-setup.ts";
import { applyEdits, modify, type ParseError, parse, printParseErrorCode } from "./jsonc-parser.ts";

export type PlannedFile = {
  readonly path: string;
  /** The whole text that the file will have. */
  readonly text: string;
  readonly state: "new" | "changed" | "same";
  /** What would be lost that is not Chorale's, in words; null: nothing. */
  readonly replaces: string | null;
};

/**
 * What the files would be.
 * @throws UsageError for a file that cannot be read as what it is
 */
export function planFiles(files: readonly SetupFile[]): readonly PlannedFile[] {
  return files.map((file) => {
    const old = existsSync(file.path) ? readText(file.path) : null;
    const { text, replaces } =
      "text" in file
        ? { text: file.text, replaces: old === null || isOurs(old) ? null : "the whole file" }
        : merged(file, old);
    const state = old === null ? "new" : old === text ? "same" : "changed";
    return { path: file.path, text, state, replaces: state === "same" ? null : replaces };
  });
}

/** @throws RunError with the code CHORALE_FILE_WRITE; UsageError for a folder that cannot be made */
export async function writeFiles(files: readonly PlannedFile[]): Promise<void> {
  for (const { path, text, state } of files) {
    if (state === "same") continue;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new UsageError(`The folder of ${path} cannot be made: ${messageOf(cause)}.`, { cause });
    }
    await writeWhole(path, text, "The file");
  }
}

/** The entry in its place; comments, order and indentation of the rest stay. */
function merged(
  { path, at, value, base = {}, isOwn, isSame }: MergedEntry,
  old: string | null,
): { readonly text: string; readonly replaces: string | null } {
  if (old === null || old.trim() === "") {
    return { text: `${JSON.stringify(entryIn(base, at, value), null, 2)}\n`, replaces: null };
  }
  const text = old.replace(/^\ufeff/, "");
  const errors: ParseError[] = [];
  const json: unknown = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    throw new UsageError(
      `${path} is no JSON (${printParseErrorCode(error.error)} at character ${error.offset}), so nothing is written into it.`,
    );
  }
  const found = entryAt(json, at, path);
  const isObject = typeof found === "object" && found !== null;
  if (isDeepStrictEqual(found, value) || (isObject && isSame?.(found))) {
    return { text: old, replaces: null };
  }
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
  const formattingOptions = {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 1 : indent.length,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
  return {
    text: applyEdits(text, modify(text, [...at], value, { formattingOptions })),
    replaces: found === undefined || isOwn ? null : `${at.join(".")}, which is there already`,
  };
}

/** undefined: there is none. @throws UsageError where something else than an object stands in the way */
function entryAt(json: unknown, at: readonly string[], path: string): unknown {
  let value = json;
  for (const [depth, key] of at.entries()) {
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const place = at.slice(0, depth).join(".") || "its top";
      throw new UsageError(`${path} has no object at ${place}, so nothing is written into it.`);
    }
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** The entry with the objects around it. */
export function entryIn(
  base: Readonly<Record<string, unknown>>,
  at: readonly string[],
  value: unknown,
): object {
  const [key = "", ...rest] = at;
  return { ...base, [key]: rest.length === 0 ? value : entryIn({}, rest, value) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}
