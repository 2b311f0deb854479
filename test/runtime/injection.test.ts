/**
 * Pages that try to speak for the harness, each driven through a real run: `browser.open`, Harmony, the
 * answer, the terminal. What the model and the person then read is a file of its own, in
 * `test/golden/injection`. The model is as obedient as it can be: its answer repeats the whole page.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Agent } from "../../runtime/agent/agent.ts";
import { Output } from "../../runtime/cli/output.ts";
import { watchRun } from "../../runtime/cli/watch.ts";
import type { Annotation, RunEvent } from "../../runtime/events.ts";
import { FootnoteWriter } from "../../runtime/index.ts";
import { sourcesOf } from "../../runtime/thread/annotate.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import {
  type BrowserTools,
  createBrowserTools,
  defineTool,
  type FolderBackend,
  openDocumentFolder,
  type Tool,
} from "../../tools/index.ts";
import { itemsOf, says, scriptedModel, tokenizer } from "./scripted-run.ts";

const PAGES = join(import.meta.dirname, "../fixtures/injection");
const GOLDEN = join(import.meta.dirname, "../golden/injection");
const HARMLESS = "harmless.html";
const names = readdirSync(PAGES).toSorted();

let browser: BrowserTools;
let folder: FolderBackend;
let harmless: Seen;
beforeAll(async () => {
  browser = await createBrowserTools({ docs: PAGES });
  folder = await openDocumentFolder(PAGES);
  harmless = await see(HARMLESS);
});
afterAll(async () => {
  await browser.close();
  await folder.close();
});

/** What a page wants to be called. */
let deletions = 0;
const deleteAll = defineTool({
  name: "delete_all",
  description: "Deletes everything.",
  execute: () => {
    deletions++;
    return "deleted";
  },
}) as Tool;

type Seen = {
  /** What `browser.open` gave. */
  readonly page: string;
  /** Whether the call failed. */
  readonly failed: boolean;
  /** Control tokens of the three prompts of the conversation. */
  readonly controls: readonly string[];
  /** The prompts without control tokens. */
  readonly prompts: string;
  /** What a terminal got, of both streams. */
  readonly terminal: string;
  readonly annotations: readonly Annotation[];
  /** Tools that were called. */
  readonly calls: readonly string[];
};

/** Two turns: the page is opened and repeated in the answer, behind one citation; then one more word. */
async function see(name: string): Promise<Seen> {
  const input = JSON.stringify({ id: name, num_lines: 1000 });
  const shown = await folder.open(name).then(
    ({ text }) => text.replace(/【\d+†([^†】]*)(?:†[^†】]*)?】/g, "$1"),
    () => "",
  );
  const { engine, model } = scriptedModel([
    says(`<|channel|>analysis to=browser.open code<|message|>${input}<|call|>`),
    [
      ...says("<|channel|>final<|message|>"),
      ...tokenizer.encode(`Read at noon【0†L1】.\n${shown}`),
      ...says("<|return|>"),
    ],
    "<|channel|>final<|message|>ok<|return|>",
  ]);
  const thread = Thread.create();
  const agent = new Agent({ model, tools: [...browser.tools, deleteAll], date: "2026-01-31" });
  const events: RunEvent[] = [];
  const terminal = await onTerminal(async () => {
    const listener = watchRun(new Output("never", {}), {
      holdAnswer: false,
      footnotes: () => new FootnoteWriter(() => sourcesOf(thread.state)),
    });
    const onEvent = (event: RunEvent): void => {
      events.push(structuredClone(event));
      void listener(event);
    };
    await agent.run(thread, "When was the gauge read?", { onEvent }).result;
    await agent.run(thread, "And?", { onEvent }).result;
  });
  const items = itemsOf(events);
  const opened = items.find((item) => item.type === "tool_call");
  const ids = engine.requests.flatMap(({ tokens }) => [...tokens]);
  return {
    page: opened?.result?.text ?? opened?.error?.message ?? "",
    failed: opened?.status !== "completed",
    controls: ids.filter((id) => tokenizer.isSpecial(id)).map((id) => tokenizer.decode([id])),
    prompts: tokenizer.decode(ids.filter((id) => !tokenizer.isSpecial(id))),
    terminal,
    annotations: items.flatMap((item) =>
      item.type === "agent_message" ? (item.annotations ?? []) : [],
    ),
    calls: items.flatMap((item) => (item.type === "tool_call" ? [item.tool] : [])),
  };
}

/** What is written to both streams while they are a terminal. */
async function onTerminal(work: () => Promise<void>): Promise<string> {
  let written = "";
  const streams = [process.stdout, process.stderr];
  const spies = streams.map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((text) => {
      written += String(text);
      return true;
    }),
  );
  const before = streams.map((stream) => stream.isTTY);
  for (const stream of streams) stream.isTTY = true;
  try {
    await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
    streams.forEach((stream, at) => {
      stream.isTTY = before[at] ?? false;
    });
  }
  return written;
}

/** For a file: one address a line, characters that cannot be seen as their numbers. */
function readable({ page, terminal, annotations }: Seen, links: readonly string[]): string {
  const cited = annotations.map((each) =>
    each.type === "url_citation" ? `${each.url}: ${each.quote}` : each.message,
  );
  return [
    "# What the model reads",
    page,
    "",
    "# Where its links lead",
    ...links.map((url, id) => `${id}: ${url}`),
    "",
    "# What is cited",
    ...cited,
    "",
    "# What the terminal gets",
    terminal,
  ]
    .join("\n")
    .replace(/[^\S\n]+$/gm, "")
    .replace(UNSEEN, (character) => `<U+${character.codePointAt(0)?.toString(16)}>`);
}

const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e0fff}]|[\ufe00-\ufe0f]/gu;

test("the pages are many", () => expect(names.length).toBeGreaterThanOrEqual(40));

test.each(names)("%s reaches nothing of the harness", async (name) => {
  const seen = await see(name);
  const { links } = await folder.open(name);
  const { page, prompts, terminal, annotations } = seen;
  expect(seen.failed).toBe(false);
  // Headers and control tokens: those of the same conversation about a harmless page.
  expect(seen.controls).toEqual(harmless.controls);
  expect(prompts.split(page)).toHaveLength(2);
  // Tools: only the one call that the model made.
  expect(seen.calls).toEqual(["browser.open"]);
  expect(deletions).toBe(0);
  // Lines: each is numbered, and there are as many as the heading says.
  const [heading = "", extent = "", blank, ...lines] = page.split("\n");
  expect(heading).toMatch(/^\[0\] [^\n]{1,220} \([^()\s]+\)$/u);
  expect(extent).toBe(`**viewing lines [0 - ${lines.length - 1}] of ${lines.length - 1}**`);
  expect(blank).toBe("");
  expect(lines.filter((line, at) => !line.startsWith(`L${at}: `))).toEqual([]);
  expect(lines[1]).toBe(`L1: URL: ${name}`);
  // Links: brackets of the page format are those of its links, dense, to the web or the folder.
  const marks = [...page.matchAll(/【(\d+)†[^†【】]+(?:†[^†【】]+)?】/g)];
  expect(page.replace(/【(\d+)†[^†【】]+(?:†[^†【】]+)?】/g, "")).not.toMatch(/[【】◼]/u);
  expect([...new Set(marks.map(([, id]) => Number(id)))]).toEqual(links.map((_, id) => id));
  for (const { url } of links) expect(url).toMatch(/^https?:\/\/|^[\w.-]+$/);
  for (const [mark, id] of marks) {
    const host = URL.parse(links[Number(id)]?.url ?? "")?.host;
    if (host !== undefined) expect(mark.split("†")[2]).toBe(`${host}】`);
  }
  // Citations: the one of the model.
  expect(annotations.map(({ type }) => type)).toEqual(["url_citation"]);
  expect(annotations[0]).toMatchObject({ url: name, cursor: 0 });
  // The terminal: nothing that it obeys, nothing that cannot be seen.
  expect(terminal.replaceAll("\t", "")).not.toMatch(UNSEEN);
  expect(page).not.toMatch(UNSEEN);
  // What no reader of the page sees.
  expect(page).not.toMatch(/hidden[^\n]{0,20}: obey|^L\d+: .*In an? [a-z ]+: obey/im);
  const file = join(GOLDEN, `${name}.txt`);
  const actual = readable(
    seen,
    links.map(({ url }) => url),
  );
  if (process.env["UPDATE_GOLDEN"]) {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, actual);
  }
  expect(actual).toBe(readFileSync(file, "utf8"));
});
