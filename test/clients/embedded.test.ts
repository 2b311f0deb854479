/**
 * Agents of which a prompt fits, or nearly, into 2,048 tokens of the embedded model, with a real `chorale serve` that
 * `chorale connect` finds by itself. The model is too small to be of use to them: what counts is that every part of a
 * turn goes through, and that a prompt which does not fit is told to the person.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { workplaceTest } from "./client-test.ts";
import type { ClientRun, Workplace } from "./workplace.ts";

const MODEL = "chorale-demo";
const QUESTION = "What is 12 * 34?";
/** Half of what the model has: less than the whole prompts of these programs. */
const CONTEXT = 2048;

async function connected(
  { chorale, serve }: Pick<Workplace, "chorale" | "serve">,
  client: string,
): Promise<string> {
  const url = await serve("--context", String(CONTEXT));
  const { status, stdout, stderr } = await chorale("connect", client, "--write", "--json");
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ url, model: MODEL, context_length: CONTEXT });
  return url;
}

/** Tokens that the server has sampled so far. */
async function sampled(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^chorale_generation_tokens_total (\d+)/m.exec(metrics)?.[1]);
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

const text = ({ stdout, stderr }: ClientRun): string => stdout + stderr;

workplaceTest(
  "pi, with a short system prompt",
  ["@earendil-works/pi-coding-agent"],
  async (place) => {
    await connected(place, "pi");
    const { home, run } = place;
    // It keeps a reserve of its own, which is more than this context has.
    edit(join(home, ".pi", "agent", "models.json"), (json) =>
      json.replace('"contextWindow": 2048', '"contextWindow": 16384'),
    );
    const flags = ["--provider", "chorale", "--model", MODEL, "--no-session", "--mode", "json"];
    const lean = ["--system-prompt", "You are a helpful assistant.", "--tools", "read"];
    const { status, stdout } = await run("pi", [...flags, ...lean, "-p", QUESTION], {
      PI_OFFLINE: "1",
    });
    expect(status).toBe(0);
    const ends = stdout
      .split("\n")
      .filter((line) => line.startsWith('{"type":"turn_end"'))
      .map(
        (line) =>
          JSON.parse(line) as { message: { stopReason: string; usage: { output: number } } },
      );
    expect(ends.length).toBeGreaterThan(0);
    for (const { message } of ends)
      expect(["stop", "toolUse", "length"]).toContain(message.stopReason);
    expect(ends[0]?.message.usage.output).toBeGreaterThan(1);
  },
);

workplaceTest("Codex, with short instructions", ["@openai/codex"], async (place) => {
  const url = await connected(place, "codex");
  const { home, run } = place;
  const exec = ["exec", "--skip-git-repo-check", "--json", "--profile", "chorale"];
  const whole = await run("codex", [...exec, QUESTION]);
  expect(text(whole)).toContain("ran out of room in the model's context window");

  edit(join(home, ".codex", "chorale-models.json"), (json) =>
    json.replace(/"base_instructions": ".*"/, '"base_instructions": "You use tools."'),
  );
  const lean = [
    ...["-c", "skills.include_instructions=false"],
    ...["-c", "tools.experimental_request_user_input.enabled=false"],
  ];
  expect(await sampled(url)).toBe(0);
  const { stdout, stderr } = await run("codex", [...exec, ...lean, QUESTION]);
  // A model of this size may well go on until its context is full.
  expect(stdout, stderr).toMatch(
    /"type":"turn.completed"|"Incomplete response returned, reason: max/,
  );
  expect(await sampled(url)).toBeGreaterThan(0);
});

workplaceTest(
  "Continue, whose prompt is a little too long",
  ["@continuedev/cli"],
  async (place) => {
    const url = await connected(place, "continue");
    const { home, run } = place;
    const config = ["--config", join(home, ".continue", "chorale.yaml")];
    const all = [
      "Read",
      "List",
      "Write",
      "Edit",
      "MultiEdit",
      "Search",
      "Fetch",
      "Checklist",
      "Bash",
      "Skills",
    ];
    const whole = await run("cn", [...config, "-p", QUESTION]);
    expect(text(whole)).toContain("and the model's context holds 2048");

    const bare = all.flatMap((tool) => ["--exclude", tool]);
    expect(await sampled(url)).toBe(0);
    const said = text(await run("cn", [...config, ...bare, "-p", QUESTION]));
    expect(await sampled(url), said).toBeGreaterThan(0);
  },
);
