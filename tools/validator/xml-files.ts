/**
 * The files of an XML Schema: what it includes and imports, where each is looked for, and what of it is
 * not there. Nothing but the files that were handed over is ever read.
 */
import { ParseOption, XmlDocument, type XmlElement } from "libxml2-wasm";
import { SchemaError } from "../core/errors.ts";
import { detailsOf, type GlobalElement } from "./xml-messages.ts";
import { locateSchema, MAIN_NAME } from "./xml-references.ts";
import { scanXml } from "./xml-text.ts";

/**
 * Document types are refused before parsing, and the options that would load or expand (DTDLOAD, NOENT,
 * XINCLUDE, HUGE) must never be added. Texts are Unicode by now; the encodings that they declare are ignored.
 */
export const PARSE_OPTIONS: ParseOption =
  ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_NO_SYS_CATALOG |
  ParseOption.XML_PARSE_BIG_LINES |
  ParseOption.XML_PARSE_IGNORE_ENC;

/** What `readXmlSchema` reads, or a program hands over. */
export type XmlSchemaSource = {
  readonly xsd: string;
  /** The file's own name, by which others may refer back to it; `main.xsd` unless given. */
  readonly name?: string;
  /**
   * The schemas that it includes and imports, by their names relative to it. Nothing else is read.
   */
  readonly files?: Readonly<Record<string, string>>;
};

export type SchemaFiles = {
  readonly main: { readonly url: string; readonly text: string };
  /** All others that are referred to, by their URLs. */
  readonly others: ReadonlyMap<string, string>;
  readonly globals: readonly GlobalElement[];
  /** Imports that were not loaded. */
  readonly warnings: readonly string[];
};

/** A scheme of our own, so that no reference can mean a file of the machine. */
const BASE_URL = "schema:///";

const NOT_THERE = "which is not there";
const MAX_FILES = 200;
const MAX_UNITS = 1024 * 1024;

const XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema";
const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";
const XML_SCHEMA_URL = `${BASE_URL}xml-namespace`;

/** The attributes of the XML namespace (XML 1.0, section 2.10 and 2.12; XML Base; xml:id). */
const XML_SCHEMA = `<xs:schema xmlns:xs="${XSD_NAMESPACE}" targetNamespace="${XML_NAMESPACE}">
<xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"><xs:simpleType>
<xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction></xs:simpleType></xs:union></xs:simpleType></xs:attribute>
<xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName">
<xs:enumeration value="default"/><xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attribute name="base" type="xs:anyURI"/>
<xs:attribute name="id" type="xs:ID"/>
<xs:attributeGroup name="specialAttrs"><xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
<xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/></xs:attributeGroup>
</xs:schema>`;

/**
 * @param schema  the main schema, and further ones by their names relative to it
 * @throws SchemaError for a file that is no XML, an include that leads nowhere, out of the folder or out
 *   of the machine
 */
export function collectSchemaFiles({ xsd, name: given, files = {} }: XmlSchemaSource): SchemaFiles {
  const mainName = given ?? MAIN_NAME;
  const shown = (name: string): string => (name === mainName ? (given ?? "the XSD") : name);
  const warnings = new Set<string>();
  const globals: GlobalElement[] = [];
  const collected = new Map<string, string>();
  const textOf = (name: string): string | undefined =>
    name === mainName ? xsd : Object.hasOwn(files, name) ? files[name] : undefined;
  const visit = (name: string, source: string, namespaceOfParent: string): void => {
    if (collected.has(name)) return;
    if (collected.size >= MAX_FILES) {
      throw new SchemaError(`The XSD consists of more than ${MAX_FILES} files.`);
    }
    const text = readable(shown(name), source);
    collected.set(name, text);
    using document = parse(name, shown(name), text);
    const root = document.root;
    // What is no schema is for the compiler to refuse.
    if (root.namespaceUri !== XSD_NAMESPACE || root.name !== "schema") return;
    // A schema without a namespace takes that of the one that includes it.
    const namespace = root.attr("targetNamespace")?.value ?? namespaceOfParent;
    for (const element of children(root, "element")) {
      globals.push({ namespace, name: element.attr("name")?.value ?? "" });
    }
    let isChanged = false;
    for (const element of children(root, "include|redefine|import")) {
      const location = element.attr("schemaLocation")?.value;
      const { name: file, refused } = location === undefined ? {} : locateSchema(location, name);
      const text = file === undefined ? undefined : textOf(file);
      const isImport = element.name === "import";
      const imported = element.attr("namespace")?.value ?? "";
      if (file !== undefined && text !== undefined) {
        visit(file, text, isImport ? imported : namespace);
      } else if (imported === XML_NAMESPACE) {
        element.setAttr("schemaLocation", XML_SCHEMA_URL);
        isChanged = true;
      } else if (isImport) {
        const why =
          location === undefined ? "no file is named" : `${location}, ${refused ?? NOT_THERE}`;
        warnings.add(
          `The namespace ${imported || "(none)"} is not checked, it was not loaded: ${why}.`,
        );
      } else if (location !== undefined) {
        throw new SchemaError(
          `The XSD cannot be used: ${shown(name)} includes ${location}, ${refused ?? NOT_THERE}.`,
        );
      }
    }
    if (isChanged) collected.set(name, document.toString({ format: false }));
  };
  visit(mainName, xsd, "");
  const others = new Map([[XML_SCHEMA_URL, XML_SCHEMA]]);
  for (const [name, text] of collected) others.set(BASE_URL + name, text);
  const main = { url: BASE_URL + mainName, text: collected.get(mainName) ?? "" };
  return { main, others, globals, warnings: [...warnings] };
}

/** A document type that only names the DTD of XML Schema says nothing. */
const SCHEMA_DOCTYPE =
  /<!DOCTYPE\s+(?:[\w.-]+:)?schema\s+(?:PUBLIC\s+"-\/\/W3C\/\/DTD XMLSCHEMA[^"]*"\s+(?:"[^"]*"|'[^']*')|SYSTEM\s+(?:"(?:[^"]*\/)?XMLSchema\.dtd"|'(?:[^']*\/)?XMLSchema\.dtd'))\s*>/;

function readable(shown: string, source: string): string {
  if (source.length > MAX_UNITS) {
    throw new SchemaError(
      `The XSD cannot be used: ${shown} has more than ${MAX_UNITS} characters.`,
    );
  }
  // Lines stay where they are: messages name them.
  const text = source
    .replace(/^\uFEFF/, "")
    .trimEnd()
    .replace(SCHEMA_DOCTYPE, (doctype) => doctype.replace(/[^\n]/g, " "));
  if (scanXml(text).doctype)
    throw new SchemaError(`The XSD cannot be used: ${shown} has a DOCTYPE, which is not accepted.`);
  return withoutEncoding(text.trimStart());
}

/** Of files that libxml2 asks for it reads the declared encoding; by now they are UTF-8. */
function withoutEncoding(text: string): string {
  return text.replace(
    /^(<\?xml\b[^>]*?)(\sencoding\s*=\s*(?:"[^"]*"|'[^']*'))/,
    (_, before: string, encoding: string) => before + " ".repeat(encoding.length),
  );
}

function parse(name: string, shown: string, text: string): XmlDocument {
  try {
    return XmlDocument.fromString(text, { option: PARSE_OPTIONS, url: BASE_URL + name });
  } catch (cause) {
    const [detail] = detailsOf(cause);
    const where = `${shown}, line ${detail?.line ?? 1}`;
    const reason = (detail?.message ?? "it is no XML").trim();
    throw new SchemaError(`The XSD cannot be used: ${where}: ${reason}`, { cause });
  }
}

/** @param names  separated by bars */
function children(root: XmlElement, names: string): readonly XmlElement[] {
  const path = names.split("|").map((name) => `xs:${name}`);
  return root.find(path.join("|"), { xs: XSD_NAMESPACE }) as XmlElement[];
}
