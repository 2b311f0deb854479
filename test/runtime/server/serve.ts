/** A real server on loopback over a model that says what a test wrote. */
import { loadO200kHarmony } from "../../../harmony/vocabulary/index.ts";
import { ScriptedEngine, type ScriptedReply } from "../../../inference/index.ts";
import { HarmonyModel } from "../../../runtime/model/harmony-model.ts";
import type { Clock } from "../../../runtime/server/clock.ts";
import { DEFAULTS, type ServerConfiguration } from "../../../runtime/server/configuration.ts";
import {
  findByName,
  type ModelFacts,
  type ModelSource,
} from "../../../runtime/server/models/model-source.ts";
import type { ServerTools } from "../../../runtime/server/responses/server-tools.ts";
import { type RunningServer, startServer } from "../../../runtime/server/server.ts";
import type { PageServices } from "../../../runtime/server/web/services.ts";
import { judgedStream } from "./responses/stream-rules.ts";

const tokenizer = loadO200kHarmony();

/** A text that the model samples behind `<|start|>assistant`, special tokens as written; or ids, or an error. */
export type Reply = string | ScriptedReply;

export type ServeOptions = Partial<ServerConfiguration> & {
  readonly clock?: Clock;
  readonly socketPath?: string;
  readonly serverTools?: ServerTools;
  readonly page?: PageServices;
  readonly responsesPath?: string;
  /** Whether the model is kept to grammars. Default: no. */
  readonly hasMatchers?: boolean;
  /** Tokens of context of the model. */
  readonly modelContext?: number;
  readonly source?: Partial<ModelSource>;
  /** In place of one that gives the replies. */
  readonly engine?: ScriptedEngine;
  /** Awaited before a model is there. */
  readonly loading?: Promise<void>;
};

export type ServedModel = RunningServer & {
  readonly engine: ScriptedEngine;
  /** The prompt of each generation as text. */
  readonly prompts: () => readonly string[];
  /** What was told to the person who watches. */
  readonly notes: readonly string[];
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
};

export const FACTS: ModelFacts = {
  name: "gpt-oss:20b",
  aliases: ["gpt-oss"],
  modifiedAt: Date.UTC(2026, 10, 1),
  size: 13_793_441_244,
  digest: "0".repeat(64),
  architecture: "gptoss",
  format: "gguf",
  parameterSize: "20.9B",
  parameterCount: 20_914_757_184,
  quantization: "MXFP4",
  contextLength: 131_072,
  embeddingLength: 2880,
  sampling: { temperature: 1 },
  license: null,
};

export const says = (text: string): number[] => tokenizer.encodeWithSpecials(text);

/** A server whose model gives the replies, one for each generation. */
export async function serve(
  replies: readonly Reply[] = [],
  options: ServeOptions = {},
): Promise<ServedModel> {
  const { clock, page, socketPath, serverTools, responsesPath, hasMatchers, ...others } = options;
  const { modelContext, source, loading, engine: given, ...rest } = others;
  const engine =
    given ??
    new ScriptedEngine(
      replies.map((reply) => (typeof reply === "string" ? says(reply) : reply)),
      { contextLength: modelContext ?? 131_072, matchers: hasMatchers ?? false },
    );
  const notes: string[] = [];
  const server = await startServer({
    configuration: { ...DEFAULTS, port: 0, ...rest },
    source: {
      list: async () => [FACTS],
      find: async (name) => findByName([FACTS], name),
      defaultContext: () => modelContext ?? 16_384,
      open: async () => {
        await loading;
        return new HarmonyModel({ engine, tokenizer });
      },
      ...source,
    },
    ...(clock && { clock }),
    ...(page && { page }),
    ...(socketPath !== undefined && { socketPath }),
    ...(serverTools && { serverTools }),
    ...(responsesPath !== undefined && { responsesPath }),
    note: (sentence) => notes.push(sentence),
  });
  /** Every stream of the Responses API that a test reads is held against its rules. */
  const judged = async (path: string, init?: RequestInit): Promise<Response> =>
    judgedStream(path, await fetch(server.url + path, init));
  return {
    ...server,
    engine,
    notes,
    prompts: () => engine.requests.map(({ tokens }) => tokenizer.decode(tokens)),
    get: (path, init) => judged(path, init),
    post: (path, body, init) =>
      judged(path, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
        headers: { "content-type": "application/json", ...init?.headers },
      }),
  };
}

/** The objects of NDJSON. */
export async function linesOf(response: Response): Promise<Record<string, unknown>[]> {
  const text = await response.text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export type ServerSentEvent = { readonly event: string | null; readonly data: string };

/** The events of a stream, comments left out. */
export async function eventsOf(response: Response): Promise<ServerSentEvent[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((block) => block !== "" && !block.startsWith(":"))
    .map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1] ?? null,
      data: /^data: (.*)$/m.exec(block)?.[1] ?? "",
    }));
}
