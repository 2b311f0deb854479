/** Which addresses are one page, and how lists of results become one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalUrl } from "../../../tools/browser/backends/canonical-url.ts";
import { mergeHits } from "../../../tools/browser/backends/merge-hits.ts";
import type { SearchHit } from "../../../tools/index.ts";

describe("addresses", () => {
  it.each([
    ["https://a.example", "http://www.A.example:80/", "https://a.example/index.html#top"],
    ["https://a.example/b", "https://a.example/b/", "http://m.a.example/b?utm_source=x&gclid=1"],
    ["https://a.example/?x=1&y=2", "https://a.example/?y=2&x=1&fbclid=z"],
    ["https://en.wikipedia.org/wiki/Tide", "https://en.m.wikipedia.org/wiki/Tide?wprov=sfla1"],
    ["https://a.example/%7Eb", "https://a.example/~b"],
    ["https://a.example/a%2fb", "https://a.example/a%2Fb"],
    ["https://a.example/x#:~:text=lamp", "https://a.example/x"],
    ["https://a.example./x", "https://a.example/x"],
  ])("of one page are equal: %s", (...addresses) => {
    expect(new Set(addresses.map(canonicalUrl)).size).toBe(1);
  });

  it.each([
    ["https://a.example/", "https://b.example/"],
    ["https://a.example/", "https://a.example:8080/"],
    ["https://a.example/B", "https://a.example/b"],
    ["https://a.example/?id=1", "https://a.example/?id=2"],
    ["https://a.example/a%2Fb", "https://a.example/a/b"],
    ["https://a.example/#/one", "https://a.example/#/two"],
    ["https://m.example/", "https://example/"],
    ["https://user.github.example/", "https://github.example/"],
    ["docs/a.md", "docs/b.md"],
  ])("of two pages are not: %s and %s", (one, other) => {
    expect(canonicalUrl(one)).not.toBe(canonicalUrl(other));
  });

  it("are the same once more", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const once = canonicalUrl(url);
        expect(canonicalUrl(`https://${once}`)).toBe(once);
      }),
    );
  });
});

const hit = (url: string, summary = ""): SearchHit => ({ url, title: url, summary });

describe("results", () => {
  it("stand by the sum of 1 / (60 + rank), in the order of the lists where that is equal", () => {
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => hit(`https://${name}.example/`));
    if (!a || !b || !c || !d) throw new Error("four");
    // b: 1/62 + 1/61; c: 1/63 + 1/62; a: 1/61; d: 1/63.
    expect(
      mergeHits([
        [a, b, c],
        [b, c, d],
      ]),
    ).toEqual([b, c, a, d]);
    expect(mergeHits([[a], [b]])).toEqual([a, b]);
    expect(mergeHits([[], []])).toEqual([]);
  });

  it("are one where they mean one page: the best place, the first summary, the line", () => {
    const merged = mergeHits([
      [hit("https://z.example/"), { ...hit("https://www.a.example/?utm_source=q"), line: 7 }],
      [hit("http://a.example/", "about a")],
    ]);
    expect(merged).toEqual([
      { ...hit("http://a.example/", "about a"), line: 7 },
      hit("https://z.example/"),
    ]);
  });

  it("of one list keep their order, without repetitions", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 }), (numbers) => {
        const merged = mergeHits([numbers.map((number) => hit(`https://a.example/${number}`))]);
        expect(merged).toEqual([...new Set(numbers)].map((n) => hit(`https://a.example/${n}`)));
      }),
    );
  });
});
