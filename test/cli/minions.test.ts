/** `chorale minions` with the embedded model as the worker, and a chat API on loopback that keeps what it gets. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chorale } from "./chorale.ts";

const CANARY = "Zephyr Quill 4471";
const TASKS = '{"tasks":[{"task":"Repeat the excerpt.","advice":"Every word."}]}';
const ANSWER = '{"decision":"provide_final_answer","answer":"[PRIVATE_1] lives there."}';

describe("chorale minions", () => {
  let home: string;
  let server: Server;
  let flags: readonly string[];
  const bodies: string[] = [];

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "minions-test-"));
    writeFileSync(join(home, "a.txt"), `${CANARY} lives in Oslo. The invoice is 310 units.\n`);
    writeFileSync(join(home, "private"), `${CANARY}\n`);
    writeFileSync(join(home, "prices"), '{"big":{"input":2,"output":8}}');
    server = createServer(async (request, response) => {
      const body = await text(request);
      bodies.push(body);
      const content = body.includes("prepare_jobs") ? TASKS : ANSWER;
      response.setHeader("content-type", "text/event-stream");
      const chunk = (choice: object, usage?: object): string =>
        `data: ${JSON.stringify({ object: "chat.completion.chunk", choices: [{ index: 0, ...choice }], ...(usage && { usage }) })}\n\n`;
      response.write(chunk({ delta: { role: "assistant", content } }));
      const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
      response.end(`${chunk({ delta: {}, finish_reason: "stop" }, usage)}data: [DONE]\n\n`);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    flags = ["--context", join(home, "a.txt"), "--private", join(home, "private"), "--seed", "1"];
    flags = ["minions", ...flags, "--remote", "big", "--remote-url", `http://127.0.0.1:${port}/v1`];
  });
  afterAll(() => {
    server.close();
    rmSync(home, { recursive: true, force: true });
  });

  test("shows what it sends, keeps what is private, and reports", { timeout: 60_000 }, async () => {
    bodies.length = 0;
    const receipt = join(home, "receipt.json");
    const ran = await chorale(
      [
        ...flags,
        "--prices",
        join(home, "prices"),
        "--receipt",
        receipt,
        `Where does ${CANARY} live?`,
      ],
      { home },
    );
    expect(ran.stderr).toContain("sends request 1 to big");
    expect(ran.stderr).toContain("Where does [PRIVATE_1] live?");
    expect(ran.stderr).toMatch(/rounds 1; jobs 1 \(/);
    expect(ran.stderr).toMatch(/tokens: 220 remote, .*cost: 0\.0006/s);
    expect(ran).toMatchObject({ code: 0, stdout: `${CANARY} lives there.\n` });
    expect(bodies).toHaveLength(2);
    expect(
      bodies
        .join("")
        .toLowerCase()
        .replace(/[^a-z0-9]/g, ""),
    ).not.toContain("zephyrquill");
    expect(JSON.parse(readFileSync(receipt, "utf8"))).toMatchObject([
      { request: 1 },
      { request: 2 },
    ]);
  });

  test("sends nothing in a dry run", { timeout: 60_000 }, async () => {
    bodies.length = 0;
    const ran = await chorale([...flags, "--dry-run", "--json", "Where?"], { home });
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ status: "dry_run", receipt: [{ request: 1 }] });
    expect(ran.stderr).toContain("would send request 1");
    expect(bodies).toEqual([]);
  });

  test("ends before it goes beyond the budget", { timeout: 60_000 }, async () => {
    const ran = await chorale([...flags, "--budget", "50", "Where?"], { home });
    expect(ran.code).toBe(4);
    expect(ran.stderr).toMatch(/of the 50 tokens for big/);
  });

  test.each([
    [["--remote", "big", "Where?"], "--context is missing"],
    [["--context", "/nowhere", "--remote", "big", "Where?"], "there is no such file"],
    [["--context", "package.json", "Where?"], "--remote is missing"],
    [
      ["--context", "package.json", "--remote", "big", "--redact", "moods", "Where?"],
      "--redact has moods",
    ],
    [
      ["--context", "package.json", "--remote", "big", "--prices", "package.json", "Where?"],
      "has no price for big",
    ],
  ])("%j is refused", async (given, problem) => {
    const ran = await chorale(["minions", ...given], { home });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(problem);
  });
});
