/** Runs of the real loop over a scripted engine: real tokenizer, parser, renderer, tools. */
import type { Tokenizer } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import {
  ScriptedEngine,
  type ScriptedEngineOptions,
  type ScriptedReply,
} from "../../inference/index.ts";
import { runAgent } from "../../runtime/agent.ts";
import type { Item, RunEvent } from "../../runtime/events.ts";
import type { RunOptions, RunResult } from "../../runtime/run-options.ts";

export const tokenizer: Tokenizer = loadO200kHarmony();

/** What the model samples after `<|start|>assistant`, special tokens as written. */
export const says = (text: string): number[] => tokenizer.encodeWithSpecials(text);

export type ScriptedRun = {
  readonly result: RunResult;
  readonly events: readonly RunEvent[];
  readonly engine: ScriptedEngine;
  /** The prompt of each generation as text. */
  readonly prompts: readonly string[];
};

export async function scriptedRun(
  replies: readonly (string | ScriptedReply)[],
  options: Partial<RunOptions> & ScriptedEngineOptions = {},
): Promise<ScriptedRun> {
  const { contextLength, bannedIds, ...rest } = options;
  const engine = new ScriptedEngine(
    replies.map((reply) => (typeof reply === "string" ? says(reply) : reply)),
    {
      ...(contextLength !== undefined && { contextLength }),
      ...(bannedIds !== undefined && { bannedIds }),
    },
  );
  const events: RunEvent[] = [];
  const result = await runAgent({
    engine,
    tokenizer,
    prompt: "Hi",
    date: "2026-01-31",
    sampling: { seed: 1 },
    ...rest,
    onEvent: async (event) => {
      events.push(structuredClone(event));
      await rest.onEvent?.(event);
    },
  });
  const prompts = engine.requests.map(({ tokens }) => tokenizer.decode(tokens));
  return { result, events, engine, prompts };
}

export function itemsOf(events: readonly RunEvent[]): Item[] {
  return events.flatMap((event) => (event.type === "item.completed" ? [event.item] : []));
}
