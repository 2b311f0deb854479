import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { textLines } from "../../runtime/cli/text-lines.ts";
import { chorale, type Ran } from "./chorale.ts";

let home = "";

const PERSON = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 } },
  required: ["name"],
  additionalProperties: false,
};
const NOTE = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="note"><xs:complexType><xs:sequence>
    <xs:element name="to" type="xs:string"/><xs:element name="count" type="xs:int"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>`;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "chorale-validate-"));
  const files = {
    "person.schema.json": JSON.stringify(PERSON),
    "note.xsd": NOTE,
    "good.json": '{"name": "Ada", "age": 36}',
    "bad.json": '{\n  "name": "Ada",\n  "agee": 36\n}',
    "fenced.json": '```json\n{"name": "Ada"}\n```',
    "people.ndjson": '{"name":"A"}\n\n{"name":1}\r\n{"name":"B"',
    "people.yaml": "name: A\n---\nname: B\nage: -1\n",
    "note.xml": "<note><to>A</to>\n<count>x</count></note>",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Paths of the test's own folder are shown by their names. */
async function validate(args: readonly string[], stdin?: string): Promise<Ran> {
  const ran = await chorale(["validate", ...args.map((arg) => arg.replace(/^@/, `${home}/`))], {
    home,
    ...(stdin !== undefined && { stdin }),
  });
  const short = (text: string) => text.replaceAll(`${home}/`, "");
  return { ...ran, stdout: short(ran.stdout), stderr: short(ran.stderr) };
}

test("each file is told, with the mistakes of those that are not valid", async () => {
  const { code, stdout, stderr } = await validate([
    "--schema",
    "@person.schema.json",
    "@good.json",
    "@bad.json",
    "@people.ndjson",
    "@people.yaml",
    "@fenced.json",
  ]);
  expect(stderr).toBe("");
  expect(stdout).toMatchInlineSnapshot(`
    "good.json: valid
    bad.json: unknown "agee" (did you mean "age"?); allowed: "name", "age"
    bad.json: not valid
    people.ndjson:3: /name: must be string, got number 1; write it in quotes
    people.ndjson:4: the text ends before the closing } (line 1 column 12)
    people.ndjson: 2 not valid, 3 documents
    people.yaml document 2: /age: must be >= 0, got -1
    people.yaml: 1 not valid, 2 documents
    fenced.json: the text is not JSON alone; it begins with "\`\`\`json\\n{\\"name\\": \\"Ada\\"}\\n\`\`\`"
    fenced.json: not valid
    "
  `);
  expect(code).toBe(3);
});

test("valid files end with 0, a model's answer in a fence is read where that is asked for", async () => {
  const inline = JSON.stringify(PERSON);
  const { code, stdout } = await validate([
    "--schema",
    inline,
    "--extract",
    "@good.json",
    "@fenced.json",
  ]);
  expect(stdout).toContain("good.json: valid\n");
  expect(stdout).toContain("fenced.json: valid\n");
  expect(code).toBe(0);
  expect((await validate(["--schema", inline], '{"name":"x"}')).stdout).toBe("stdin: valid\n");
});

test("JSON lines say the same for programs", async () => {
  const { code, stdout } = await validate([
    "--schema",
    "@person.schema.json",
    "--json",
    "@people.ndjson",
  ]);
  expect(code).toBe(3);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    {
      type: "document",
      file: "people.ndjson",
      line: 3,
      valid: false,
      errors: [expect.anything()],
      warnings: [],
    },
    {
      type: "document",
      file: "people.ndjson",
      line: 4,
      valid: false,
      errors: [expect.anything()],
      warnings: [],
    },
    { type: "file", file: "people.ndjson", valid: false, documents: 3, invalid: 2 },
  ]);
});

test("XML is checked against an XSD, with the line of each mistake", async () => {
  const { code, stdout } = await validate(["--xsd", "@note.xsd", "@note.xml"]);
  expect(stdout).toContain("note.xml:2: /note/count: ");
  expect(code).toBe(3);
  const root = await validate(
    ["--xsd", "@note.xsd", "--root", "other"],
    "<note><to>A</to><count>1</count></note>",
  );
  expect(root.stdout).toContain("the root element must be <other>");
});

test("what cannot be checked is said in a sentence and ends with 2", async () => {
  const missing = await validate(["--schema", "@person.schema.json", "@nothing.json", "@bad.json"]);
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain("nothing.json cannot be read: there is no such file.");
  expect(missing.stdout).toContain("bad.json: not valid");
  expect((await validate(["@good.json"])).stderr).toContain("--schema or --xsd");
  const mixed = await validate(["--xsd", "@note.xsd", "--input", "yaml", "@people.yaml"]);
  expect(mixed.stderr).toContain("cannot be checked as yaml against an XML Schema");
  const both = await validate(["--xsd", "@note.xsd", "--schema", "true", "@good.json"]);
  expect(both.code).toBe(2);
  const noSchema = await validate(["--schema", "@good.xyz", "@good.json"]);
  expect(noSchema.stderr).toContain("there is no such file");
});

test("a line that takes too long costs the other lines nothing", async () => {
  const schema = JSON.stringify({ type: "string", pattern: "^(a|a)*$" });
  const lines = ['"a"', JSON.stringify(`${"a".repeat(40)}b`), '"b"', '"aa"'];
  const { code, stdout } = await validate(
    ["--schema", schema, "--input", "ndjson"],
    lines.join("\n"),
  );
  expect(stdout).toContain("stdin:2: checking it was given up");
  expect(stdout).toContain("stdin: 2 not valid, 4 documents\n");
  expect(code).toBe(3);
});

test("lines are the same however the stream is cut into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, ""))),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      async (texts, ending, isEnded, size) => {
        const whole = Buffer.from(texts.join(ending) + (isEnded ? ending : ""));
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) =>
          whole.subarray(at * size, (at + 1) * size),
        );
        const read = await Array.fromAsync(textLines(Readable.from(chunks), 1000));
        expect(read.map(({ line, bytes }) => [line, bytes?.toString()])).toEqual(
          texts.map((text, at) => [at + 1, text]).filter(([, text]) => text !== ""),
        );
      },
    ),
  );
});

test("a line that is too long is passed over, and those behind it are read", async () => {
  const chunks = [Buffer.from("ab\nxxx"), Buffer.from("xxxxxx"), Buffer.from("x\ncd\n")];
  const read = await Array.fromAsync(textLines(Readable.from(chunks), 5));
  expect(read.map(({ line, bytes }) => [line, bytes?.toString()])).toEqual([
    [1, "ab"],
    [2, undefined],
    [3, "cd"],
  ]);
});
