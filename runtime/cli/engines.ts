/** `chorale engines`: servers that compute tokens, what they can do, and whether they do it. */
import { messageOf, RunError, UsageError } from "../errors.ts";
import { loadRemoteModel, type RemoteModel } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { visibleText } from "./terminal-text.ts";

export type EnginesArguments = {
  readonly engine: readonly string[];
  readonly engineKeyFile: string | undefined;
  readonly json: boolean;
};

/** Where the servers listen that are started without an address. */
const USUAL: readonly string[] = [
  "chorale://127.0.0.1:11434",
  "vllm://127.0.0.1:8000",
  "sglang://127.0.0.1:30000",
  "llama://127.0.0.1:8080",
  "llama://127.0.0.1:9931",
];

/** Status 0, also where none answers. @throws UsageError for a file of keys */
export async function enginesListCommand(
  args: EnginesArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const addresses = args.engine.length > 0 ? args.engine : USUAL;
  let found = 0;
  for (const address of addresses) {
    const opened = await openOne(address, args, env, signal);
    if ("problem" in opened) {
      // Most machines have nothing at most of the usual ports.
      if (args.engine.length === 0) continue;
      if (args.json) output.jsonLine({ address, problem: opened.problem });
      else output.line(visibleText(`${address}  ${opened.problem}`));
      continue;
    }
    found++;
    await using model = opened.model;
    for (const server of model.engine.servers) {
      if (args.json) output.jsonLine({ address, ...server });
      else output.line(visibleText(`${address}  ${server.kind}  ${server.model ?? "a model"}`));
    }
  }
  if (found === 0 && !args.json) output.note("no server of models that takes token ids answers");
  return EXIT.ok;
}

const TEST_PROMPT = "One, two, three, four, five,";
const TEST_TOKENS = 32;

/** Status 1 when a server cannot be used. @throws UsageError for a file of keys */
export async function enginesTestCommand(
  args: EnginesArguments & { readonly urls: readonly string[] },
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const addresses = [...args.urls, ...args.engine];
  if (addresses.length === 0) {
    throw new UsageError("No server is named; accepted: addresses, or --engine.");
  }
  let failed = 0;
  for (const address of addresses) {
    const opened = await openOne(address, args, env, signal);
    if ("problem" in opened) {
      failed++;
      if (args.json) output.jsonLine({ address, ok: false, problem: opened.problem });
      else output.line(visibleText(`${address}  cannot be used: ${opened.problem}`));
      continue;
    }
    await using model = opened.model;
    let sampled: Sampled;
    try {
      sampled = await sample(model, signal);
    } catch (error) {
      signal.throwIfAborted();
      failed++;
      const problem = messageOf(error);
      if (args.json) output.jsonLine({ address, ok: false, problem });
      else output.line(visibleText(`${address}  fails: ${problem}`));
      continue;
    }
    const { servers, limitations, contextLength } = model.engine;
    if (args.json) {
      output.jsonLine({ address, ok: true, servers, limitations, contextLength, ...sampled });
      continue;
    }
    const [server] = servers;
    const line = (text: string): void => output.line(visibleText(text));
    line(`${address}  ${server?.kind}  ${server?.model ?? "a model"}  context ${contextLength}`);
    for (const [name, value] of Object.entries(server?.capabilities ?? {})) {
      line(
        `  ${CAPABILITIES[name] ?? name}: ${value === true ? "yes" : value === false ? "no" : value}`,
      );
    }
    for (const sentence of [...limitations, ...opened.notes]) line(`  ${sentence}`);
    const { tokens, firstTokenMs, tokensPerSecond } = sampled;
    line(
      `  ${tokens} tokens, the first after ${firstTokenMs.toFixed(0)} ms, ` +
        `${tokensPerSecond === null ? "" : `then ${tokensPerSecond.toFixed(1)} a second`}`,
    );
  }
  return failed > 0 ? EXIT.failed : EXIT.ok;
}

const CAPABILITIES: Readonly<Record<string, string>> = {
  idsIn: "takes token ids",
  idsOut: "gives token ids",
  exactStreams: "streams tell every id",
  logprobs: "tells probabilities by ids",
  allowedIds: "takes the ids that may come",
  seed: "seed counts for",
  cacheKey: "takes a key of the cache",
  tokenizes: "turns text into ids",
};

type Opened =
  | { readonly model: RemoteModel; readonly notes: readonly string[] }
  | { readonly problem: string };

/** @throws UsageError for a file of keys; the signal's reason */
async function openOne(
  address: string,
  { engineKeyFile: keyFile }: EnginesArguments,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Opened> {
  const notes: string[] = [];
  try {
    const onNote = (sentence: string): void => void notes.push(sentence);
    const model = await loadRemoteModel([address], { keyFile, env, signal, onNote });
    // What the servers cannot do is told beside what they can.
    return { model, notes: notes.filter((note) => !model.engine.limitations.includes(note)) };
  } catch (error) {
    signal.throwIfAborted();
    if (RunError.isInstance(error) && error.code === "CHORALE_USAGE") throw error;
    return { problem: messageOf(error) };
  }
}

type Sampled = {
  readonly tokens: number;
  readonly firstTokenMs: number;
  /** null: too few came. */
  readonly tokensPerSecond: number | null;
};

async function sample(model: RemoteModel, signal: AbortSignal): Promise<Sampled> {
  const startedAt = performance.now();
  const times: number[] = [];
  await model.complete(
    {
      threadId: "test",
      prompt: model.tokenizer.encode(TEST_PROMPT),
      maxTokens: TEST_TOKENS,
      stopIds: new Set(),
      allowedIds: null,
      sampling: { temperature: 0, topP: 1, seed: 0 },
      topLogprobs: null,
      signal,
    },
    async () => void times.push(performance.now()),
  );
  const [first = performance.now(), last = first] = [times[0], times.at(-1)];
  return {
    tokens: times.length,
    firstTokenMs: first - startedAt,
    tokensPerSecond: last > first ? ((times.length - 1) / (last - first)) * 1000 : null,
  };
}
