/** A model ready to run: its engine, its vocabulary, and how its makers sample it. */
import { readFile, stat } from "node:fs/promises";
import { type Tokenizer, tokenizerFromHfJson, tokenizerFromLists } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import {
  inspectModel,
  type OpenedModel,
  type OpenModelOptions,
  openModel,
  type TokenEngine,
} from "../../inference/index.ts";
import { ModelError, messageOf } from "../errors.ts";
import { HarmonyModel, promptTooLong } from "./harmony-model.ts";
import { resolveModelName } from "./model-names.ts";

/** That of gpt-oss has 28 MB. */
const MAX_TOKENIZER_BYTES = 64 << 20;

export type LoadModelOptions = Pick<
  OpenModelOptions,
  | "contextLength"
  | "threads"
  | "memoryLimit"
  | "precision"
  | "experts"
  | "prefixCache"
  | "onMemory"
  | "onProgress"
> & {
  /** Conversations whose KV cache is kept between their turns. Default 4. */
  readonly maxSessions?: number | undefined;
};

/**
 * Opens a model for `runAgent`.
 *
 * @param path folder or file of a checkpoint, or a name: see `resolveModelName`; undefined: the embedded demo model
 * @throws InferenceError when the checkpoint is missing, broken, of another architecture or too large;
 *   ModelError when its vocabulary is
 */
export async function loadModel(
  path?: string,
  options: LoadModelOptions = {},
): Promise<HarmonyModel> {
  const { maxSessions, ...opening } = options;
  const found = resolveModelName(path);
  const opened = await openModel(found?.path, { ...opening, name: found?.name });
  const { engine, generation, fingerprint } = opened;
  try {
    const { tokenizer, source } = await readTokenizer(opened);
    checkVocabulary(tokenizer, source, engine);
    return new HarmonyModel({
      engine,
      tokenizer,
      maxSessions,
      // How it multiplies changes what it computes, and so does what experts were made of.
      fingerprint: [fingerprint, engine.precision, engine.convertedExperts]
        .filter((part) => part !== undefined)
        .join(":"),
      // What OpenAI recommends for gpt-oss, where the checkpoint does not say otherwise.
      sampling: {
        topK: generation.topK,
        minP: generation.minP,
        repetitionPenalty: generation.repetitionPenalty,
        temperature: generation.temperature ?? 1,
        topP: generation.topP ?? 1,
      },
    });
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/**
 * The vocabulary of a model that need not be loaded.
 * @param path as for `loadModel`; undefined: o200k_harmony
 * @throws InferenceError, ModelError as `loadModel` does
 */
export async function loadTokenizer(path?: string): Promise<Tokenizer> {
  if (path === undefined) return loadO200kHarmony();
  return (await readTokenizer(inspectModel(resolveModelName(path)?.path))).tokenizer;
}

/** Texts of fewer characters are counted once the model is loaded. */
const MIN_CHECKED_CHARACTERS = 4_096;

/**
 * Refuses a prompt that no context of the model can hold, before the model is loaded.
 * @param path as for `loadModel`
 * @param contextLength tokens that will be used of the model's context; undefined: all
 * @throws RunError with the code CHORALE_PROMPT_TOO_LONG; InferenceError, ModelError as `loadModel` does
 */
export async function checkPromptLength(
  prompt: string,
  path: string | undefined,
  contextLength: number | undefined,
): Promise<void> {
  if (prompt.length < MIN_CHECKED_CHARACTERS) return;
  const facts = inspectModel(resolveModelName(path)?.path);
  const { tokenizer } = await readTokenizer(facts);
  const limit = Math.min(facts.contextLength, contextLength ?? facts.contextLength);
  const tokens = tokenizer.countTokens(prompt);
  if (tokens >= limit) throw promptTooLong(`${tokens} tokens`, limit);
}

/** The vocabulary beside the weights or in their file; o200k_harmony where there is no other. */
async function readTokenizer(
  opened: Pick<OpenedModel, "tokenizerPath" | "vocabulary">,
): Promise<{ tokenizer: Tokenizer; source: string | undefined }> {
  const { tokenizerPath, vocabulary } = opened;
  const source = tokenizerPath ?? vocabulary?.path;
  try {
    if (tokenizerPath !== undefined) {
      return { tokenizer: tokenizerFromHfJson(await readTokenizerJson(tokenizerPath)), source };
    }
    if (vocabulary !== undefined) return { tokenizer: tokenizerFromLists(vocabulary), source };
  } catch (cause) {
    throw new ModelError(`Cannot use the vocabulary ${source}: ${messageOf(cause)}`, { cause });
  }
  return { tokenizer: loadO200kHarmony(), source };
}

/** @throws Error for a file that is too large, or none: reading a pipe would wait for a writer */
export async function readTokenizerJson(path: string): Promise<unknown> {
  const file = await stat(path);
  if (!file.isFile()) throw new Error("it is not a regular file");
  if (file.size > MAX_TOKENIZER_BYTES) {
    throw new Error(`it has ${file.size} bytes; accepted: at most ${MAX_TOKENIZER_BYTES}`);
  }
  return JSON.parse(await readFile(path, "utf8"));
}

/** A prompt in ids that the model has no rows for cannot be computed; better said before it is tried. */
function checkVocabulary(
  tokenizer: Tokenizer,
  source: string | undefined,
  engine: TokenEngine,
): void {
  const { start, message, end, call, return: returnId, channel, constrain } = tokenizer.special;
  const highest = Math.max(start, message, end, call, returnId, channel, constrain);
  if (highest < engine.vocabSize) return;
  throw new ModelError(
    `The model ${engine.name} has ${engine.vocabSize} token rows, but ` +
      `${source ?? "o200k_harmony, the vocabulary of a model that brings none,"} has a Harmony ` +
      `token with the id ${highest}. Put the model's own tokenizer.json into its folder.`,
  );
}
