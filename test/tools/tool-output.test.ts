/** What tools return, as the model reads it and as programs get it. */
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textOfContent } from "../../tools/core/content.ts";
import { describeAsJson, toJsonValue } from "../../tools/core/json-value.ts";
import { formatBytes } from "../../tools/core/text.ts";
import { toToolOutput } from "../../tools/core/tool-output.ts";

describe("blocks as MCP has them", () => {
  const image = { type: "image", mimeType: "image/png", data: "A".repeat(16_000) } as const;

  test("text reaches the model, bytes do not, programs get both", () => {
    const content = [image, { type: "text", text: "A chart." }];
    const output = toToolOutput({ content, structuredContent: { rows: 3 } });
    expect(output.text).toBe(
      "[An image (image/png, 12 kB) was left out: this model reads text only.]\nA chart.",
    );
    expect(output).toMatchObject({ content, structuredContent: { rows: 3 } });
    expect(toToolOutput(output)).toEqual(output);
  });

  test.each([
    [
      { type: "audio", mimeType: "audio/wav", data: "AAAA" },
      "[A sound recording (audio/wav, 3 bytes) was left out: this model reads text only.]",
    ],
    [{ type: "resource", resource: { uri: "file:///a.md", text: "# A" } }, "[file:///a.md]\n# A"],
    [
      { type: "resource", resource: { uri: "db://1", mimeType: "application/pdf", blob: "AA==" } },
      "[The resource db://1 (application/pdf, 1 bytes) was left out: this model reads text only.]",
    ],
    [
      { type: "resource_link", uri: "db://2", name: "log\n]ignore", size: 1_500_000 },
      "[A link to log ]ignore, db://2 (1.5 MB)]",
    ],
  ] as const)("%j", (block, text) => {
    expect(textOfContent([block])).toBe(text);
  });

  test("a block of a later revision is named, beside one that is known", () => {
    const content = [
      { type: "video", data: "AAAA" },
      { type: "text", text: "t" },
    ];
    expect(toToolOutput({ content }).text).toBe(
      "[A part of the type video was left out: this model reads text only.]\nt",
    );
  });

  test("data that looks a little like a result is data", () => {
    for (const data of [
      { content: "a page", title: "t" },
      { content: [{ type: "text", text: "a" }], next: 5 },
      { content: [{ type: "paragraph" }] },
      { content: [] },
    ]) {
      expect(toToolOutput(data)).toEqual({ text: JSON.stringify(data), data });
    }
    expect(toToolOutput({ content: [], isError: true })).toMatchObject({ text: "", isError: true });
  });
});

describe("values as JSON", () => {
  class Point {
    x = 1;
    readonly #secret = 2;
    get sum(): number {
      return this.x + this.#secret;
    }
  }

  test.each([
    [new Map([[1, "a"]]), [[1, "a"]]],
    [new Set(["a", new Map([["k", 2n ** 70n]])]), ["a", { k: "1180591620717411303424" }]],
    [{ at: new Date(0), none: undefined }, { at: "1970-01-01T00:00:00.000Z" }],
    [
      [undefined, Number.NEGATIVE_INFINITY, /a+/g],
      [null, "-Infinity", "/a+/g"],
    ],
    [new Float32Array([0.5, 1]), [0.5, 1]],
    [new Point(), { x: 1 }],
    [runInNewContext("({ a: [new Map([[{}, 1]])] })"), { a: [[[{}, 1]]] }],
    [
      Object.assign(new TypeError("no"), { code: 7 }),
      { name: "TypeError", message: "no", code: 7 },
    ],
    [Object.create(null), {}],
    [JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
    [new URL("http://a.example/"), "http://a.example/"],
    [{ toJSON: () => ({ n: 1n }) }, { n: "1" }],
  ])("value %# keeps what is in it", (value, json) => {
    expect(toJsonValue(value)).toEqual(json);
    expect(JSON.parse(JSON.stringify(toJsonValue(value)))).toEqual(json);
  });

  const circle: Record<string, unknown> = { a: [1] };
  circle["o"] = { back: circle };
  let doubled: unknown = [];
  for (let i = 0; i < 40; i++) doubled = [doubled, doubled];
  let deep: unknown = [];
  for (let i = 0; i < 50_000; i++) deep = [deep];

  test.each([
    ["a circle", circle, "a reference to what it stands in at /o/back"],
    [
      "a getter that throws",
      {
        get a() {
          throw new Error("no a");
        },
      },
      "fails when it is read (no a)",
    ],
    ["bytes", [Buffer.from("a")], "bytes (Buffer) at /0"],
    ["a response", new Response("x"), "a Response that shows nothing of what it holds"],
    ["an iterator", [1].values(), "shows nothing of what it holds"],
    ["a symbol", Symbol("s"), "a symbol"],
    ["what grows without bound", doubled, "a value of more than 500000 parts"],
    ["what is too deep", deep, "a value deeper than 200 levels at /0/0"],
  ])("%s is refused by what it is, or described", (_, value, message) => {
    expect(() => toJsonValue(value)).toThrow(message);
    expect(JSON.stringify(describeAsJson(value))).toContain(message);
  });

  test("JSON is what JSON.stringify says it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(toJsonValue(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  test("anything can be described", () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withObjectString: true,
          withSparseArray: true,
        }),
        (value) => {
          JSON.parse(JSON.stringify(describeAsJson(value)));
        },
      ),
    );
  });
});

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1 kB"],
  [12_400, "12 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [1_540_000, "1.5 MB"],
  [10_000_000, "10 MB"],
  [4e15, "4000 TB"],
])("%i bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
