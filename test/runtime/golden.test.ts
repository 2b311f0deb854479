/**
 * The files of test/golden/agent: what the model says, and what becomes of it. Input is the head (one
 * option per line) and the `## model` blocks, one per generation; `## conversation` (the last prompt
 * from the user's message on, with what the model said to it) and `## events` are expected. `npx vitest
 * run test/runtime/golden -u` writes the expected blocks anew.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { runAgent } from "../../runtime/agent/agent.ts";
import type { RunEvent } from "../../runtime/events.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import {
  createPythonTool,
  defineTool,
  type Tool,
  type ValidatorOptions,
} from "../../tools/index.ts";
import { invalidEvents } from "../event-schema.ts";
import { scriptedModel, tokenizer } from "./scripted-run.ts";

const folder = fileURLToPath(new URL("../golden/agent/", import.meta.url));
const cacheDir = mkdtempSync(join(tmpdir(), "golden-test-"));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

const TOOLS: Readonly<Record<string, Tool>> = {
  get_weather: defineTool<{ city: string }>({
    name: "get_weather",
    description: "Gets the weather of a city.",
    inputSchema: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
    execute: ({ city }) => ({ city, temperature: 18 }),
  }),
  wait: defineTool({
    name: "wait",
    description: "Waits until it is stopped.",
    execute: (_input, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  }),
  look_up: defineTool<{ word: string }>({
    name: "look_up",
    description: "Looks up a word.",
    inputSchema: {
      type: "object",
      properties: { word: { type: "string" } },
      required: ["word"],
    },
    execute: ({ word }) =>
      Array.from({ length: 60 }, (_, n) => `${n + 1}. ${word}, meaning ${n + 1}.`).join(" "),
  }),
  broken: defineTool({
    name: "broken",
    description: "Always fails.",
    execute: () => {
      throw new Error("the disk is on fire");
    },
  }),
};

type Case = { title: string; head: string; options: Record<string, string>; model: string[] };

function parseCase(text: string): Case {
  const [head = "", ...blocks] = text.split(/^## /m);
  const options: Record<string, string> = {};
  for (const line of head.split("\n")) {
    const match = /^(\w+): (.*)$/.exec(line);
    if (match?.[1] && match[2] !== undefined) options[match[1]] = match[2];
  }
  const model = blocks
    .filter((block) => block.startsWith("model\n"))
    .map((block) => block.slice("model\n".length).trim());
  return { title: /^# (.*)$/m.exec(head)?.[1] ?? "", head: head.trim(), options, model };
}

function outputSchema({ schema, xsd }: Case["options"]): ValidatorOptions | undefined {
  if (schema !== undefined) return { jsonSchema: JSON.parse(schema) };
  return xsd === undefined ? undefined : { xsd };
}

/** One line per event; deltas of one item in one line. */
function eventLines(events: readonly RunEvent[]): string[] {
  const lines: string[] = [];
  let delta: { id: string; text: string } | null = null;
  for (const event of [...events, null]) {
    // What can be read of the answer so far says nothing that the deltas do not.
    if (event?.type === "item.partial") continue;
    if (event?.type === "item.delta" && event.item_id === delta?.id) {
      delta.text += event.text;
      continue;
    }
    if (delta !== null) lines.push(`item.delta ${delta.id} ${JSON.stringify(delta.text)}`);
    delta = null;
    if (event === null) continue;
    switch (event.type) {
      case "item.delta":
        delta = { id: event.item_id, text: event.text };
        break;
      case "item.started":
      case "item.updated":
      case "item.completed": {
        const { id, type, ...rest } = event.item;
        lines.push(`${event.type} ${id} ${type} ${JSON.stringify(rest)}`);
        break;
      }
      case "thread.started":
        lines.push(`${event.type} ${event.model} ${JSON.stringify(event.sampling)}`);
        break;
      case "generation.completed":
        lines.push(
          `${event.type} ${event.finish_reason}: ${event.input_tokens} in, ${event.cached_input_tokens} of them cached, ${event.output_tokens} out`,
        );
        break;
      case "run.completed":
        lines.push(
          `${event.type} ${event.status} ${JSON.stringify(event.output)}${
            event.partial_output === undefined
              ? ""
              : `, partial ${JSON.stringify(event.partial_output)}`
          }`,
        );
        break;
      case "budget": {
        // Seconds are those of this machine.
        const used = event.budget === "seconds" ? "" : `${event.used} `;
        lines.push(`${event.type} ${event.budget} ${event.state}: ${used}of ${event.limit}`);
        break;
      }
      case "compaction.completed": {
        const { tokens_before, tokens_after, replaced_messages, shortened_results } = event;
        const what =
          event.kind === "summary"
            ? `${replaced_messages} messages by ${JSON.stringify(event.summary)}`
            : shortened_results?.join(", ");
        lines.push(
          `${event.type} ${event.kind} ${event.reason}: ${what}, ${tokens_before} to ${tokens_after} tokens`,
        );
        break;
      }
      case "loop.cut_back":
        lines.push(`${event.type} ${event.reason}, kept ${event.kept_messages} messages`);
        break;
      case "turn.completed":
        lines.push(`${event.type} ${JSON.stringify(event.usage)}`);
        break;
      case "turn.failed":
        lines.push(`${event.type} ${event.error.code}: ${event.error.message}`);
        break;
      default:
        lines.push(event.type);
    }
  }
  return lines;
}

describe("test/golden/agent", () => {
  const files = globSync("*.md", { cwd: folder }).sort();

  test("there are cases", () => expect(files.length).toBeGreaterThan(5));

  test.each(files)(
    "%s",
    async (file) => {
      const { head, options, model } = parseCase(readFileSync(folder + file, "utf8"));
      const number = (name: string) => (options[name] ? Number(options[name]) : undefined);
      const python = createPythonTool({ cacheDir });
      const tools: Readonly<Record<string, Tool>> = { python, ...TOOLS };
      const holdAtDelta = number("holdAtDelta");
      let deltas = 0;
      const contextLength = number("contextLength");
      const scripted = scriptedModel(model, contextLength === undefined ? {} : { contextLength });
      const { engine } = scripted;
      const thread = Thread.create();
      const events: RunEvent[] = [];
      const runOptions = {
        model: scripted.model,
        thread,
        date: "2026-01-31",
        sampling: { seed: 1 },
        tools: (options["tools"] ?? "").split(" ").flatMap((name) => tools[name] ?? []),
        instructions: options["instructions"],
        maxSteps: number("maxSteps"),
        maxTokens: number("maxTokens"),
        maxReasoningTokens: number("maxReasoningTokens"),
        maxSeconds: number("maxSeconds"),
        maxToolCalls: number("maxToolCalls"),
        maxOutputBytes: number("maxOutputBytes"),
        toolTokenBudget: number("toolTokenBudget"),
        maxRetries: number("maxRetries"),
        output: outputSchema(options),
        onEvent: async (event: RunEvent) => {
          events.push(structuredClone(event));
          const { type } = event;
          // The reader of the events takes longer than the turn may.
          if (type === "item.delta" && ++deltas === holdAtDelta) {
            await setTimeout(1200 * (number("maxSeconds") ?? 0));
          }
        },
      };
      for (const name of ["prompt", "then", "thirdly"]) {
        const prompt = options[name];
        if (prompt !== undefined) await runAgent({ ...runOptions, prompt });
      }
      await python.close();
      expect(invalidEvents(events)).toEqual([]);
      const last = engine.requests.at(-1);
      const conversation = tokenizer.decode(last?.tokens ?? []);
      const actual = [
        head,
        ...model.map((text) => `## model\n${text}`),
        `## conversation\n${conversation.slice(conversation.indexOf("<|start|>user"))}`,
        `## events\n${eventLines(events).join("\n")}\n`,
      ].join("\n\n");
      await expect(actual, basename(file)).toMatchFileSnapshot(folder + file);
      // The first Python makes the snapshot that later ones start from.
    },
    180_000,
  );
});
