/** Twenty questions about a folder, through the real loop, browser and log, with a model that follows a script. */
import { describe, expect, test } from "vitest";
import { runAgent } from "../../../runtime/agent/agent.ts";
import { ScriptedModel, type ScriptedStep } from "../../../runtime/model/scripted-model.ts";
import { research } from "../../../runtime/research/research.ts";
import { createBrowserTools } from "../../../tools/index.ts";
import {
  type FolderQuestion,
  QUESTION_DOCS,
  QUESTIONS,
} from "../../fixtures/questions/questions.ts";

/** What the last call returned, as the model reads it. */
type Request = Parameters<Extract<ScriptedStep, (...args: never[]) => unknown>>[0];
function lastResult({ transcript }: Request): string {
  const content = transcript.at(-1)?.message.content ?? [];
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Searches with the question, opens the document by its title, and cites the line with the evidence. */
function script({ question, title, answer, evidence }: FolderQuestion): readonly ScriptedStep[] {
  const call = (name: string, input: object) => [
    { recipient: `browser.${name}`, channel: "analysis", text: JSON.stringify(input) },
  ];
  return [
    call("search", { query: question, topn: 10 }),
    (request) => {
      const id = new RegExp(`【(\\d+)†${title}`).exec(
        lastResult(request).replace(/\s*\nL\d+: /g, " "),
      )?.[1];
      return call("open", { id: Number(id ?? -2), loc: 0, num_lines: 100 });
    },
    (request) => {
      const page = lastResult(request);
      const cursor = /^\[(\d+)\]/.exec(page)?.[1];
      const line = page.split("\n").find((each) => each.includes(evidence));
      const number = /^L(\d+): /.exec(line ?? "")?.[1];
      return `${answer.slice(0, -1)}【${cursor}†L${number}】.`;
    },
  ];
}

describe("twenty questions about a folder", () => {
  test("are answered with citations that hold and support their sentence", async () => {
    await using browser = await createBrowserTools({ docs: QUESTION_DOCS });
    expect(QUESTIONS).toHaveLength(20);
    for (const question of QUESTIONS) {
      const result = await runAgent({
        model: new ScriptedModel(script(question)),
        tools: browser.tools,
        prompt: question.question,
        verifyCitations: true,
        maxSteps: 4,
      });
      expect([question.question, result.annotations]).toMatchObject([
        question.question,
        [{ type: "url_citation", url: question.url, support: "supported" }],
      ]);
      expect(result.output).toMatch(question.expects);
    }
  });

  test("lead to citations that hold also with a model that says nothing of use", async () => {
    await using browser = await createBrowserTools({ docs: QUESTION_DOCS });
    const answered: string[] = [];
    for (const { question, expects, url } of QUESTIONS) {
      const model = new ScriptedModel(Array.from({ length: 60 }, () => "nonsense"));
      const { run } = research({ model, tools: browser.tools, question, pagesPerSearch: 3 });
      const { output, annotations } = await run.result;
      expect([question, annotations.length > 0]).toEqual([question, true]);
      for (const annotation of annotations) {
        expect([question, annotation]).toMatchObject([
          question,
          { type: "url_citation", support: "supported" },
        ]);
      }
      const cites = annotations.some((each) => each.type === "url_citation" && each.url === url);
      if (cites && expects.test(output ?? "")) answered.push(question);
    }
    expect(answered.length).toBeGreaterThanOrEqual(15);
  });
});
