import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classifyAddress } from "../../tools/net/address.ts";

const isPublic = (text: string): boolean => classifyAddress(text).isPublic;

/** Ranges that are not public, as first and last address. */
const PRIVATE_V4: readonly (readonly [string, string])[] = [
  ["0.0.0.0", "0.255.255.255"],
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["169.254.0.0", "169.254.255.255"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.0.0.0", "192.0.0.255"],
  ["192.0.2.0", "192.0.2.255"],
  ["192.88.99.0", "192.88.99.255"],
  ["192.168.0.0", "192.168.255.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["198.51.100.0", "198.51.100.255"],
  ["203.0.113.0", "203.0.113.255"],
  ["224.0.0.0", "255.255.255.255"],
];

const numberOf = (text: string): number =>
  text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const octets = (value: number): readonly number[] => [
  value >>> 24,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
const dotted = (value: number): string => octets(value).join(".");
const group = (high = 0, low = 0): string => ((high << 8) | low).toString(16);

/** An address by its number in every spelling that systems and libraries have accepted. */
function spellings(value: number): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = octets(value);
  const hex = (n: number): string => `0x${n.toString(16)}`;
  const octal = (n: number): string => `0${n.toString(8)}`;
  return [
    dotted(value),
    String(value),
    hex(value),
    octal(value),
    [a, b, c, d].map(hex).join("."),
    [a, b, c, d].map(octal).join("."),
    `${a}.${value & 0xffffff}`,
    `${a}.${b}.${value & 0xffff}`,
    `::ffff:${dotted(value)}`,
    `[::ffff:${group(a, b)}:${group(c, d)}]`,
    `0:0:0:0:0:ffff:${group(a, b)}:${group(c, d)}`,
    `64:ff9b::${dotted(value)}`,
    `64:ff9b::${group(a, b)}:${group(c, d)}`,
  ];
}

/** Spellings in IPv6 that are refused whatever they hold. */
function tunnels(value: number): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = octets(value);
  const [high, low] = [group(a, b), group(c, d)];
  return [
    `::${dotted(value)}`,
    `2002:${high}:${low}::1`,
    `2001:0:${high}:${low}::1`,
    `64:ff9b:1::${high}:${low}`,
    `::ffff:0:${dotted(value)}`,
    `2a00:1450::5efe:${high}:${low}`.replace("2a00:1450::", "2a00:1450:0:0:0:"),
  ];
}

const inRange = fc
  .constantFrom(...PRIVATE_V4)
  .chain(([first, last]) => fc.integer({ min: numberOf(first), max: numberOf(last) }));

describe("addresses", () => {
  test("no address of a special range is public, in any spelling", () => {
    fc.assert(
      fc.property(inRange, (value) => {
        for (const text of [...spellings(value), ...tunnels(value)]) {
          expect.soft(isPublic(text), text).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("the edges of every range, and what lies beside them", () => {
    for (const [first, last] of PRIVATE_V4) {
      expect(isPublic(first), first).toBe(false);
      expect(isPublic(last), last).toBe(false);
    }
    const beside = ["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"];
    beside.push("126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255");
    beside.push(
      "172.32.0.0",
      "192.167.255.255",
      "192.169.0.0",
      "198.17.255.255",
      "223.255.255.255",
    );
    for (const text of beside) {
      for (const spelling of spellings(numberOf(text))) {
        expect(isPublic(spelling), spelling).toBe(true);
      }
      for (const tunnel of tunnels(numberOf(text))) expect(isPublic(tunnel), tunnel).toBe(false);
    }
  });

  test.each([
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["169.254.169.254", "link-local"],
    ["168.63.129.16", "a cloud's metadata service"],
    ["fd00:ec2::254", "unique-local"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "bound to an interface of this machine"],
    ["2a00:1450::1%lo", "bound to an interface of this machine"],
    ["fec0::1", "site-local"],
    ["ff02::1", "multicast"],
    ["::", "unspecified"],
    ["::7f00:1", "reserved"],
    ["100::1", "reserved"],
    ["2001:db8::1", "reserved"],
    ["3fff::1", "reserved"],
    ["4000::1", "reserved"],
    ["2002:7f00:1::", "a 6to4 tunnel"],
    ["2001::1", "a Teredo tunnel"],
    ["example.com", "no address"],
    ["", "no address"],
    ["1.2.3.4.5", "no address"],
    ["256.1.1.1", "no address"],
  ])("%s is %s", (text, range) => {
    expect(classifyAddress(text)).toEqual({ isPublic: false, range });
  });

  test.each(["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:80e::200e"])(
    "%s is public",
    (text) => expect(classifyAddress(text)).toEqual({ isPublic: true }),
  );

  test("no text makes it throw, and none but an address is public", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (isPublic(text)) expect(text).toMatch(/^[\d.a-fA-Fx:[\]]+$/);
      }),
    );
  });
});
