/** Tools that are not declared at once: which, how they are found, and that the prompt's beginning stays. */
import { describe, expect, test } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import { ToolIndex } from "../../runtime/calls/tool-index.ts";
import { fold } from "../../runtime/thread/fold.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { scriptedModel } from "./scripted-run.ts";

const tool = (name: string, description: string, properties: object = {}): Tool =>
  defineTool({
    name,
    description,
    inputSchema: { type: "object", properties },
    execute: () => "ok",
  }) as Tool;

const tools = [
  tool("list_issues", "Lists the issues of a repository.", { state: { type: "string" } }),
  tool("create_issue", "Opens a new issue.", { title: { type: "string" } }),
  tool("mergePullRequest", "Merges a pull request into its base branch."),
  tool("read_calendar", "Shows appointments.", {
    from: { type: "string", description: "First day of the week, such as a Monday." },
  }),
  tool("send_mail", "Sends a mail to one or more people."),
];

describe("a search for tools", () => {
  const index = new ToolIndex(new DeclaredTools(tools).list);
  const found = (query: string): string[] =>
    index.search(query, 3).map(({ recipient }) => recipient.replace("functions.", ""));

  test.each([
    ["create an issue", "create_issue"],
    ["list issues", "list_issues"],
    ["merge", "mergePullRequest"],
    ["pull request", "mergePullRequest"],
    ["appointment", "read_calendar"],
    ["what is on Monday", "read_calendar"],
    ["e-mail to Ann", "send_mail"],
    ["functions.send_mail", "send_mail"],
    ["SEND_MAIL", "send_mail"],
  ])("%s", (query, expected) => expect(found(query)[0]).toBe(expected));

  test("finds nothing where no word fits, and the same each time", () => {
    expect(found("quaternion")).toEqual([]);
    expect(found("")).toEqual([]);
    expect(found("issue of the mail")).toEqual(found("issue of the mail"));
  });
});

const call = (name: string, args: object): string =>
  `<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${JSON.stringify(args)}<|call|>`;
const FINAL = "<|channel|>final<|message|>Done.<|return|>";

describe("beyond the budget of tokens", () => {
  test("tools are declared in their order up to half of it, the others when they are found", async () => {
    const { model, engine } = scriptedModel([
      call("tool_search", { query: "send a mail", limit: 1 }),
      call("tool_search", { query: "mail", limit: 1 }),
      call("send_mail", {}),
      FINAL,
      FINAL,
    ]);
    const agent = new Agent({ model, tools, toolTokenBudget: 100, date: "2026-01-31" });
    const thread = agent.thread();
    const { status } = await agent.run(thread, "Mail Ann.").result;
    expect(status).toBe("completed");
    const prompts = engine.requests.map(({ tokens }) => model.tokenizer.decode(tokens));
    const [first = "", , third = ""] = prompts;
    expect(first).toContain("type list_issues =");
    expect(first).toContain("type tool_search =");
    expect(first).not.toContain("type send_mail =");
    expect(first).toMatch(/They are: .*send_mail\./);
    // Declared once, behind the first result; the beginning is the same ids.
    expect(third.match(/type send_mail =/g)).toHaveLength(1);
    expect(engine.requests[2]?.tokens.slice(0, 150)).toEqual(
      engine.requests[0]?.tokens.slice(0, 150),
    );

    const entries = await thread.entries();
    expect(entries.filter((entry) => entry.type === "result" && "declares" in entry)).toMatchObject(
      [{ declares: { recipients: ["functions.send_mail"] } }],
    );
    expect(fold(JSON.parse(JSON.stringify(entries)))).toEqual(thread.state);
    // It stays declared in the next turn.
    await agent.run(thread, "And Bob.").result;
    const next = model.tokenizer.decode(engine.requests.at(-1)?.tokens ?? []);
    expect(next.match(/type send_mail =/g)).toHaveLength(1);
  });

  test("a search without a result names the tools", async () => {
    const { model, engine } = scriptedModel([call("tool_search", { query: "quaternion" }), FINAL]);
    const agent = new Agent({ model, tools, toolTokenBudget: 0 });
    await agent.run(agent.thread(), "?").result;
    expect(model.tokenizer.decode(engine.requests[1]?.tokens ?? [])).toMatch(
      /None of the 5 tools matches\. They are: list_issues, create_issue, .*send_mail\.<\|end\|>/,
    );
  });

  test("the tool that has to be called is declared; what fits is declared without a search", async () => {
    const { model, engine } = scriptedModel([FINAL, FINAL]);
    const agent = new Agent({ model, tools });
    const run = async (options: object): Promise<string> => {
      const thread = agent.thread();
      const from = engine.requests.length;
      await agent.run(thread, "?", options).result;
      return model.tokenizer.decode(engine.requests[from]?.tokens ?? []);
    };
    const whole = await run({});
    expect(whole).not.toContain("tool_search");
    for (const { recipient } of tools) {
      expect(whole).toContain(`type ${recipient.replace("functions.", "")} =`);
    }
    const forced = await run({ toolTokenBudget: 0, toolChoice: { tool: "send_mail" } });
    expect(forced).toContain("type send_mail =");
    expect(forced).not.toContain("type list_issues =");
  });

  test("a budget that is none is refused", () => {
    const { model } = scriptedModel([]);
    expect(() => new Agent({ model, tools, toolTokenBudget: -1 })).toThrow(/toolTokenBudget is -1/);
  });
});
