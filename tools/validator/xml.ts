/** XML answers against an XML Schema (XSD 1.0), by libxml2 in WebAssembly. */
import {
  XmlBufferInputProvider,
  XmlDocument,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from "libxml2-wasm";
import { SchemaError } from "../core/errors.ts";
import { messageOf } from "../core/text.ts";
import { hasSeveralBlocks, unwrap } from "./extract.ts";
import type { ValidationIssue, ValidationResult } from "./validator.ts";
import {
  collectSchemaFiles,
  PARSE_OPTIONS,
  type SchemaFiles,
  type XmlSchemaSource,
} from "./xml-files.ts";
import { detailsOf, type GlobalElement, inOurWords, WARNING_LEVEL } from "./xml-messages.ts";
import { unescapeUrl } from "./xml-references.ts";
import { scanXml, type XmlScan } from "./xml-text.ts";

const MAX_UNITS = 4 * 1024 * 1024;
/** libxml2's own limit, told in our words. */
const MAX_DEPTH = 256;
const MAX_ISSUES = 10;

export type XmlChecker = {
  /** What of the schema is not enforced. */
  readonly warnings: readonly string[];
  readonly validate: (text: string) => ValidationResult;
};

type Compiled = {
  readonly validator: XsdValidator;
  readonly globals: readonly GlobalElement[];
};

/**
 * @param root  local name that the root element must have
 * @throws SchemaError in one sentence when the XSD cannot be used
 */
export function compileXsd(schema: XmlSchemaSource, root?: string): XmlChecker {
  const collected = collectSchemaFiles(schema);
  const compiled = { validator: compile(collected), globals: collected.globals };
  return {
    warnings: collected.warnings,
    validate: (text) => validate(compiled, text, root),
  };
}

function compile({ main, others, warnings }: SchemaFiles): XsdValidator {
  xmlRegisterInputProvider(new SchemaProvider(others));
  try {
    using document = XmlDocument.fromString(main.text, { option: PARSE_OPTIONS, url: main.url });
    return XsdValidator.fromDoc(document);
  } catch (cause) {
    // The last error says what failed; those before it say what that led to, or come from loading.
    const detail = detailsOf(cause).find(({ line, level }) => line > 0 && level > WARNING_LEVEL);
    const reason = (detail?.message ?? messageOf(cause)).replaceAll("schema:///", "").trim();
    const where = detail ? `line ${detail.line}: ` : "";
    throw new SchemaError([`The XSD cannot be used: ${where}${reason}`, ...warnings].join(" "), {
      cause,
    });
  } finally {
    xmlCleanupInputProvider();
  }
}

/** What libxml2 reads instead of files. It asks for URLs, in which blanks and umlauts are escaped. */
class SchemaProvider extends XmlBufferInputProvider {
  constructor(texts: ReadonlyMap<string, string>) {
    super(Object.fromEntries([...texts].map(([url, text]) => [url, Buffer.from(text)])));
  }

  override match(url: string): boolean {
    return super.match(unescapeUrl(url));
  }

  override open(url: string): number | undefined {
    return super.open(unescapeUrl(url));
  }
}

function validate(compiled: Compiled, text: string, root: string | undefined): ValidationResult {
  if (text.length > MAX_UNITS)
    return retry([{ message: `the text is longer than ${MAX_UNITS} characters` }]);
  if (text.trim() === "")
    return retry([{ message: "the text is empty; an XML document must be written" }]);
  const language = { name: "XML", findInProse };
  let last = retry([{ message: "there is no XML in the text" }]);
  for (const { text: candidate, warnings } of unwrap(text, language)) {
    // XML may begin with a byte order mark, but the document that was asked for does not.
    if (candidate.startsWith("\uFEFF")) continue;
    const scan = scanXml(candidate);
    const refusal = refuse(candidate, scan);
    if (refusal !== undefined) return retry([refusal]);
    const outcome = check(compiled, candidate, root);
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
  { validator, globals }: Compiled,
  text: string,
  root: string | undefined,
): { wellFormed: boolean; issues: Issue[] } {
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(text, { option: PARSE_OPTIONS });
  } catch (error) {
    return { wellFormed: false, issues: issuesOf(error, globals) };
  }
  try {
    validator.validate(document);
    const found = document.root.name;
    if (root === undefined || found === root) return { wellFormed: true, issues: [] };
    const message = `the root element must be <${root}>, found <${found}>`;
    return { wellFormed: true, issues: [{ message, line: 1 }] };
  } catch (error) {
    return { wellFormed: true, issues: issuesOf(error, globals) };
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

function issuesOf(error: unknown, globals: readonly GlobalElement[]): Issue[] {
  const details = detailsOf(error).filter(({ level }) => level > WARNING_LEVEL);
  if (details.length === 0) return [{ message: messageOf(error) }];
  const issues = details.slice(0, MAX_ISSUES).map(({ message, line, col, xpath }) => ({
    message: inOurWords(message.trim(), globals),
    ...(xpath !== undefined && { path: xpath }),
    ...(line > 0 && { line }),
    ...(col > 0 && { column: col }),
  }));
  const more = details.length - issues.length;
  return more > 0 ? [...issues, { message: `and ${more} more errors` }] : issues;
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
