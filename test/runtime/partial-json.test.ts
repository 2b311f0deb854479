import fc from "fast-check";
import { expect, test } from "vitest";
import { PartialJson } from "../../runtime/agent/partial-json.ts";

/** Every value that is told while a text is written character by character. */
function told(text: string): readonly unknown[] {
  const partial = new PartialJson();
  return [...text].flatMap((character) => (partial.push(character) ? [partial.value] : []));
}

test("values appear when they have ended", () => {
  expect(told('{"a": 12, "b": ["x", tr')).toEqual([
    {},
    { a: 12 },
    { a: 12, b: [] },
    { a: 12, b: ["x"] },
  ]);
});

test("a text of any shape, in any pieces, ends with its value", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }),
      (value, isPretty, sizes) => {
        const text = `${JSON.stringify(value, null, isPretty ? 2 : 0)}\n`;
        const partial = new PartialJson();
        let at = 0;
        for (const size of sizes) {
          partial.push(text.slice(at, at + size));
          at += size;
        }
        partial.push(text.slice(at));
        expect(partial.value).toEqual(JSON.parse(text));
      },
    ),
  );
});

test("what is told is part of what comes later", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      for (const partial of told(text)) expect(isPartOf(partial, JSON.parse(text))).toBe(true);
    }),
  );
});

function isPartOf(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((item, at) => isPartOf(item, whole[at]));
  }
  if (typeof part !== "object" || part === null) return Object.is(part, whole);
  const held = whole as Record<string, unknown>;
  return Object.entries(part).every(
    ([key, item]) => Object.hasOwn(held, key) && isPartOf(item, held[key]),
  );
}

test("a text that is no JSON tells nothing more, and a long one is not told at every value", () => {
  expect(told('{"a": 1} {"b": 2}')).toEqual([{}, { a: 1 }]);
  expect(told("[nonsense, 1]")).toEqual([[]]);
  const long = JSON.stringify(Array.from({ length: 20_000 }, (_, at) => at));
  expect(told(long).length).toBeLessThan(600);
});
