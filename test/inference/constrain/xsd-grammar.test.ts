import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { GrammarCompiler } from "../../../inference/constrain/compiler.ts";
import type { GrammarMatcher } from "../../../inference/constrain/matcher.ts";
import { xsdGrammar } from "../../../inference/constrain/xsd/xsd-grammar.ts";
import { createValidator, readXmlSchema, type XmlSchemaSource } from "../../../tools/index.ts";
import { randomNumbers } from "../../fixtures/random-numbers.ts";

const FOLDER = fileURLToPath(new URL("../../fixtures/xsd/", import.meta.url));
/** `units.xsd` is only included. */
const SCHEMAS = globSync("*.xsd", { cwd: FOLDER }).filter((name) => name !== "units.xsd");
const WALKS = 25;

/** One id for each byte, and one that ends the text. */
const END = 256;
const compiler = new GrammarCompiler({
  size: 257,
  bytes: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  offsets: Uint32Array.from({ length: 258 }, (_, id) => Math.min(id, 256)),
});

/** A random text of a grammar: anything that is allowed at first, then what leads to an end. */
function walk(matcher: GrammarMatcher, seed: number): string {
  const random = randomNumbers(seed);
  const bytes: number[] = [];
  const wander = 60 + random() * 500;
  while (bytes.length < 20_000) {
    const mask = matcher.mask();
    const allowed: number[] = [];
    for (let id = 0; id <= END; id++)
      if ((mask[id >>> 5] ?? 0) & (1 << (id & 31))) allowed.push(id);
    const texts = allowed.filter((id) => id !== END);
    const mayEnd = allowed.length > texts.length;
    if (mayEnd && (texts.length === 0 || bytes.length > wander || random() < 0.3)) {
      return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    }
    const closing = CLOSING.find((byte) => texts.includes(byte));
    const isClosing = closing !== undefined && random() < (bytes.length > wander ? 0.7 : 0.15);
    const id = isClosing ? closing : (texts[Math.floor(random() * texts.length)] as number);
    matcher.accept(id);
    bytes.push(id);
  }
  throw new Error(`no end after ${bytes.length} bytes: ${Buffer.from(bytes.slice(0, 500))}`);
}

/** In this order: the end of text, of an attribute, of an element, of a tag. */
const CLOSING = [...`<"/>`].map((character) => character.charCodeAt(0));

describe("a walk through the grammar of an XSD is a document that passes it", () => {
  test.each(SCHEMAS)("%s", async (name) => {
    const source = await readXmlSchema(FOLDER + name);
    const { grammar, checkedAfterwards } = xsdGrammar(source);
    const compiled = compiler.compile(grammar);
    const validator = await createValidator(source);
    const texts = Array.from({ length: WALKS }, (_, seed) =>
      walk(compiled.matcher({ stopIds: [END] }), seed),
    );
    const verdicts = await validator.validateAll(texts);
    const wrong = verdicts.flatMap(({ action, errors }, at) =>
      action === "accept" || isLeftOpen(errors, checkedAfterwards)
        ? []
        : [{ text: texts[at], errors }],
    );
    expect(wrong).toEqual([]);
  });
});

/** What the grammar says that it does not check. */
function isLeftOpen(
  errors: readonly { readonly message: string }[],
  checkedAfterwards: readonly string[],
): boolean {
  const kinds = [
    [/unique|key-sequence|keyref/i, "xs:unique, xs:key and xs:keyref"],
    [/xs:ID\b|IDREF/, "xs:ID"],
    [/minInclusive|must be >=/, "dates"],
  ] as const;
  return errors.every(({ message }) =>
    kinds.some(
      ([pattern, what]) =>
        pattern.test(message) && checkedAfterwards.some((one) => one.includes(what)),
    ),
  );
}

/** Whether a text belongs to the grammar of a schema. */
function allows(source: XmlSchemaSource, text: string, root?: string): boolean {
  const matcher = compiler
    .compile(xsdGrammar(source, { root }).grammar)
    .matcher({ stopIds: [END] });
  for (const byte of Buffer.from(text)) {
    if (!matcher.allows(byte)) return false;
    matcher.accept(byte);
  }
  return matcher.isAccepting;
}

describe("documents as a model writes them are allowed", () => {
  const documents: readonly (readonly [schema: string, document: string])[] = [
    [
      "invoice.xsd",
      `<?xml version="1.0" encoding="UTF-8"?>
<invoice xmlns="urn:example:invoice" number="R-17" currency="EUR">
  <seller>
    <name>Björk &amp; Co</name>
  </seller>
  <buyer><name>B</name><vatId>SE123456789</vatId></buyer>
  <issued>2024-02-29</issued>
  <line sku="a-1">
    <text>Tea, "green"</text>
    <quantity>12</quantity>
    <price>3.50</price>
  </line>
  <total>42</total>
</invoice>
`,
    ],
    [
      "article.xsd",
      `<article xmlns="urn:example:article"><title>On <em>tea</em></title><p>Hot &lt; boiling,<br/> see <a href="https://example.org/?a=1&amp;b=2">this</a>.</p></article>`,
    ],
    [
      "order.xsd",
      `<o:order xmlns:o="urn:example:order" xmlns:a="urn:example:address" o:priority="-3"><item>pen</item><a:address a:verified="true"><a:street>Main</a:street><a:zip>12345</a:zip></a:address></o:order>`,
    ],
    ["contact.xsd", '<contact><fax area="47">12</fax><born>1990-05</born><name>A</name></contact>'],
    [
      "fleet.xsd",
      `<fleet xmlns="urn:example:fleet" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><vehicle xsi:type="Truck" axles="3"><plate>AB 12</plate><load>7.5</load></vehicle></fleet>`,
    ],
    [
      "menu.xsd",
      `<menu><entry key="F12"><label>Open</label><entry><label>File</label></entry></entry></menu>`,
    ],
  ];
  test.each(documents)("%s", async (name, document) => {
    const source = await readXmlSchema(FOLDER + name);
    const validator = await createValidator(source);
    expect(await validator.validate(document)).toMatchObject({ errors: [] });
    expect(allows(source, document)).toBe(true);
  });
});

test("what no document of the schema says is not allowed", async () => {
  const source = await readXmlSchema(`${FOLDER}menu.xsd`);
  expect(allows(source, "<menu></menu>")).toBe(false);
  expect(allows(source, "<menu><entry><label>a</label></entry></menu>")).toBe(true);
  expect(allows(source, '<menu><entry key="F13"><label>a</label></entry></menu>')).toBe(false);
  expect(allows(source, "<menu><entry><label>a  b</label></entry></menu>")).toBe(false);
  expect(allows(source, "<menu><entry><label>a]]></label></entry></menu>")).toBe(false);
});

test("schemas that cannot be carried are refused in a sentence", () => {
  const schema = (body: string): XmlSchemaSource => ({
    xsd: `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${body}</xs:schema>`,
  });
  const compile = (body: string, root?: string) => () => xsdGrammar(schema(body), { root });
  expect(compile("")).toThrow("declares no element that a document can begin with");
  expect(compile('<xs:element name="a" type="xs:int"/>', "b")).toThrow("no element b");
  expect(
    compile(
      '<xs:element name="a"><xs:complexType><xs:sequence><xs:any/></xs:sequence></xs:complexType></xs:element>',
    ),
  ).not.toThrow();
  expect(
    compile(
      '<xs:element name="a"><xs:complexType><xs:sequence><xs:any namespace="##other"/></xs:sequence></xs:complexType></xs:element>',
    ),
  ).toThrow("xs:any for which it declares no element");
  expect(
    compile(
      '<xs:element name="a"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[a"/></xs:restriction></xs:simpleType></xs:element>',
    ),
  ).toThrow("at character");
});
