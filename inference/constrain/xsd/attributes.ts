/** The attributes of complex types, as they are written into a start tag. */
import { GrammarError } from "../../errors.ts";
import type { Regex } from "../grammar.ts";
import type { Prefixes } from "./prefixes.ts";
import { concat, literal } from "./regexes.ts";
import {
  type Component,
  derivationOf,
  isQualified,
  keyOf,
  localName,
  type Name,
  nameFrom,
  type SchemaDocuments,
  XML_NAMESPACE,
  xsdChildren,
} from "./schema-documents.ts";
import { fixedType, type SimpleType, type SimpleTypes } from "./simple-types.ts";
import { written } from "./xml-text.ts";

/** `regex`: a blank, the name and the value in quotes. */
export type Attribute = { readonly regex: Regex; readonly isRequired: boolean };

export class Attributes {
  readonly #schema: SchemaDocuments;
  readonly #types: SimpleTypes;
  readonly #prefixes: Prefixes;
  readonly #onWildcard: () => void;

  /** @param onWildcard  called where a type allows attributes that its schema does not declare */
  constructor(
    schema: SchemaDocuments,
    types: SimpleTypes,
    prefixes: Prefixes,
    onWildcard: () => void,
  ) {
    this.#schema = schema;
    this.#types = types;
    this.#prefixes = prefixes;
    this.#onWildcard = onWildcard;
  }

  /**
   * The attributes of a complex type, those of its base type first.
   * @throws GrammarError for an attribute that is not there
   */
  of(type: Component): readonly Attribute[] {
    return [...this.#collect(type).values()];
  }

  /** The attributes of a complex type by their names, those of its base type first. */
  #collect(type: Component): Map<string, Attribute> {
    const { node, file } = type;
    const derivation = derivationOf(node);
    const found = new Map<string, Attribute>();
    if (derivation !== undefined) {
      const name = nameFrom(derivation.attribs["base"] ?? "", { node: derivation, file });
      const base = this.#schema.find("complexType", name);
      if (base !== undefined) for (const [key, one] of this.#collect(base)) found.set(key, one);
    }
    this.#addAttributes({ node: derivation ?? node, file }, found);
    return found;
  }

  #addAttributes({ node, file }: Component, found: Map<string, Attribute>): void {
    for (const child of xsdChildren(node)) {
      const component = { node: child, file };
      switch (localName(child)) {
        case "attribute":
          this.#addAttribute(component, found);
          break;
        case "attributeGroup": {
          const name = nameFrom(child.attribs["ref"] ?? "", component);
          const group = this.#schema.find("attributeGroup", name);
          if (group !== undefined) this.#addAttributes(group, found);
          break;
        }
        case "anyAttribute":
          this.#onWildcard();
      }
    }
  }

  #addAttribute(component: Component, found: Map<string, Attribute>): void {
    const { node, file } = component;
    const { ref, use } = node.attribs;
    const name =
      ref === undefined
        ? {
            namespace: isQualified(component, "attribute") ? file.targetNamespace : "",
            local: node.attribs["name"] ?? "",
          }
        : nameFrom(ref, component);
    if (use === "prohibited") {
      found.delete(keyOf(name));
      return;
    }
    const declared = ref === undefined ? component : this.#schema.find("attribute", name);
    const fixed = node.attribs["fixed"] ?? declared?.node.attribs["fixed"];
    const type = fixed === undefined ? this.#attributeType(declared, name) : fixedType(fixed);
    const value = written(type.regex, "attribute");
    found.set(keyOf(name), {
      regex: concat([literal(` ${this.#prefixes.written(name)}="`), value, literal('"')]),
      isRequired: use === "required",
    });
  }

  #attributeType(declared: Component | undefined, name: Name): SimpleType {
    if (declared !== undefined) return this.#types.base(declared, "type");
    const known =
      name.namespace === XML_NAMESPACE ? this.#types.xmlAttribute(name.local) : undefined;
    if (known !== undefined) return known;
    throw new GrammarError(`The XSD refers to the attribute ${name.local}, which is not there.`);
  }
}
