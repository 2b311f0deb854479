/** What Python prints while a cell runs. */
import { expect, test } from "vitest";
import { createPythonTool, type ToolProgress } from "../../tools/index.ts";
import { toolContext } from "./support.ts";

test("is told in pieces before the cell has ended, and is in its result", async () => {
  await using python = createPythonTool();
  const told: ToolProgress[] = [];
  const context = { ...toolContext(), onProgress: (one: ToolProgress) => void told.push(one) };
  const code = `
import time
print("first")
time.sleep(0.7)
print("second")
time.sleep(0.7)
print("x" * 100_000)
time.sleep(0.7)`;
  const result = await python.execute?.(code, context);
  const text = typeof result === "string" ? result : result?.text;
  expect(text).toMatch(/^first\nsecond\nx{100}/);
  expect(told.map(({ output }) => output).slice(0, 2)).toEqual(["first\n", "second\n"]);
  // Of a flood the end is told.
  expect(told[2]?.output).toHaveLength(4_096);
  // The next cell tells nothing of the one before.
  told.length = 0;
  await python.execute?.("1 + 1", context);
  expect(told).toEqual([]);
});
