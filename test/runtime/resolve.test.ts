import { describe, expect, test } from "vitest";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import { printableRecipient, resolveCall } from "../../runtime/calls/resolve.ts";
import { defineTool, type Tool } from "../../tools/index.ts";

const fn = (name: string): Tool => defineTool({ name, description: "", execute: () => "" });
const builtin = (recipient: string): Tool => ({ ...fn("x"), recipient });
const tools = new DeclaredTools([
  builtin("python"),
  builtin("browser.search"),
  ...["get_weather", "shell", "shelljson", "list", "web_search"].map(fn),
]);

describe("a recipient finds the tool that was declared", () => {
  test.each([
    ["functions.get_weather", "functions.get_weather"],
    ["get_weather", "functions.get_weather"],
    ["python", "python"],
    ["functions.python", "python"],
    ["functions.browser.search", "browser.search"],
    ["functions.get_weather<|channel|>commentary", "functions.get_weather"],
    ["functions.listjson", "functions.list"],
    ["listcode", "functions.list"],
    ["shelljson", "functions.shelljson"],
    ["functions.web-search", "functions.web_search"],
    ["functions.functions.list", "functions.list"],
    ["functions/list", "functions.list"],
    ["functions.list()", "functions.list"],
    [" get_weather ", "functions.get_weather"],
  ])("%j → %s", (recipient, found) => {
    expect(resolveCall(recipient, tools).call).toMatchObject({
      recipient: found,
      execution: "local",
    });
  });

  test.each([
    "functions.get_wether",
    "get_weather2",
    "Get_Weather",
    "assistant",
    "assistant<|channel|>analysis",
    "functions.",
    "",
    "functions.move_file..commentary",
    "__proto__",
  ])("%j is no tool: there is no guessing", (recipient) => {
    expect(resolveCall(recipient, tools)).toMatchObject({
      call: { execution: "unknown" },
      issues: [{ code: "unknown_tool" }],
    });
  });
});

test.each([
  ["functions.bash", "functions.bash"],
  ["a b\n<|x", "a_b"],
  ["<|channel|>", "functions"],
  ["x".repeat(100), "x".repeat(64)],
])("%j is answered by %s", (recipient, name) => {
  expect(printableRecipient(recipient)).toBe(name);
});
