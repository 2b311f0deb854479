/** How the names of a document are written: which namespace is the default one, and the prefixes of the others. */
import {
  type Name,
  type SchemaDocuments,
  XML_NAMESPACE,
  XSI_NAMESPACE,
} from "./schema-documents.ts";
import { escapeXml } from "./xml-text.ts";

export class Prefixes {
  readonly #schema: SchemaDocuments;
  /** Namespace → prefix; an empty prefix is the default namespace. */
  readonly #prefixes = new Map<string, string>();

  constructor(schema: SchemaDocuments) {
    this.#schema = schema;
    const { targetNamespace, needsPrefix } = schema;
    if (targetNamespace === "") return;
    // It is declared first, as people write it.
    this.#prefixes.set(targetNamespace, needsPrefix ? this.#freePrefix(targetNamespace) : "");
  }

  /** The declarations of all namespaces that were written so far, for the root tag. */
  get declarations(): string {
    const declared = [...this.#prefixes].map(([namespace, prefix]) => {
      const name = prefix === "" ? "xmlns" : `xmlns:${prefix}`;
      return ` ${name}="${escapeXml(namespace, "attribute")}"`;
    });
    return declared.join("");
  }

  /** A name as it is written. */
  written({ namespace, local }: Name): string {
    if (namespace === "") return local;
    if (namespace === XML_NAMESPACE) return `xml:${local}`;
    let prefix = this.#prefixes.get(namespace);
    if (prefix === undefined) {
      prefix = this.#freePrefix(namespace);
      this.#prefixes.set(namespace, prefix);
    }
    return prefix === "" ? local : `${prefix}:${local}`;
  }

  #freePrefix(namespace: string): string {
    if (namespace === XSI_NAMESPACE) return "xsi";
    const wanted = this.#schema.prefixFor(namespace);
    const taken = new Set(["xsi", "xml", ...this.#prefixes.values()]);
    if (wanted !== undefined && !taken.has(wanted)) return wanted;
    let number = 1;
    while (taken.has(`ns${number}`)) number++;
    return `ns${number}`;
  }
}
