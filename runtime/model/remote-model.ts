/** A model whose tokens servers compute, with our Harmony around it. */
import type { Tokenizer } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import {
  demoModelPath,
  inspectModel,
  openRemoteEngine,
  type RemoteEngine,
} from "../../inference/index.ts";
import { ModelError } from "../errors.ts";
import { readEngineKey } from "./engine-key.ts";
import { HarmonyModel } from "./harmony-model.ts";
import { loadTokenizer } from "./load-model.ts";
import { resolveModelName } from "./model-names.ts";

export type RemoteModelOptions = {
  /** Model of this machine with the vocabulary of the servers; default: o200k_harmony, or that of the embedded model. */
  readonly vocabularyOf?: string | undefined;
  /** A key for the servers. Default: what `CHORALE_ENGINE_KEY` says. */
  readonly apiKey?: string | undefined;
  /** A file with the key, which no other user may read. */
  readonly keyFile?: string | undefined;
  /** Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Most tokens of the conversation. Default: what the servers hold. */
  readonly contextLength?: number | undefined;
  readonly maxSessions?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets sentences about what servers cannot do, and about servers that fail. */
  readonly onNote?: ((sentence: string) => void) | undefined;
};

export type RemoteModel = HarmonyModel & { readonly engine: RemoteEngine };

/** A session of a remote engine is a list of ids. */
const DEFAULT_SESSIONS = 64;

/**
 * A text that vocabularies cut differently: numbers, capitals, characters of several bytes, white space, code.
 */
const VOCABULARY_TEXT =
  "Chorale's 1234567 naïve Ünïcödé 漢字かな 🙂🙃\n\n\tif (tokens !== ids) { return ids; }";

/**
 * Connects to servers that take and give token ids.
 * @param addresses `vllm://gpu1:8000`, `llama://localhost`, `sglang://…`, `chorale://…`, `http(s)://…`; several are one
 *   model on several servers
 * @throws RemoteEngineError; ModelError where the vocabulary of a server is another; UsageError for a file of keys
 */
export async function loadRemoteModel(
  addresses: readonly string[],
  options: RemoteModelOptions = {},
): Promise<RemoteModel> {
  const {
    env = process.env,
    contextLength,
    maxSessions = DEFAULT_SESSIONS,
    signal,
    onNote,
  } = options;
  const apiKey =
    options.apiKey ??
    (options.keyFile === undefined
      ? env["CHORALE_ENGINE_KEY"]?.trim() || undefined
      : await readEngineKey(options.keyFile));
  const engine = await openRemoteEngine(addresses, { apiKey, contextLength, signal, onNote });
  try {
    const { tokenizer, sampling } = await vocabularyOf(engine, options);
    engine.useVocabulary(tokenizer.ordinaryTokens);
    return new HarmonyModel({ engine, tokenizer, maxSessions, sampling }) as RemoteModel;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

type RemoteVocabulary = Pick<HarmonyModel, "tokenizer" | "sampling">;

async function vocabularyOf(
  engine: RemoteEngine,
  { vocabularyOf: named, signal, onNote }: RemoteModelOptions,
): Promise<RemoteVocabulary> {
  const lists = (await engine.tokenize(VOCABULARY_TEXT, signal)).filter((ids) => ids !== null);
  if (lists.length === 0) {
    onNote?.(
      "No server of the engine says which ids a text has: its vocabulary is taken to be " +
        `${named === undefined ? "o200k_harmony" : `that of ${named}`}.`,
    );
  }
  const isOf = async (tokenizer: Tokenizer): Promise<boolean> => {
    const own = tokenizer.encode(VOCABULARY_TEXT);
    if (lists.every((ids) => ids.join() === own.join())) return true;
    // A server may cut texts in a way of its own, and have the same ids all the same: that is all that is used of it.
    const texts = await engine.detokenize(own, signal);
    return texts.every((text) => text === VOCABULARY_TEXT);
  };
  if (named !== undefined) {
    const found = await vocabularyOfModel(named);
    if (await isOf(found.tokenizer)) return found;
    throw new ModelError(`The servers of the engine have another vocabulary than ${named}.`);
  }
  const o200k = loadO200kHarmony();
  // What OpenAI recommends for gpt-oss.
  if (await isOf(o200k)) return { tokenizer: o200k, sampling: { temperature: 1, topP: 1 } };
  const demo = await vocabularyOfModel(demoModelPath);
  if (await isOf(demo.tokenizer)) return demo;
  throw new ModelError(
    "The servers of the engine have another vocabulary than gpt-oss (o200k_harmony), or not all the same; " +
      "accepted: servers of gpt-oss, or with --model a model of this machine with their vocabulary.",
  );
}

async function vocabularyOfModel(name: string): Promise<RemoteVocabulary> {
  const { generation } = inspectModel(resolveModelName(name)?.path);
  const tokenizer = await loadTokenizer(name);
  const { temperature = 1, topP = 1, topK, minP, repetitionPenalty } = generation;
  return { tokenizer, sampling: { temperature, topP, topK, minP, repetitionPenalty } };
}
