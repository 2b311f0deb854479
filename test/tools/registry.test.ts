import { describe, expect, test } from "vitest";
import { defineTool, type Tool, ToolRegistry } from "../../tools/index.ts";

const tool = (recipient: string, close?: () => Promise<void>): Tool => ({
  recipient,
  description: "",
  inputSchema: true,
  timeoutMs: 1000,
  execute: async () => "",
  ...(close && { close }),
});

describe("ToolRegistry", () => {
  test("finds tools by recipient and by namespace, in the order they were added", () => {
    const names = ["functions.b", "python", "functions.a", "browser.search", "browser.open"];
    const registry = new ToolRegistry(names.map((name) => tool(name)));
    expect(registry.get("functions.a")?.recipient).toBe("functions.a");
    expect(registry.get("functions.c")).toBeUndefined();
    expect(registry.list().map((t) => t.recipient)).toEqual(names);
    expect(registry.inNamespace("functions").map((t) => t.recipient)).toEqual([
      "functions.b",
      "functions.a",
    ]);
    expect(registry.inNamespace("python")).toHaveLength(1);
  });

  test("refuses a second tool of a name", () => {
    const registry = new ToolRegistry([tool("functions.a")]);
    expect(() => registry.add(tool("functions.a"))).toThrow(/"functions.a" is already registered/);
  });

  test.each([
    "",
    ".",
    "functions.",
    "functions.a b",
    "functions.a-b",
    "a.b.c",
    "functions.é",
    "1a",
    `f.${"x".repeat(65)}`,
  ])("refuses the recipient %j", (recipient) => {
    expect(() => new ToolRegistry([tool(recipient)])).toThrow(
      expect.objectContaining({ code: "CHORALE_TOOL_DEFINITION" }),
    );
  });

  test("names of Object.prototype are ordinary names", () => {
    const registry = new ToolRegistry([tool("functions.constructor")]);
    expect(registry.get("functions.toString")).toBeUndefined();
    expect(registry.get("functions.constructor")).toBeDefined();
  });

  test("closes every tool, also when one fails", async () => {
    const closed: string[] = [];
    const registry = new ToolRegistry([
      tool("a", async () => {
        throw new Error("stuck");
      }),
      tool("b", async () => {
        closed.push("b");
      }),
      defineTool({ name: "c", description: "", execute: () => "" }),
    ]);
    await expect(registry.close()).rejects.toThrow(AggregateError);
    expect(closed).toEqual(["b"]);
  });
});
