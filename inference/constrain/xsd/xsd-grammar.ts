/**
 * An XML Schema (XSD 1.0) as a grammar of the documents that a constrained model may write: valid always, up
 * to what `checkedAfterwards` names; a part of all valid documents, as `restrictions` tells. Every document
 * of the grammar is well-formed, has its namespaces declared at the root with fixed prefixes, its attributes
 * in the order of the schema, and neither comments nor CDATA sections.
 */
import { GrammarError } from "../../errors.ts";
import { type Grammar, GrammarBuilder, type GrammarSymbol, type Regex } from "../grammar.ts";
import { Attributes } from "./attributes.ts";
import { Prefixes } from "./prefixes.ts";
import { concat, literal, optional, repeat, set } from "./regexes.ts";
import {
  type Component,
  derivationOf,
  type Element,
  isQualified,
  keyOf,
  localName,
  type Name,
  nameFrom,
  SchemaDocuments,
  XSD_NAMESPACE,
  XSI_NAMESPACE,
  type XsdSource,
  xsdChild,
  xsdChildren,
} from "./schema-documents.ts";
import { fixedType, type SimpleType, SimpleTypes } from "./simple-types.ts";
import { written } from "./xml-text.ts";

export type XsdGrammar = {
  readonly grammar: Grammar;
  /** What the schema demands and the grammar does not: a validator has to. */
  readonly checkedAfterwards: readonly string[];
  /** What the schema allows and the grammar never writes. */
  readonly restrictions: readonly string[];
};

export type XsdGrammarOptions = {
  /** Local name of the root element. Default: any global element that is not abstract. */
  readonly root?: string | undefined;
};

/** More elements of an `xs:all` have more orders than a grammar should hold. */
const MAX_ALL = 7;
/** Blanks and line feeds between two tags, at most this many blanks behind a line feed. */
const MAX_INDENT = 16;
/** Elements and types of a schema, each with what may stand before it. */
const MAX_RULES = 20_000;

/**
 * @throws GrammarError for a schema without a root element, or with what no grammar of this form can carry
 */
export function xsdGrammar(source: XsdSource, options: XsdGrammarOptions = {}): XsdGrammar {
  return new Compiler(source).compile(options.root);
}

/** What may stand between a tag and the one before it. */
type Leading = "space" | "text";

type Content =
  | { readonly kind: "empty" }
  | { readonly kind: "simple"; readonly type: SimpleType }
  | {
      readonly kind: "children";
      readonly symbols: readonly GrammarSymbol[];
      readonly leading: Leading;
      readonly isNullable: boolean;
    };

/** One way to write an element: what stands in its start tag, and what between its tags. */
type Form = { readonly attributes: readonly GrammarSymbol[]; readonly content: Content };

const space = optional(concat([literal("\n"), repeat(set([[0x20, 0x20]]), 0, MAX_INDENT)]));
const anyText = written(repeat(set([[0, 0x10ffff]]), 0, null), "text");
const LEADING: Readonly<Record<Leading, Regex>> = { space, text: anyText };

class Compiler {
  readonly #schema: SchemaDocuments;
  readonly #types: SimpleTypes;
  readonly #builder = new GrammarBuilder();
  readonly #checkedAfterwards = new Set<string>();
  readonly #restrictions = new Set<string>();
  /** Element declarations with what may stand before them. */
  readonly #elements = new Map<Element, Partial<Record<Leading, GrammarSymbol>>>();
  readonly #forms = new Map<Element, readonly Form[]>();
  readonly #prefixes: Prefixes;
  readonly #attributes: Attributes;
  #rules = 0;

  constructor(source: XsdSource) {
    this.#schema = new SchemaDocuments(source);
    this.#types = new SimpleTypes(this.#schema, (problem) => this.#checkedAfterwards.add(problem));
    this.#prefixes = new Prefixes(this.#schema);
    this.#attributes = new Attributes(this.#schema, this.#types, this.#prefixes, () =>
      this.#restrictions.add("attributes of xs:anyAttribute are never written"),
    );
  }

  compile(root: string | undefined): XsdGrammar {
    const roots = this.#schema.elements.filter(
      ({ node }) =>
        node.attribs["abstract"] !== "true" &&
        (root === undefined || node.attribs["name"] === root),
    );
    if (roots.length === 0) {
      const names = this.#schema.elements.map(({ node }) => node.attribs["name"]).join(", ");
      throw new GrammarError(
        root === undefined
          ? "The XSD declares no element that a document can begin with."
          : `The XSD declares no element ${root} that a document can begin with; it has ${names || "none"}.`,
      );
    }
    // Which prefixes there are is known when everything below the roots has been read.
    const forms = roots.map((component) => this.#formsOf(component));
    const names = roots.map((component) => this.#elementName(component, true));
    const declarations = this.#prefixes.declarations;
    const documents = forms.map((ways, at) =>
      this.#builder.rule(this.#elementForms(names[at] as string, ways, "space", declarations)),
    );
    const optionalText = (text: string): GrammarSymbol =>
      this.#builder.rule([[], [this.#builder.text(text)]]);
    const declaration = optionalText('<?xml version="1.0" encoding="UTF-8"?>\n');
    const end = optionalText("\n");
    const document = this.#builder.rule(documents.map((rule) => [declaration, rule, end]));
    return {
      grammar: this.#builder.build(document),
      checkedAfterwards: [...this.#checkedAfterwards],
      restrictions: [
        "attributes in the order of the schema, fixed prefixes, one spelling of each character",
        "where a pattern names a Unicode category: letters of common scripts, digits 0 to 9",
        ...this.#restrictions,
      ],
    };
  }

  #elementName(component: Component, isGlobal: boolean): string {
    const { node, file } = component;
    const isInNamespace = isGlobal || isQualified(component, "element");
    return this.#prefixes.written({
      namespace: isInNamespace ? file.targetNamespace : "",
      local: node.attribs["name"] ?? "",
    });
  }

  /** The rule of an element declaration. */
  #element(component: Component, isGlobal: boolean, leading: Leading): GrammarSymbol {
    const known = this.#elements.get(component.node) ?? {};
    this.#elements.set(component.node, known);
    const found = known[leading];
    if (found !== undefined) return found;
    this.#count();
    const rule = this.#builder.declare();
    known[leading] = rule;
    const name = this.#elementName(component, isGlobal);
    this.#builder.define(rule, this.#elementForms(name, this.#formsOf(component), leading, ""));
    return rule;
  }

  #elementForms(
    name: string,
    forms: readonly Form[],
    leading: Leading,
    declarations: string,
  ): readonly (readonly GrammarSymbol[])[] {
    const start = this.#builder.terminal(
      concat([LEADING[leading], literal(`<${name}${declarations}`)]),
    );
    return forms.flatMap(({ attributes, content }) =>
      this.#contentForms(name, [start, ...attributes], content),
    );
  }

  /** @param open  the start tag without its end */
  #contentForms(
    name: string,
    open: readonly GrammarSymbol[],
    content: Content,
  ): readonly (readonly GrammarSymbol[])[] {
    const text = (regex: Regex): GrammarSymbol => this.#builder.terminal(regex);
    const empty = this.#builder.text("/>");
    switch (content.kind) {
      case "empty":
        return [
          [...open, empty],
          [...open, this.#builder.text(`></${name}>`)],
        ];
      case "simple": {
        const value = written(content.type.regex, "text");
        return [[...open, text(concat([literal(">"), value, literal(`</${name}>`)]))]];
      }
      case "children": {
        const end = text(concat([LEADING[content.leading], literal(`</${name}>`)]));
        const whole = [...open, this.#builder.text(">"), ...content.symbols, end];
        return content.isNullable ? [[...open, empty], whole] : [whole];
      }
    }
  }

  /** The ways to write what an element declaration allows. */
  #formsOf(component: Component): readonly Form[] {
    const { node, file } = component;
    const known = this.#forms.get(node);
    if (known !== undefined) return known;
    if (xsdChild(node, "unique", "key", "keyref") !== undefined) {
      this.#checkedAfterwards.add("xs:unique, xs:key and xs:keyref");
    }
    if (node.attribs["nillable"] === "true") this.#restrictions.add("xsi:nil is never written");
    const fixed = node.attribs["fixed"];
    const forms: readonly Form[] =
      fixed === undefined
        ? this.#typeForms(component)
        : [{ attributes: [], content: { kind: "simple", type: fixedType(fixed) } }];
    const nested = xsdChild(node, "complexType");
    // The value is fixed, the attributes of its type are not.
    if (fixed !== undefined && nested !== undefined) {
      const attributes = this.#attributeSymbols({ node: nested, file });
      return [{ attributes, content: { kind: "simple", type: fixedType(fixed) } }];
    }
    this.#forms.set(node, forms);
    return forms;
  }

  #typeForms(component: Component): readonly Form[] {
    const { node, file } = component;
    const simple = xsdChild(node, "simpleType");
    if (simple !== undefined) return [simpleForm(this.#types.of({ node: simple, file }))];
    const complex = xsdChild(node, "complexType");
    if (complex !== undefined) return [this.#complexForm({ node: complex, file })];
    const named = node.attribs["type"];
    if (named !== undefined) return this.#namedForms(nameFrom(named, component));
    const head = node.attribs["substitutionGroup"];
    const found =
      head === undefined ? undefined : this.#schema.find("element", nameFrom(head, component));
    return found === undefined ? this.#namedForms(ANY_TYPE) : this.#formsOf(found);
  }

  #namedForms(name: Name): readonly Form[] {
    const isAnyType = name.namespace === XSD_NAMESPACE && name.local === ANY_TYPE.local;
    if (isAnyType) {
      this.#restrictions.add("an element of xs:anyType holds text, no elements");
      return [
        {
          attributes: [],
          content: { kind: "children", symbols: [], leading: "text", isNullable: true },
        },
      ];
    }
    const complex = this.#schema.find("complexType", name);
    if (complex === undefined) return [simpleForm(this.#types.named(name))];
    if (complex.node.attribs["abstract"] !== "true") return [this.#complexForm(complex)];
    const derived = this.#concreteTypes(name, new Set());
    if (derived.length === 0) {
      throw new GrammarError(
        `The XSD uses the abstract type ${name.local}, from which no other is derived.`,
      );
    }
    return derived.map((type) => {
      const own = this.#prefixes.written({
        namespace: type.file.targetNamespace,
        local: type.node.attribs["name"] ?? "",
      });
      const attribute = this.#prefixes.written({ namespace: XSI_NAMESPACE, local: "type" });
      const { attributes, content } = this.#complexForm(type);
      return { attributes: [this.#builder.text(` ${attribute}="${own}"`), ...attributes], content };
    });
  }

  #concreteTypes(name: Name, seen: Set<string>): readonly Component[] {
    return this.#schema.typesDerivedFrom(name).flatMap((type) => {
      const own = { namespace: type.file.targetNamespace, local: type.node.attribs["name"] ?? "" };
      if (seen.has(keyOf(own))) return [];
      seen.add(keyOf(own));
      const below = this.#concreteTypes(own, seen);
      return type.node.attribs["abstract"] === "true" ? below : [type, ...below];
    });
  }

  #complexForm(type: Component): Form {
    return { attributes: this.#attributeSymbols(type), content: this.#content(type) };
  }

  #content(type: Component): Content {
    const { node, file } = type;
    const simpleContent = xsdChild(node, "simpleContent");
    const derivation = derivationOf(node);
    if (simpleContent !== undefined && derivation !== undefined) {
      return { kind: "simple", type: this.#simpleContent({ node: derivation, file }) };
    }
    const isMixed = this.#isMixed(type);
    const leading: Leading = isMixed ? "text" : "space";
    const { symbols, isNullable } = this.#typeParticle(type, leading);
    if (symbols.length === 0 && !isMixed) return { kind: "empty" };
    return { kind: "children", symbols, leading, isNullable };
  }

  #isMixed({ node }: Component): boolean {
    const content = xsdChild(node, "complexContent");
    const mixed = content?.attribs["mixed"] ?? node.attribs["mixed"];
    return mixed === "true" || mixed === "1";
  }

  /** The type of the text of a complex type with simple content. */
  #simpleContent(derivation: Component): SimpleType {
    const { node } = derivation;
    const isExtension = localName(node) === "extension";
    const name = nameFrom(node.attribs["base"] ?? "", derivation);
    const complex = this.#schema.find("complexType", name);
    const own = complex && derivationOf(complex.node);
    const base =
      complex !== undefined && own !== undefined
        ? this.#simpleContent({ node: own, file: complex.file })
        : this.#types.named(name);
    if (isExtension) return base;
    const nested = xsdChild(node, "simpleType");
    const from =
      nested === undefined ? base : this.#types.of({ node: nested, file: derivation.file });
    return this.#types.restricted(from, derivation);
  }

  /** What a complex type's elements hold: for an extension, what its base type has comes first. */
  #typeParticle(type: Component, leading: Leading): Particle {
    const { node, file } = type;
    const derivation = xsdChild(node, "complexContent") && derivationOf(node);
    const holder = { node: derivation ?? node, file };
    const model = xsdChild(holder.node, "sequence", "choice", "all", "group");
    const own = model === undefined ? NOTHING : this.#particle({ node: model, file }, leading);
    if (derivation === undefined || localName(derivation) === "restriction") return own;
    const base = this.#schema.find(
      "complexType",
      nameFrom(derivation.attribs["base"] ?? "", holder),
    );
    return base === undefined ? own : inSequence([this.#typeParticle(base, leading), own]);
  }

  #particle(component: Component, leading: Leading): Particle {
    const { node, file } = component;
    this.#count();
    const min = Number(node.attribs["minOccurs"] ?? 1);
    const most = node.attribs["maxOccurs"] ?? "1";
    const max = most === "unbounded" ? null : Number(most);
    if (max === 0) return NOTHING;
    if (localName(node) === "any" && min === 0) {
      this.#restrictions.add("nothing is written where xs:any may be left out");
      return NOTHING;
    }
    const once = this.#once({ node, file }, leading);
    if (min === 1 && max === 1) return once;
    return {
      symbols: once.symbols.length === 0 ? [] : [this.#builder.repeat(once.symbols, min, max)],
      isNullable: min === 0 || once.isNullable,
    };
  }

  #once(component: Component, leading: Leading): Particle {
    const { node, file } = component;
    const inner = (): readonly Particle[] =>
      xsdChildren(node).map((child) => this.#particle({ node: child, file }, leading));
    switch (localName(node)) {
      case "sequence":
        return inSequence(inner());
      case "choice": {
        const options = inner();
        // Nothing can be chosen, so nothing of this kind can be written.
        if (options.length === 0) return NOTHING;
        return {
          symbols: [this.#builder.rule(options.map(({ symbols }) => symbols))],
          isNullable: options.some(({ isNullable }) => isNullable),
        };
      }
      case "all":
        return this.#all(inner());
      case "group": {
        const group = this.#schema.find("group", nameFrom(node.attribs["ref"] ?? "", component));
        const model = group && xsdChild(group.node, "sequence", "choice", "all");
        if (group === undefined || model === undefined) {
          throw new GrammarError(
            `The XSD names the group ${node.attribs["ref"]}, which is not there.`,
          );
        }
        return this.#particle({ node: model, file: group.file }, leading);
      }
      case "any":
        return this.#any(component, leading);
      default:
        return { symbols: [this.#elementChoice(component, leading)], isNullable: false };
    }
  }

  /** Any order of the particles: one rule for each set of them that is still to come. */
  #all(particles: readonly Particle[]): Particle {
    const isNullable = particles.every((particle) => particle.isNullable);
    if (particles.length > MAX_ALL) {
      this.#restrictions.add(`the elements of an xs:all of more than ${MAX_ALL} come in its order`);
      return inSequence(particles);
    }
    const rules = new Map<number, { readonly rule: number }>();
    const rest = (left: number): { readonly rule: number } => {
      const known = rules.get(left);
      if (known !== undefined) return known;
      const rule = this.#builder.declare();
      rules.set(left, rule);
      const options = particles.flatMap(({ symbols }, at) =>
        (left & (1 << at)) === 0 ? [] : [[...symbols, rest(left & ~(1 << at))]],
      );
      const canEnd = particles.every(
        (particle, at) => (left & (1 << at)) === 0 || particle.isNullable,
      );
      this.#builder.define(rule, canEnd ? [[], ...options] : options);
      return rule;
    };
    return { symbols: [rest((1 << particles.length) - 1)], isNullable };
  }

  /** A reference or a local declaration, with what may stand for it. */
  #elementChoice(component: Component, leading: Leading): GrammarSymbol {
    const { node } = component;
    const ref = node.attribs["ref"];
    if (ref === undefined) return this.#element(component, false, leading);
    const name = nameFrom(ref, component);
    const members = this.#members(name, new Set());
    if (members.length === 0) {
      throw new GrammarError(
        `The XSD refers to the element ${name.local}, which is not there, or is abstract and has no substitutes.`,
      );
    }
    const symbols = members.map((member) => this.#element(member, true, leading));
    return symbols.length === 1
      ? (symbols[0] as GrammarSymbol)
      : this.#builder.rule(symbols.map((symbol) => [symbol]));
  }

  /** An element and its substitution group, without those that are abstract. */
  #members(name: Name, seen: Set<string>): readonly Component[] {
    const head = this.#schema.find("element", name);
    if (head === undefined || seen.has(keyOf(name))) return [];
    seen.add(keyOf(name));
    const isBlocked = /#all|substitution/.test(head.node.attribs["block"] ?? "");
    const others = isBlocked
      ? []
      : this.#schema
          .substitutesOf(name)
          .flatMap((member) => this.#members(globalNameOf(member), seen));
    return head.node.attribs["abstract"] === "true" ? others : [head, ...others];
  }

  /** Of all that may stand there, the elements that the schema declares itself. */
  #any(component: Component, leading: Leading): Particle {
    const allowed = component.node.attribs["namespace"] ?? "##any";
    const target = component.file.targetNamespace;
    const isAllowed = ({ file: { targetNamespace } }: Component): boolean => {
      if (allowed === "##any") return true;
      if (allowed === "##other") return targetNamespace !== target && targetNamespace !== "";
      return allowed.split(/\s+/).some((one) => {
        if (one === "##targetNamespace") return targetNamespace === target;
        return one === "##local" ? targetNamespace === "" : targetNamespace === one;
      });
    };
    const elements = this.#schema.elements.filter(
      (element) => element.node.attribs["abstract"] !== "true" && isAllowed(element),
    );
    if (elements.length === 0) {
      throw new GrammarError(
        "The XSD demands an xs:any for which it declares no element; a grammar cannot carry it.",
      );
    }
    this.#restrictions.add("xs:any stands for elements that the schema declares");
    const symbols = elements.map((element) => [this.#element(element, true, leading)]);
    return { symbols: [this.#builder.rule(symbols)], isNullable: false };
  }

  #attributeSymbols(type: Component): readonly GrammarSymbol[] {
    return this.#attributes.of(type).map(({ regex, isRequired }) => {
      const terminal = this.#builder.terminal(regex);
      return isRequired ? terminal : this.#builder.rule([[], [terminal]]);
    });
  }

  /** Groups that are used again and again can make a small schema large. */
  #count(): void {
    if (++this.#rules <= MAX_RULES) return;
    throw new GrammarError(
      `The XSD stands for more than ${MAX_RULES} elements and groups; a grammar of it would be too large.`,
    );
  }
}

/** A part of what an element holds. */
type Particle = { readonly symbols: readonly GrammarSymbol[]; readonly isNullable: boolean };

const NOTHING: Particle = { symbols: [], isNullable: true };
const ANY_TYPE: Name = { namespace: XSD_NAMESPACE, local: "anyType" };

function inSequence(particles: readonly Particle[]): Particle {
  return {
    symbols: particles.flatMap(({ symbols }) => symbols),
    isNullable: particles.every(({ isNullable }) => isNullable),
  };
}

function simpleForm(type: SimpleType): Form {
  return { attributes: [], content: { kind: "simple", type } };
}

function globalNameOf({ node, file }: Component): Name {
  return { namespace: file.targetNamespace, local: node.attribs["name"] ?? "" };
}
