/** Runs of the real loop over a scripted engine: real tokenizer, parser, renderer, tools. */
import type { Tokenizer } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import {
  ScriptedEngine,
  type ScriptedEngineOptions,
  type ScriptedReply,
} from "../../inference/index.ts";
import { type RunAgentOptions, runAgent } from "../../runtime/agent/agent.ts";
import type { RunResult } from "../../runtime/agent/run-result.ts";
import { exitCodeOf } from "../../runtime/cli/exit-code-of.ts";
import type { Item, RunEvent } from "../../runtime/events.ts";
import { HarmonyModel } from "../../runtime/model/harmony-model.ts";

export const tokenizer: Tokenizer = loadO200kHarmony();

/** What the model samples after `<|start|>assistant`, special tokens as written. */
export const says = (text: string): number[] => tokenizer.encodeWithSpecials(text);

export type ScriptedRun = {
  readonly result: RunResult;
  /** The exit status that the command would end with. */
  readonly exitCode: number;
  readonly events: readonly RunEvent[];
  readonly engine: ScriptedEngine;
  /** The prompt of each generation as text. */
  readonly prompts: readonly string[];
};

export type ScriptedRunOptions = Partial<RunAgentOptions> & ScriptedEngineOptions;

/** An engine that says the replies, and a model over it. */
export function scriptedModel(
  replies: readonly (string | ScriptedReply)[],
  options: ScriptedEngineOptions = {},
): { readonly engine: ScriptedEngine; readonly model: HarmonyModel } {
  const engine = new ScriptedEngine(
    replies.map((reply) => (typeof reply === "string" ? says(reply) : reply)),
    options,
  );
  return { engine, model: new HarmonyModel({ engine, tokenizer }) };
}

export async function scriptedRun(
  replies: readonly (string | ScriptedReply)[],
  options: ScriptedRunOptions = {},
): Promise<ScriptedRun> {
  const { contextLength, matchers, ...rest } = options;
  const { engine, model } = scriptedModel(replies, {
    ...(contextLength !== undefined && { contextLength }),
    ...(matchers !== undefined && { matchers }),
  });
  const events: RunEvent[] = [];
  const result = await runAgent({
    model,
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
  const exitCode = result.status === "completed" ? 0 : exitCodeOf(result.error);
  return { result, exitCode, events, engine, prompts };
}

export function itemsOf(events: readonly RunEvent[]): Item[] {
  return events.flatMap((event) => (event.type === "item.completed" ? [event.item] : []));
}
