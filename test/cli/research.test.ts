/** `chorale research` with the embedded model over the documents of the tests, and what is kept of it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chorale, eventsOf, type Ran } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

const docs = fileURLToPath(new URL("../fixtures/docs", import.meta.url));
const LIMIT = { timeout: 120_000 };
const QUESTION = "Who kept the light alone for twenty-nine years?";
const ANSWER = /Maren Holt kept the light alone for twenty-nine years.* \[1\]\./;

describe("chorale research", () => {
  let home: string;
  let report: string;
  let ran: Ran;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "research-test-"));
    report = join(home, "report.md");
    ran = await chorale(
      ["research", "--docs", docs, "--seed", "1", "--searches", "1", "-o", report, QUESTION],
      { home },
    );
  }, 120_000);
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test("prints an answer with footnotes, and what it used", () => {
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(ANSWER);
    expect(ran.stdout).toMatch(
      /\n\n\[1\] The lens of the Skerry lighthouse, collection\/lens\.md, lines \d+–\d+: “/,
    );
    expect(ran.stderr).toMatch(
      /1 search, \d pages?, \d+ notes?; \d+ of 24 steps, \d+ tokens written/,
    );
  });

  test("writes a report with its sources", () => {
    const text = readFileSync(report, "utf8");
    expect(text).toMatch(new RegExp(`^# ${QUESTION.replace("?", "\\?")}\n\n`));
    expect(text).toMatch(ANSWER);
    expect(text).toMatch(/## Sources\n\n\[1\] [\s\S]*## How it was found\n\n- Searches: “/);
  });

  test("keeps the pages as they were read", async () => {
    const env = { CHORALE_HOME: home };
    const id = /conversation (thread_\S+)\./.exec(ran.stderr)?.[1] ?? "";
    const shown = await inProcess(["sessions", "show", id], env);
    expect(shown.stdout).toMatch(ANSWER);
    const source = await inProcess(["sessions", "show", id, "--source", "1"], env);
    expect(source.stdout).toMatch(/^\[1\] .* \(\S+\)\nsha256 [0-9a-f]{64}; the model saw lines /);
    const json = await inProcess(["sessions", "show", id, "--source", "1", "--json"], env);
    expect(JSON.parse(json.stdout)).toMatchObject({ cursor: 1, kind: "document" });
    const none = await inProcess(["sessions", "show", id, "--source", "99"], env);
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(
      /--source is 99, and thread thread_\S+ was shown the pages 0 \(search/,
    );
    const exported = await inProcess(["sessions", "export", id], env);
    expect(exported.stdout).toContain("## Cited lines\n\n- 【");
  });

  test("tells a program every event, with the annotations of the answer", LIMIT, async () => {
    const { code, stdout } = await chorale(
      [
        "research",
        "--json",
        "--ephemeral",
        "--docs",
        docs,
        "--seed",
        "1",
        "--searches",
        "1",
        QUESTION,
      ],
      { home },
    );
    expect(code).toBe(0);
    const events = eventsOf(stdout);
    const answers = events.flatMap((event) =>
      event.type === "item.completed" &&
      event.item.type === "agent_message" &&
      event.item.phase === "final_answer"
        ? [event.item]
        : [],
    );
    expect(answers.at(-1)?.annotations?.[0]).toMatchObject({
      type: "url_citation",
      url: "collection/lens.md",
      support: "supported",
    });
    expect(events.at(-1)).toMatchObject({
      type: "run.completed",
      status: "completed",
      exit_code: 0,
    });
  });

  test("stopped with Ctrl-C, leaves plan and notes", LIMIT, async () => {
    const file = join(home, "stopped.md");
    const { code, stdout, stderr } = await chorale(
      ["research", "--docs", docs, "--seed", "1", "-o", file, QUESTION],
      {
        home,
        whileRunning: (child) => {
          let seen = "";
          child.stderr?.on("data", (text: string) => {
            seen += text;
            if (seen.includes("▸ browser.open")) child.kill("SIGINT");
          });
        },
      },
    );
    expect(code).toBe(130);
    expect(stdout).toMatch(/^Plan:\n1\. search for Who kept the light/);
    expect(stderr).toContain("These are the plan and the notes until then:");
    expect(readFileSync(file, "utf8")).toContain("This was stopped before there was an answer");
  });

  test("says what is missing before it loads a model", async () => {
    const env = { CHORALE_HOME: home };
    for (const [args, sentence] of [
      [["x"], /give --docs FOLDER, or --web/],
      [["--docs", docs, " "], /The question is empty/],
      [["--docs", join(home, "none"), "x"], /no such folder/],
      [["--docs", docs, "-o", join(home, "none", "report.md"), "x"], /--output/],
    ] as const) {
      const { code, stderr } = await inProcess(["research", ...args], env);
      expect([code, stderr]).toEqual([2, expect.stringMatching(sentence)]);
    }
  });
});
