/** Traces that only the server that sealed them can read. */
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TraceSeal } from "../../../../runtime/server/responses/sealed-trace.ts";

const anyText = fc.string({ unit: fc.constantFrom("a", " ", "é", "😀", "\u2028", "\0", "\ud83d") });
const seal = new TraceSeal(randomBytes(32));

test("opens every trace that it has sealed", () => {
  fc.assert(
    fc.property(anyText, (trace) => {
      const text = trace.toWellFormed();
      expect(seal.open(seal.seal(text))).toBe(text);
    }),
    { numRuns: 30 },
  );
});

test("opens nothing that was changed, cut off, or sealed elsewhere", () => {
  const sealed = seal.seal("I need the weather tool.");
  expect(new TraceSeal(randomBytes(32)).open(sealed)).toBeNull();
  expect(seal.open("gAAAA0123")).toBeNull();
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), (at) => {
      const other = sealed[at] === "A" ? "B" : "A";
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      // The last letter holds bits that stand for nothing.
      if (at < sealed.length - 1) expect(seal.open(changed)).toBeNull();
      expect(seal.open(sealed.slice(0, at))).toBeNull();
    }),
  );
});

test("shows nothing of the trace, nor that two are the same", () => {
  expect(seal.seal("weather")).not.toBe(seal.seal("weather"));
  expect(Buffer.from(seal.seal("weather"), "base64url").toString("latin1")).not.toContain(
    "weather",
  );
});
