import { expect, test } from "vitest";
import {
  ContextOverflowError,
  type FinishReason,
  type GenerateOptions,
  InvalidRequestError,
  ScriptExhaustedError,
  ScriptedEngine,
  type Session,
} from "../../inference/index.ts";

const OPTIONS: GenerateOptions = {
  maxTokens: 100,
  stopIds: new Set([99]),
  sampling: { temperature: 0, topP: 1, seed: 0 },
};

async function generate(
  session: Session,
  options: Partial<GenerateOptions> = {},
): Promise<{ ids: number[]; reason: FinishReason }> {
  const ids: number[] = [];
  const generation = session.generate({ ...OPTIONS, ...options });
  for (;;) {
    const next = await generation.next();
    if (next.done) return { ids, reason: next.value };
    ids.push(next.value);
  }
}

test("gives its replies in order, over all sessions, and records the requests", async () => {
  const engine = new ScriptedEngine([[1, 2, 99], (tokens) => [...tokens, 99], new Error("down")]);
  const first = await engine.createSession();
  const second = await engine.createSession();
  expect(await first.sync([7, 8])).toEqual({ reused: 0, computed: 2 });
  expect(await generate(first)).toEqual({ ids: [1, 2, 99], reason: "stop" });
  expect(first.tokens).toEqual([7, 8, 1, 2, 99]);
  await second.sync([5]);
  expect(await generate(second)).toEqual({ ids: [5, 99], reason: "stop" });
  expect(engine.remaining).toBe(1);
  await expect(generate(second)).rejects.toThrow("down");
  expect(engine.requests.map((request) => request.tokens)).toEqual([[7, 8], [5], [5, 5, 99]]);
});

test("complains when the script runs out", async () => {
  const engine = new ScriptedEngine([[99]]);
  const session = await engine.createSession();
  await session.sync([1]);
  await generate(session);
  await expect(generate(session)).rejects.toThrow(ScriptExhaustedError);
  await expect(generate(session)).rejects.toThrow(/asked for reply 2, but its script has 1/);
});

test("stops as a model does: stop id, maxTokens, context, abort, leaving the loop", async () => {
  const long = Array.from({ length: 20 }, (_, i) => i);
  const engine = new ScriptedEngine([[1, 99, 3], long, long, long, long], { contextLength: 10 });
  const session = await engine.createSession();
  await session.sync([50]);
  expect(await generate(session)).toEqual({ ids: [1, 99], reason: "stop" });
  expect(await generate(session, { maxTokens: 2 })).toEqual({ ids: [0, 1], reason: "length" });
  expect(await generate(session)).toEqual({ ids: [0, 1, 2, 3, 4], reason: "context" });
  session.rewind(1);
  expect(session.tokens).toEqual([50]);
  for await (const id of session.generate(OPTIONS)) if (id === 1) break;
  expect(session.tokens).toEqual([50, 0, 1]);
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(generate(session, { signal })).rejects.toThrow("enough");
});

test("sync keeps the common prefix", async () => {
  const session = await new ScriptedEngine([]).createSession();
  await session.sync([1, 2, 3, 4]);
  expect(await session.sync([1, 2, 9])).toEqual({ reused: 2, computed: 1 });
  expect(await session.sync([1, 2])).toEqual({ reused: 2, computed: 0 });
  expect(session.tokens).toEqual([1, 2]);
});

test("refuses what no engine can do", async () => {
  const session = await new ScriptedEngine([[1]], { contextLength: 2 }).createSession();
  await expect(generate(session)).rejects.toThrow(InvalidRequestError);
  await session.sync([1]);
  await expect(session.sync([1, 2, 3])).rejects.toThrow(ContextOverflowError);
  expect(session.tokens).toEqual([1]);
  for (const length of [-1, 2, 0.5]) expect(() => session.rewind(length)).toThrow(/Cannot rewind/);
});

test("tells a matcher of each id, and refuses a reply that the matcher does not allow", async () => {
  const engine = new ScriptedEngine([
    [1, 3, 5],
    [1, 2, 5],
  ]);
  const session = await engine.createSession();
  await session.sync([50]);
  const accepted: number[] = [];
  const odd = Uint32Array.of(0xaaaaaaaa);
  const matcher = {
    accept: (id: number) => accepted.push(id),
    rollback: () => expect.unreachable(),
    mask: () => (accepted.length === 0 ? null : odd),
  };
  expect((await generate(session, { matcher })).ids).toEqual([1, 3, 5]);
  expect(accepted).toEqual([1, 3, 5]);
  await expect(generate(session, { matcher })).rejects.toThrow(
    /says 2, which the matcher does not/,
  );
  expect(session.tokens).toEqual([50, 1, 3, 5, 1]);
  expect(accepted).toEqual([1, 3, 5, 1]);
});
