/** libxml2's errors in words that a model can act on. */
import { type ErrorDetail, XmlLibError } from "libxml2-wasm";
import { nearestNames } from "../core/nearest-names.ts";

/** An element that may be the root of a document. */
export type GlobalElement = { readonly namespace: string; readonly name: string };

/** libxml2's xmlErrorLevel: 1 warning, 2 error, 3 fatal. */
export const WARNING_LEVEL = 1;

export function detailsOf(error: unknown): readonly ErrorDetail[] {
  return error instanceof XmlLibError ? (error.details ?? []) : [];
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

/** @param globals  the elements that the schema lets a document have as its root */
export function inOurWords(message: string, globals: readonly GlobalElement[]): string {
  const character = /invalid Char value (\d+)/.exec(message)?.[1];
  if (character !== undefined) {
    const code = Number(character).toString(16).toUpperCase().padStart(4, "0");
    return `the character U+${code} is not allowed in XML`;
  }
  const root =
    /^Element '(?:\{(.*?)\})?(.+?)': No matching global declaration available for the validation root/.exec(
      message,
    );
  if (root !== null) return wrongRoot({ namespace: root[1] ?? "", name: root[2] ?? "" }, globals);
  for (const [pattern, words] of REWORDED) {
    if (pattern.test(message)) return message.replace(pattern, words);
  }
  const readable = message.replaceAll("{http://www.w3.org/XML/1998/namespace}", "xml:");
  return `${readable}${namespaceHint(message)}`;
}

/** The commonest slip is a root without the schema's namespace, or with another. */
function wrongRoot(found: GlobalElement, globals: readonly GlobalElement[]): string {
  const same = globals.filter(({ name }) => name === found.name);
  if (same.length > 0) {
    const inNone = same.every(({ namespace }) => namespace === "");
    const wanted = inNone
      ? `in no namespace, found xmlns="${found.namespace}"`
      : `in the namespace ${same.map(({ namespace }) => `"${namespace}"`).join(" or ")}`;
    return `the root element <${found.name}> must be ${wanted}; write ${same.map(tag).join(" or ")}`;
  }
  const [near] = nearestNames(
    found.name,
    globals.map(({ name }) => name),
    1,
  );
  const hint = near === undefined ? "" : ` (did you mean <${near}>?)`;
  const shown = globals.slice(0, MAX_SHOWN).map(tag).join(" or ");
  const more = globals.length > MAX_SHOWN ? ` or one of ${globals.length - MAX_SHOWN} more` : "";
  return `the root element must be ${shown}${more}, found ${tag(found)}${hint}`;
}

const MAX_SHOWN = 10;

function tag({ namespace, name }: GlobalElement): string {
  return namespace === "" ? `<${name}>` : `<${name} xmlns="${namespace}">`;
}

/** An element that would be right but for its namespace. */
function namespaceHint(message: string): string {
  const match =
    /^Element '(?:\{(.*?)\})?(.+?)': This element is not expected\. Expected is (?:one of )?\( (.*) \)\./.exec(
      message,
    );
  if (match === null) return "";
  const [, namespace = "", name = "", expected = ""] = match;
  for (const item of expected.split(", ")) {
    const [, wanted = "", local] = /^(?:\{(.*?)\})?(.+)$/.exec(item) ?? [];
    if (local !== name || wanted === namespace) continue;
    return wanted === ""
      ? ` <${name}> must be in no namespace: write <${name} xmlns=""> or give the namespace of its parent a prefix.`
      : ` <${name}> must be in the namespace "${wanted}".`;
  }
  return "";
}
