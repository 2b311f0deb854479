/** A response whose client goes at the worst moment: everything that it holds is given back. */
import { expect, test } from "vitest";
import { readRequest } from "../../../../runtime/server/responses/request.ts";
import { ResponseRun, type Responses } from "../../../../runtime/server/responses/response-run.ts";
import { ResponseStore } from "../../../../runtime/server/responses/response-store.ts";
import { TraceSeal } from "../../../../runtime/server/responses/sealed-trace.ts";
import type { TurnEvent, TurnResult } from "../../../../runtime/server/turn/items.ts";
import type { TurnRequest } from "../../../../runtime/server/turn/run-turn.ts";

const CANCELLED: TurnResult = {
  finish: "cancelled",
  items: [],
  usage: { inputTokens: 9, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
  timing: { queueMs: 0, prefillMs: 0, decodeMs: 0, totalMs: 0, firstTokenMs: null },
  stopString: null,
  limit: null,
  error: null,
};

test.each(["before", "after"])(
  "it goes %s the request is accepted, and nobody reads",
  async (when) => {
    using store = new ResponseStore(":memory:");
    let closed = 0;
    const responses: Responses = {
      store,
      seal: new TraceSeal(store.secret("trace")),
      tools: {
        openWebSearch: async () => ({
          tools: [],
          close: async () => {
            closed++;
          },
        }),
      },
      live: new Map(),
      names: "openai",
      closing: new AbortController().signal,
      warn: () => {},
    };
    const body = { model: "m", input: "Hi", tools: [{ type: "web_search" }] };
    const run = new ResponseRun(responses, readRequest(body));
    const gone = new AbortController();
    /** A turn that lasts until it is aborted. */
    async function* turn({ signal }: TurnRequest): AsyncGenerator<TurnEvent, TurnResult, void> {
      yield { type: "prefill", done: 0, total: 1 };
      if (!signal.aborted) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
      return CANCELLED;
    }
    if (when === "before") gone.abort();
    await run.begin(
      async (request) => turn(request),
      async () => {},
      gone.signal,
    );
    gone.abort();
    await run.live.ended();
    expect(responses.live.size).toBe(0);
    expect(closed).toBe(1);
    expect(store.get(run.live.id)?.response.status).toBe("cancelled");
    // Whoever comes to read now finds nothing to wait for.
    expect(await Array.fromAsync(run.events())).toEqual([]);
  },
);
