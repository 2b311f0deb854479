/** Turns of the server's core over a scripted engine: real tokenizer, renderer, parser, loop. */
import type { ScriptedEngineOptions, ScriptedReply } from "../../../inference/index.ts";
import { Admission } from "../../../runtime/server/admission.ts";
import type { TurnEvent, TurnResult } from "../../../runtime/server/turn/items.ts";
import { ReasoningMemory } from "../../../runtime/server/turn/reasoning-memory.ts";
import {
  runTurn,
  type TurnContext,
  type TurnRequest,
} from "../../../runtime/server/turn/run-turn.ts";
import { scriptedModel, tokenizer } from "../scripted-run.ts";

export type ScriptedTurns = TurnContext & {
  /** The prompt of each generation as text. */
  readonly prompts: () => readonly string[];
  readonly play: (
    request: Omit<TurnRequest, "signal"> & { readonly signal?: AbortSignal },
  ) => Promise<{ readonly events: readonly TurnEvent[]; readonly result: TurnResult }>;
};

export function scriptedTurns(
  replies: readonly (string | ScriptedReply)[],
  options: ScriptedEngineOptions = {},
): ScriptedTurns {
  const { engine, model } = scriptedModel(replies, options);
  const context = {
    model,
    admission: new Admission({ slots: 2, maxQueue: 4 }),
    memory: new ReasoningMemory(),
  };
  return {
    ...context,
    prompts: () => engine.requests.map(({ tokens }) => tokenizer.decode(tokens)),
    play: async (request) => {
      const signal = request.signal ?? new AbortController().signal;
      const turn = runTurn(context, { ...request, signal });
      const events: TurnEvent[] = [];
      for (;;) {
        const next = await turn.next();
        if (next.done) return { events, result: next.value };
        events.push(next.value);
      }
    },
  };
}
