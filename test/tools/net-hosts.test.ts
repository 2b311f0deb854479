import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  HostPatternError,
  isHostGranted,
  narrowerHost,
  parseHostPattern,
} from "../../tools/net/index.ts";

const granted = (url: string, ...patterns: string[]): boolean =>
  isHostGranted(new URL(url), patterns.map(parseHostPattern));
const narrower = (a: string, b: string): string | null =>
  narrowerHost(parseHostPattern(a), parseHostPattern(b))?.text ?? null;

describe("patterns of hosts", () => {
  test.each([
    ["API.Example.com", "api.example.com"],
    ["example.com.", "example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["example.com:80", "example.com:80"],
    ["[2001:DB8::1]:8080", "[2001:db8::1]:8080"],
    ["0x7f.1", "127.0.0.1"],
    ["*.example.com:8443", "*.example.com:8443"],
    ["*", "*"],
    ["*:8080", "*:8080"],
  ])("%s means %s", (pattern, text) => {
    expect(parseHostPattern(pattern).text).toBe(text);
  });

  test.each(["", "*.*.com", "a*.com", "*com", "http://a.com", "a.com/x", "u@a.com", "a.com:0"])(
    "%j is refused",
    (pattern) => expect(() => parseHostPattern(pattern)).toThrow(HostPatternError),
  );

  test.each(["a.com:99999", "a b.com", "a.com?x", "::1", "[::1", ":80"])(
    "%j is refused",
    (pattern) => expect(() => parseHostPattern(pattern)).toThrow(HostPatternError),
  );

  test("a name is granted with the ports of its schemes and no others", () => {
    expect(granted("https://a.com/x", "a.com")).toBe(true);
    expect(granted("http://A.com./x", "a.com")).toBe(true);
    expect(granted("https://a.com:8443/", "a.com")).toBe(false);
    expect(granted("ftp://a.com/", "a.com")).toBe(false);
    expect(granted("https://a.com:8443/", "a.com:8443")).toBe(true);
    expect(granted("https://a.com/", "a.com:443")).toBe(true);
    expect(granted("http://a.com/", "a.com:443")).toBe(false);
    expect(granted("https://b.a.com/", "a.com")).toBe(false);
    expect(granted("https://a.com.evil.com/", "a.com")).toBe(false);
    expect(granted("https://a.com@evil.com/", "a.com")).toBe(false);
  });

  test("a star grants what is below a name, and neither the name nor its look-alikes", () => {
    expect(granted("https://b.a.com/", "*.a.com")).toBe(true);
    expect(granted("https://c.b.a.com/", "*.a.com")).toBe(true);
    expect(granted("https://a.com/", "*.a.com")).toBe(false);
    expect(granted("https://evila.com/", "*.a.com")).toBe(false);
    expect(granted("https://anything.org/", "*")).toBe(true);
    expect(granted("https://anything.org:1234/", "*")).toBe(false);
  });

  test.each([
    ["a.com", "a.com", "a.com"],
    ["*", "a.com", "a.com"],
    ["*.a.com", "b.a.com", "b.a.com"],
    ["*.a.com", "*.b.a.com", "*.b.a.com"],
    ["*.a.com", "*.a.com", "*.a.com"],
    ["a.com", "a.com:443", "a.com:443"],
    ["*", "a.com:80", "a.com:80"],
    ["a.com:443", "*", "a.com:443"],
    ["a.com", "a.com:8080", null],
    ["*", "*:8080", null],
    ["a.com", "b.com", null],
    ["*.a.com", "a.com", null],
    ["a.com:80", "a.com:443", null],
  ])("%s and %s have in common %s", (a, b, both) => {
    expect(narrower(a, b)).toBe(both);
    expect(narrower(b, a)).toBe(both);
  });

  test("what two patterns have in common is granted by both", () => {
    const name = fc.constantFrom("a.com", "b.a.com", "c.b.a.com", "b.com");
    const port = fc.constantFrom("", ":80", ":443", ":8080");
    const pattern = fc
      .tuple(
        fc.oneof(
          name,
          name.map((n) => `*.${n}`),
          fc.constant("*"),
        ),
        port,
      )
      .map(([host, at]) => host + at);
    const url = fc
      .tuple(fc.constantFrom("http://", "https://"), name, port)
      .map(([scheme, host, at]) => new URL(`${scheme}${host}${at}/`));
    fc.assert(
      fc.property(pattern, pattern, url, (a, b, target) => {
        const [one, two] = [parseHostPattern(a), parseHostPattern(b)];
        const both = narrowerHost(one, two);
        const expected = isHostGranted(target, [one]) && isHostGranted(target, [two]);
        expect(both !== null && isHostGranted(target, [both])).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
