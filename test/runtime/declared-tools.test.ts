import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import { isToolName, type Tool } from "../../tools/index.ts";
import { itemsOf, scriptedRun } from "./scripted-run.ts";

const tool = (recipient: string): Tool => ({
  recipient,
  description: "",
  inputSchema: { type: "object" },
  timeoutMs: 1000,
  execute: async () => `this is ${recipient}`,
});
const names = (...recipients: string[]): string[] =>
  new DeclaredTools(recipients.map(tool)).list.map(({ recipient }) => recipient);

describe("a name the model can be shown", () => {
  test.each([
    ["functions.get_weather", "functions.get_weather"],
    ["python", "python"],
    ["browser.search", "browser.search"],
    ["functions.get-weather", "functions.get_weather"],
    ["functions.Appriver Octopus", "functions.Appriver_Octopus"],
    ["functions.files/read:all", "functions.files_read_all"],
    ["functions.2fa", "functions._2fa"],
    ["functions.wetter_für", "functions.wetter_fr"],
    ["functions.天気", "functions.tool"],
    ["functions.python", "functions.python_tool"],
    ["functions.bash", "functions.bash_tool"],
    ["functions.a.b", "functions.a_b"],
    ["mcp-server.read file", "mcp_server.read_file"],
  ])("%s → %s", (recipient, name) => {
    expect(names(recipient)).toEqual([name]);
  });

  test("two that come out alike are told apart, and a name that needed no change stays", () => {
    expect(names("functions.a-b", "functions.a_b", "functions.a b")).toEqual([
      "functions.a_b_2",
      "functions.a_b",
      "functions.a_b_3",
    ]);
  });

  test("two of the same name are an error", () => {
    expect(() => names("functions.a", "functions.a")).toThrow("already registered");
    expect(() => names("functions.a-b", "functions.a-b")).toThrow("already registered");
    expect(() => names("functions.python", "functions.python")).toThrow("already registered");
  });

  test("is found for any set of names, and each only once", () => {
    const recipient = fc.string({ unit: "grapheme", maxLength: 80 }).map((s) => `functions.${s}`);
    fc.assert(
      fc.property(fc.uniqueArray(recipient, { maxLength: 12 }), (recipients) => {
        const found = names(...recipients);
        expect(new Set(found).size).toBe(recipients.length);
        for (const name of found) {
          expect(isToolName(name.slice("functions.".length)), name).toBe(true);
        }
      }),
    );
  });
});

test("a call by that name reaches the tool, and is reported under the tool's own", async () => {
  const { events, prompts } = await scriptedRun(
    [
      "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{}<|call|>",
      "<|channel|>final<|message|>ok<|return|>",
    ],
    { tools: [tool("functions.get-weather")] },
  );
  expect(prompts[0]).toContain("type get_weather = ");
  expect(itemsOf(events)[0]).toMatchObject({
    tool: "functions.get-weather",
    result: { text: "this is functions.get-weather" },
  });
});
