/** XML Schemas of several files, in several encodings. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createValidator, readXmlSchema } from "../../tools/index.ts";
import { decodeXml } from "../../tools/validator/read-xml-schema.ts";
import { run } from "../conformance/xml.ts";
import { temporaryFolder } from "./support.ts";

const NS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"';
const schema = (content: string): string => `<xs:schema ${NS}>${content}</xs:schema>`;

test("the golden cases hold", async () => {
  const failed: unknown[] = [];
  const path = join(import.meta.dirname, "../golden/answers/xml-schemas.json");
  for await (const result of run([path])) if (!result.pass) failed.push(result);
  expect(failed).toEqual([]);
});

describe("files that a schema refers to", () => {
  test.each([
    ["that is not there", "tree.xsd", "the XSD includes tree.xsd, which is not there."],
    ["above the folder", "../tree.xsd", "../tree.xsd, which lies above the folder of the XSD."],
    ["on the web", "http://a.example/t.xsd", "only files below the folder of the XSD are read."],
    ["by an absolute path", "/etc/tree.xsd", "only files below the folder of the XSD are read."],
  ])("an include %s is refused in one sentence", async (_, location, message) => {
    const made = createValidator({ xsd: schema(`<xs:include schemaLocation="${location}"/>`) });
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toMatchObject({ code: "CHORALE_SCHEMA" });
  });

  test.each([
    ["a file that is none", "<xs:schem", "part.xsd, line 1: "],
    [
      "a file with a DOCTYPE",
      `<!DOCTYPE a [<!ENTITY b "c">]>${schema("")}`,
      "part.xsd has a DOCTYPE",
    ],
  ])("%s is named", async (_, text, message) => {
    const xsd = schema('<xs:include schemaLocation="part.xsd"/>');
    await expect(createValidator({ xsd, files: { "part.xsd": text } })).rejects.toThrow(message);
  });

  test("an import that is not loaded is a warning, and told where it is missed", async () => {
    const imported = '<xs:import namespace="urn:o" schemaLocation="o.xsd"/>';
    const any = '<xs:any namespace="urn:o" processContents="lax"/>';
    const lax = `<xs:element name="a"><xs:complexType><xs:sequence>${any}</xs:sequence></xs:complexType></xs:element>`;
    const validator = await createValidator({ xsd: schema(imported + lax) });
    expect(validator.warnings).toEqual([
      "The namespace urn:o is not checked, it was not loaded: o.xsd, which is not there.",
    ]);
    const missed = schema(`${imported}<xs:element xmlns:o="urn:o" name="a" type="o:T"/>`);
    await expect(createValidator({ xsd: missed })).rejects.toThrow(/does not resolve.*o\.xsd/);
  });
});

describe("readXmlSchema", () => {
  const utf16 = (text: string, order: "le" | "be"): Uint8Array => {
    const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
    return order === "le" ? bytes : bytes.swap16();
  };

  test("reads each file in the encoding that it declares, below the folder only", async () => {
    const root = temporaryFolder();
    const folder = join(root, "schemas");
    mkdirSync(join(folder, "parts"), { recursive: true });
    const include = (name: string): string => `<xs:include schemaLocation="${name}"/>`;
    writeFileSync(
      join(folder, "tree.xsd"),
      Buffer.from(
        `<?xml version="1.0" encoding="ISO-8859-1"?>${schema(`${include("parts/b%20.xsd")}${include("./link.xsd")}<xs:element name="bøk" type="Bøk"/>`)}`,
        "latin1",
      ),
    );
    const part = `<xs:simpleType name="Bøk"><xs:restriction base="xs:int"/></xs:simpleType>`;
    writeFileSync(
      join(folder, "parts/b .xsd"),
      utf16(
        `<?xml version="1.0" encoding="UTF-16"?>${schema(include("../tree.xsd") + part)}`,
        "be",
      ),
    );
    writeFileSync(join(root, "outside.xsd"), schema(""));
    symlinkSync(join(root, "outside.xsd"), join(folder, "link.xsd"));
    const read = await readXmlSchema(join(folder, "tree.xsd"));
    expect(Object.keys(read.files ?? {})).toEqual(["parts/b .xsd"]);
    await expect(createValidator(read)).rejects.toThrow(
      "tree.xsd includes ./link.xsd, which is not",
    );
    const validator = await createValidator({
      ...read,
      files: { ...read.files, "link.xsd": schema("") },
    });
    expect((await validator.validate("<bøk>4</bøk>")).action).toBe("accept");
    expect((await validator.validate("<bøk>x</bøk>")).action).toBe("retry");
  });

  test("what cannot be read is named", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "a.xsd");
    await expect(readXmlSchema(path)).rejects.toThrow(
      `${path} cannot be read: there is no such file`,
    );
    await expect(readXmlSchema(folder)).rejects.toThrow("it is a folder");
    writeFileSync(path, '<?xml version="1.0" encoding="x-morse"?><a/>');
    await expect(readXmlSchema(path)).rejects.toThrow("its encoding x-morse is not known");
    writeFileSync(path, Buffer.from([0x3c, 0xff]));
    await expect(readXmlSchema(path)).rejects.toThrow("not valid in the encoding utf-8");
  });

  test.each<[string, Uint8Array, string]>([
    ["UTF-8 with a mark", Buffer.from("\ufeff<ä/>"), "<ä/>"],
    ["UTF-16, little end first, with a mark", utf16("<ä/>", "le"), "<ä/>"],
    ["UTF-16 without a mark", utf16("<ä/>", "be").subarray(2), "<ä/>"],
    ["UTF-8 that says UTF-16", Buffer.from("<?xml version='1.0' encoding='UTF-16'?><ä/>"), "<ä/>"],
    ["KOI8-R", Buffer.from("<?xml version='1.0' encoding='KOI8-R'?><a>\xd1</a>", "latin1"), "я"],
  ])("decodes %s", (_, bytes, text) => {
    expect(decodeXml(bytes)).toContain(text);
  });
});
