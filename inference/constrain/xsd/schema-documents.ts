/**
 * The files of an XML Schema (XSD 1.0) as trees: which components they declare, and what the names in them
 * mean. The schema has been accepted by a validator before; what would be an error there is not looked for.
 */
import { createRequire } from "node:module";
import type { parseDocument } from "htmlparser2";
import { GrammarError } from "../../errors.ts";

type ChildNode = ReturnType<typeof parseDocument>["children"][number];
/** An element of a schema's tree. */
export type Element = Extract<ChildNode, { readonly attribs: unknown }>;

export const XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema";
export const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";
export const XSI_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance";

/** The texts of a schema: the main file, and those that it includes and imports by their relative names. */
export type XsdSource = {
  readonly xsd: string;
  /** The main file's own name. */
  readonly name?: string | undefined;
  readonly files?: Readonly<Record<string, string>> | undefined;
};

/** A name with its namespace; an empty one is no namespace. */
export type Name = { readonly namespace: string; readonly local: string };

/** `{namespace}local`, to look components up by. */
export function keyOf({ namespace, local }: Name): string {
  return `{${namespace}}${local}`;
}

/** One file, as far as names in it depend on it. */
type SchemaFile = {
  readonly targetNamespace: string;
  /** Included by a file that has a namespace where this one has none: its names belong to that namespace. */
  readonly isChameleon: boolean;
  readonly elementsQualified: boolean;
  readonly attributesQualified: boolean;
};

/** A node of a schema, and the file that it stands in. */
export type Component = { readonly node: Element; readonly file: SchemaFile };

export type ComponentKind =
  | "element"
  | "attribute"
  | "complexType"
  | "simpleType"
  | "group"
  | "attributeGroup";

const KINDS: readonly string[] = [
  "element",
  "attribute",
  "complexType",
  "simpleType",
  "group",
  "attributeGroup",
];

const MAX_FILES = 200;

export class SchemaDocuments {
  readonly targetNamespace: string;
  /**
   * Whether the target namespace cannot be the default one: elements without a namespace stand in it, or
   * attributes with one, which always have a prefix.
   */
  readonly needsPrefix: boolean;
  readonly #components = new Map<string, Component>();
  /** Heads of substitution groups → the elements that may stand for them. */
  readonly #substitutes = new Map<string, Component[]>();
  /** Types → those that are derived from them. */
  readonly #derived = new Map<string, Component[]>();
  /** Namespace → prefix that a file of the schema declares for it. */
  readonly #prefixes = new Map<string, string>();
  #needsPrefix = false;

  /** @throws GrammarError for a file that is missing or uses `redefine` */
  constructor(source: XsdSource) {
    const { name = "main.xsd" } = source;
    const files = new Map(Object.entries(source.files ?? {}));
    files.set(name, source.xsd);
    const seen = new Set<string>();
    const main = this.#read(name, files, null, seen);
    this.targetNamespace = main;
    this.needsPrefix = this.#needsPrefix;
  }

  find(kind: ComponentKind, name: Name): Component | undefined {
    return this.#components.get(`${kind} ${keyOf(name)}`);
  }

  /** Global elements in the order of the files. */
  get elements(): readonly Component[] {
    return [...this.#components]
      .filter(([key]) => key.startsWith("element "))
      .map(([, component]) => component);
  }

  substitutesOf(name: Name): readonly Component[] {
    return this.#substitutes.get(keyOf(name)) ?? [];
  }

  typesDerivedFrom(name: Name): readonly Component[] {
    return this.#derived.get(keyOf(name)) ?? [];
  }

  prefixFor(namespace: string): string | undefined {
    return this.#prefixes.get(namespace);
  }

  /** @returns the target namespace of the file */
  #read(
    name: string,
    files: ReadonlyMap<string, string>,
    includedInto: string | null,
    seen: Set<string>,
  ): string {
    const text = files.get(name);
    if (text === undefined) {
      throw new GrammarError(`The XSD refers to ${name}, which is not there.`);
    }
    const root = rootOf(text);
    const own = root?.attribs["targetNamespace"] ?? "";
    const isChameleon = own === "" && includedInto !== null && includedInto !== "";
    const targetNamespace = isChameleon ? includedInto : own;
    const key = `${name} ${targetNamespace}`;
    if (root === undefined || seen.has(key) || seen.size >= MAX_FILES) return targetNamespace;
    seen.add(key);
    const file: SchemaFile = {
      targetNamespace,
      isChameleon,
      elementsQualified: root.attribs["elementFormDefault"] === "qualified",
      attributesQualified: root.attribs["attributeFormDefault"] === "qualified",
    };
    this.#notePrefixes(root);
    this.#noteForms(root, file);
    for (const node of xsdChildren(root)) {
      const what = localName(node);
      const location = node.attribs["schemaLocation"];
      if (what === "redefine") {
        throw new GrammarError("An XSD with xs:redefine cannot be carried by a grammar.");
      }
      if (what === "include" && location !== undefined) {
        this.#read(relativeTo(name, location), files, targetNamespace, seen);
      }
      // An import without a file that is there brings nothing; what needs it says so.
      if (what === "import" && location !== undefined) {
        const path = relativeTo(name, location);
        if (files.has(path)) this.#read(path, files, null, seen);
      }
      if (KINDS.includes(what)) this.#add(what, { node, file });
    }
    return targetNamespace;
  }

  #add(kind: string, component: Component): void {
    const { node, file } = component;
    const local = node.attribs["name"];
    if (local === undefined) return;
    this.#components.set(`${kind} ${keyOf({ namespace: file.targetNamespace, local })}`, component);
    const head = node.attribs["substitutionGroup"];
    if (kind === "element" && head !== undefined) {
      push(this.#substitutes, keyOf(nameFrom(head, component)), component);
    }
    if (kind === "complexType") {
      const base = derivationOf(node)?.attribs["base"];
      if (base !== undefined) push(this.#derived, keyOf(nameFrom(base, component)), component);
    }
  }

  #notePrefixes(root: Element): void {
    for (const [attribute, namespace] of Object.entries(root.attribs)) {
      const prefix = /^xmlns:(.+)$/.exec(attribute)?.[1];
      if (prefix !== undefined && !this.#prefixes.has(namespace)) {
        this.#prefixes.set(namespace, prefix);
      }
    }
  }

  #noteForms(root: Element, file: SchemaFile): void {
    // A document cannot leave a namespace that is the default one.
    if (file.targetNamespace === "") this.#needsPrefix = true;
    const visit = (node: Element, isGlobal: boolean): void => {
      const what = localName(node);
      const ref = node.attribs["ref"];
      if (what === "element" && !isGlobal && ref === undefined) {
        if (!isQualified({ node, file }, "element")) this.#needsPrefix = true;
      }
      if (what === "attribute") {
        const isOfTarget =
          ref === undefined
            ? !isGlobal && isQualified({ node, file }, "attribute")
            : nameFrom(ref, { node, file }).namespace === file.targetNamespace;
        if (isOfTarget) this.#needsPrefix = true;
      }
      for (const child of xsdChildren(node)) visit(child, false);
    };
    for (const child of xsdChildren(root)) visit(child, true);
  }
}

function push(map: Map<string, Component[]>, key: string, component: Component): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [component]);
  else list.push(component);
}

function rootOf(text: string): Element | undefined {
  // Loaded when there is a schema to read.
  const { parseDocument } = createRequire(import.meta.url)(
    "htmlparser2",
  ) as typeof import("htmlparser2");
  const { children } = parseDocument(text, { xmlMode: true });
  return children.filter(isElement).find((node) => localName(node) === "schema");
}

function isElement(node: ChildNode): node is Element {
  return "attribs" in node;
}

/** The name of a node without its prefix. */
export function localName(node: Element): string {
  return node.name.slice(node.name.indexOf(":") + 1);
}

/** The children that belong to XML Schema, without annotations. */
export function xsdChildren(node: Element): readonly Element[] {
  return node.children
    .filter(isElement)
    .filter((child) => localName(child) !== "annotation" && namespaceOf(child) === XSD_NAMESPACE);
}

export function xsdChild(node: Element, ...names: readonly string[]): Element | undefined {
  return xsdChildren(node).find((child) => names.includes(localName(child)));
}

/** The restriction or extension of a complex type with simple or complex content. */
export function derivationOf(complexType: Element): Element | undefined {
  const content = xsdChild(complexType, "simpleContent", "complexContent");
  return content && xsdChild(content, "restriction", "extension");
}

/** Whether a local declaration's name is in the target namespace. */
export function isQualified({ node, file }: Component, kind: "element" | "attribute"): boolean {
  const form = node.attribs["form"];
  if (form !== undefined) return form === "qualified";
  return kind === "element" ? file.elementsQualified : file.attributesQualified;
}

/** What a QName in an attribute of a schema means. */
export function nameFrom(text: string, { node, file }: Component): Name {
  const [first = "", second] = text.trim().split(":");
  const [prefix, local] = second === undefined ? ["", first] : [first, second];
  if (prefix === "xml") return { namespace: XML_NAMESPACE, local };
  const namespace = declaredNamespace(node, prefix) ?? "";
  return {
    namespace: namespace === "" && file.isChameleon ? file.targetNamespace : namespace,
    local,
  };
}

function namespaceOf(node: Element): string {
  const colon = node.name.indexOf(":");
  return declaredNamespace(node, colon < 0 ? "" : node.name.slice(0, colon)) ?? "";
}

function declaredNamespace(node: Element, prefix: string): string | undefined {
  const attribute = prefix === "" ? "xmlns" : `xmlns:${prefix}`;
  for (let at: Element | null = node; at !== null; at = parentOf(at)) {
    const found = at.attribs[attribute];
    if (found !== undefined) return found;
  }
  return undefined;
}

function parentOf(node: Element): Element | null {
  return node.parent !== null && "attribs" in node.parent ? (node.parent as Element) : null;
}

/** A location beside the file that names it. */
function relativeTo(name: string, location: string): string {
  const base = new URL(name.split("/").map(encodeURIComponent).join("/"), "file:///");
  return decodeURIComponent(new URL(location, base).pathname.slice(1));
}
