import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { truncateToTokens } from "../../tools/index.ts";
import { countWords } from "./support.ts";

describe("truncateToTokens", () => {
  test("leaves what fits", () => {
    expect(truncateToTokens("a b c", 3, countWords)).toEqual({ text: "a b c" });
  });

  test("keeps whole lines of the head and the tail and says what is missing", () => {
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`);
    const { text, truncated } = truncateToTokens(lines.join("\n"), 100, countWords);
    expect(truncated?.fromTokens).toBe(400);
    expect(truncated?.toTokens).toBeLessThanOrEqual(100);
    const shown = text.split("\n");
    const cut = shown.findIndex((line) => line.startsWith("[..."));
    const head = shown.slice(0, cut);
    const tail = shown.slice(cut + 1);
    expect(head).toEqual(lines.slice(0, head.length));
    expect(tail).toEqual(lines.slice(-tail.length));
    const missing = 200 - head.length - tail.length;
    expect(shown[cut]).toBe(
      `[... ${missing * 2} tokens (${missing} lines) cut here; only the beginning and the end are shown ...]`,
    );
  });

  test("a megabyte is not counted token by token", () => {
    let counted = 0;
    const count = (text: string): number => {
      counted += text.length;
      return Math.ceil(text.length / 4);
    };
    const { text, truncated } = truncateToTokens("x".repeat(4_000_000), 100, count);
    expect(counted).toBeLessThan(1_000_000);
    expect(text).toContain("about 9");
    expect(truncated?.fromTokens).toBe(1_000_000);
    expect(truncated?.toTokens).toBeLessThanOrEqual(100);
  });

  test("keeps within the limit and never cuts a character in two", () => {
    const count = (text: string): number => Math.ceil(text.length / 3);
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("😀", "a", "\n", " "), maxLength: 2000 }),
        fc.integer({ min: 60, max: 300 }),
        (text, limit) => {
          const result = truncateToTokens(text, limit, count);
          expect(count(result.text)).toBeLessThanOrEqual(limit);
          expect(result.text.isWellFormed()).toBe(true);
          expect(result.truncated === undefined).toBe(result.text === text);
        },
      ),
    );
  });
});
