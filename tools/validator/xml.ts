/** XML answers against an XML Schema (XSD 1.0), by libxml2 in WebAssembly. */
import {
  type ErrorDetail,
  ParseOption,
  XmlDocument,
  XmlLibError,
  XsdValidator,
} from "libxml2-wasm";
import { SchemaError } from "../core/errors.ts";
import { hasSeveralBlocks, unwrap } from "./extract.ts";
import type { ValidationIssue, ValidationResult } from "./validator.ts";
import { scanXml, type XmlScan } from "./xml-text.ts";

/**
 * Nothing outside of the text is ever read. Document types are refused before parsing, and the options
 * that would load or expand (DTDLOAD, NOENT, XINCLUDE, HUGE) must never be added.
 */
const PARSE_OPTIONS: ParseOption =
  ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_NO_SYS_CATALOG |
  ParseOption.XML_PARSE_BIG_LINES;

const MAX_UNITS = 4 * 1024 * 1024;
const MAX_SCHEMA_UNITS = 1024 * 1024;
/** libxml2's own limit, told in our words. */
const MAX_DEPTH = 256;
const MAX_ISSUES = 10;

export type XmlChecker = { readonly validate: (text: string) => ValidationResult };

/**
 * @param root  local name that the root element must have
 * @throws SchemaError in one sentence when the XSD cannot be used
 */
export function compileXsd(xsd: string, root?: string): XmlChecker {
  const validator = compile(xsd);
  return { validate: (text) => validate(validator, text, root) };
}

function compile(xsd: string): XsdValidator {
  if (xsd.length > MAX_SCHEMA_UNITS) {
    throw new SchemaError(`The XSD has more than ${MAX_SCHEMA_UNITS} characters.`);
  }
  const text = xsd.replace(/^\uFEFF/, "").trim();
  if (scanXml(text).doctype) throw new SchemaError("The XSD has a DOCTYPE, which is not accepted.");
  try {
    using document = XmlDocument.fromString(text, { option: PARSE_OPTIONS });
    return XsdValidator.fromDoc(document);
  } catch (cause) {
    // The last error says what failed; those before it say what that led to, or come from loading.
    const detail = detailsOf(cause).find(({ line }) => line > 0);
    const reason = (detail?.message ?? messageOf(cause)).trim();
    const where = detail ? `line ${detail.line}: ` : "";
    throw new SchemaError(`The XSD cannot be used: ${where}${reason}`, { cause });
  }
}

function validate(
  validator: XsdValidator,
  text: string,
  root: string | undefined,
): ValidationResult {
  if (text.length > MAX_UNITS)
    return retry([{ message: `the text is longer than ${MAX_UNITS} characters` }]);
  if (text.trim() === "")
    return retry([{ message: "the text is empty; an XML document must be written" }]);
  const language = { name: "XML", findInProse };
  let last = retry([{ message: "there is no XML in the text" }]);
  for (const { text: candidate, warnings } of unwrap(text, language)) {
    // Allowed before XML, but not a part of the document that anybody asked for.
    if (candidate.startsWith("\uFEFF")) continue;
    const scan = scanXml(candidate);
    const refusal = refuse(candidate, scan);
    if (refusal !== undefined) return retry([refusal]);
    const outcome = check(validator, candidate, root);
    if (outcome.wellFormed) {
      if (outcome.issues.length > 0) return retry(outcome.issues);
      const action = warnings.length > 0 ? "accept-after-extraction" : "accept";
      return {
        action,
        text: candidate.trim(),
        warnings: [...warnings, ...encodingWarning(candidate)],
        errors: [],
      };
    }
    const cutOff = scan.unfinished && isAtEnd(candidate, outcome.issues[0]);
    // What comes after the first is only what the sudden end leads to.
    last = cutOff ? retry(outcome.issues.slice(0, 1), "continue-or-retry") : retry(outcome.issues);
  }
  if (!text.includes("<")) {
    const begins = JSON.stringify(text.trim().slice(0, 40).toWellFormed());
    return retry([{ message: `the text is not XML; it begins with ${begins}` }]);
  }
  return hasSeveralBlocks(text)
    ? retry([{ message: "there is more than one code block; write exactly one XML document" }])
    : last;
}

/** The text is Unicode by now; a program that writes it as UTF-8 makes another declaration wrong. */
function encodingWarning(text: string): string[] {
  const declared =
    /^<\?xml[^>]*?encoding\s*=\s*["']([^"']*)/.exec(text.trimStart())?.[1] ?? "UTF-8";
  if (/^(?:utf-8|us-ascii)$/i.test(declared)) return [];
  return [`The XML declaration names the encoding ${declared}; the text has none of its own.`];
}

type Issue = ValidationIssue & { readonly column?: number };

function refuse(text: string, scan: XmlScan): Issue | undefined {
  if (scan.doctype) {
    const line = text.slice(0, text.search(/<!doctype/i)).split("\n").length;
    return { message: "a DOCTYPE is not allowed; remove it", line };
  }
  if (scan.depth > MAX_DEPTH) {
    return { message: `elements are nested ${scan.depth} deep; at most ${MAX_DEPTH} are accepted` };
  }
  if (!text.isWellFormed()) return { message: "the text contains an unpaired surrogate" };
  return undefined;
}

function check(
  validator: XsdValidator,
  text: string,
  root: string | undefined,
): { wellFormed: boolean; issues: Issue[] } {
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(text, { option: PARSE_OPTIONS });
  } catch (error) {
    return { wellFormed: false, issues: issuesOf(error) };
  }
  try {
    validator.validate(document);
    const found = document.root.name;
    if (root === undefined || found === root) return { wellFormed: true, issues: [] };
    const message = `the root element must be <${root}>, found <${found}>`;
    return { wellFormed: true, issues: [{ message, line: 1 }] };
  } catch (error) {
    return { wellFormed: true, issues: issuesOf(error) };
  } finally {
    document.dispose();
  }
}

/** An error at the very end is one that more text may heal. Columns may count characters or bytes. */
function isAtEnd(text: string, issue: Issue | undefined): boolean {
  // Half of a delimiter is an error where it begins.
  const whole = text.replace(/(?:<!?[-[CDAT]*|--?|\]\]?|\?)$/, "").trimEnd();
  const lines = whole.split("\n");
  const lastLine = lines.at(-1) ?? "";
  return (
    issue?.line !== undefined && issue.line >= lines.length && (issue.column ?? 0) > lastLine.length
  );
}

function issuesOf(error: unknown): Issue[] {
  const details = detailsOf(error).filter(({ level }) => level > WARNING_LEVEL);
  if (details.length === 0) return [{ message: messageOf(error) }];
  const issues = details.slice(0, MAX_ISSUES).map(({ message, line, col, xpath }) => ({
    message: inOurWords(message.trim()),
    ...(xpath !== undefined && { path: xpath }),
    ...(line > 0 && { line }),
    ...(col > 0 && { column: col }),
  }));
  const more = details.length - issues.length;
  return more > 0 ? [...issues, { message: `and ${more} more errors` }] : issues;
}

/** libxml2's xmlErrorLevel: 1 warning, 2 error, 3 fatal. */
const WARNING_LEVEL = 1;

function detailsOf(error: unknown): readonly ErrorDetail[] {
  return error instanceof XmlLibError ? (error.details ?? []) : [];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a model should do about the errors that it makes most; others are told as libxml2 tells them. */
const REWORDED: readonly (readonly [RegExp, string])[] = [
  [/^xmlParseEntityRef: no name/, "there is a raw &; write & as &amp;"],
  [/^EntityRef: expecting ';'/, "an & begins no entity; write & as &amp;"],
  [/^StartTag: invalid element name/, "there is a raw <; write < as &lt;"],
  [
    /^Entity '(\w+)' not defined/,
    "the entity &$1; does not exist in XML; write the character itself",
  ],
  [/^Attribute (\S+) redefined/, "the attribute $1 is given twice"],
  [
    /^Extra content at the end of the document/,
    "there is content after the root element; write exactly one root element",
  ],
  [
    /^Premature end of data in tag (\S+) line (\d+)/,
    "the text ends inside of <$1>, which was opened in line $2",
  ],
  [
    /^Opening and ending tag mismatch: (\S+) line (\d+) and (\S+)/,
    "</$3> closes <$1>, which was opened in line $2",
  ],
  [
    /^Namespace prefix (\S+) on (\S+) is not defined/,
    "the namespace prefix $1 of $2 is not declared",
  ],
  [/^Start tag expected, '<' not found/, "an element must begin here"],
];

function inOurWords(message: string): string {
  const character = /invalid Char value (\d+)/.exec(message)?.[1];
  if (character !== undefined) {
    const code = Number(character).toString(16).toUpperCase().padStart(4, "0");
    return `the character U+${code} is not allowed in XML`;
  }
  for (const [pattern, words] of REWORDED) {
    if (pattern.test(message)) return message.replace(pattern, words);
  }
  return message;
}

function retry(
  issues: readonly Issue[],
  action: "retry" | "continue-or-retry" = "retry",
): ValidationResult {
  const errors = issues.map(({ column: _, ...issue }) => issue);
  return { action, warnings: [], errors };
}

/** From the first thing that looks like a tag to the last; whether it is one document, the parser says. */
function findInProse(text: string): { start: number; end: number } | undefined {
  const start = text.search(/<(?:\?xml|!--|!doctype|[\p{L}_:])/iu);
  if (start < 0) return undefined;
  const unfinished = scanXml(text.slice(start)).unfinished;
  return { start, end: unfinished ? text.length : text.lastIndexOf(">") + 1 };
}
