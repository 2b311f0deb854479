import { expect, test, vi } from "vitest";
import { Output } from "../../runtime/cli/output.ts";

test("a marker that a model named cannot steer the terminal", () => {
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const output = new Output("never", {});
    output.watchLines("▸ functions.\u001b[2Jx", "\u001b]0;title\u0007", "call");
  } finally {
    spy.mockRestore();
  }
  expect(written).toEqual([expect.stringMatching(/^▸ functions\.␛\[2Jx ␛\]0;title␇\n$/)]);
});
