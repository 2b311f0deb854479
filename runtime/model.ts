/** A model ready to run: its engine, its vocabulary, and how its makers sample it. */
import { readFile } from "node:fs/promises";
import { type Tokenizer, tokenizerFromHfJson } from "../harmony/index.ts";
import { loadO200kHarmony } from "../harmony/vocabulary/index.ts";
import { type OpenModelOptions, openModel, type TokenEngine } from "../inference/index.ts";
import { ModelError, messageOf } from "./errors.ts";

export type LoadModelOptions = Pick<OpenModelOptions, "contextLength" | "threads">;

/** Can be spread into the options of `runAgent`. */
export type LoadedModel = {
  readonly engine: TokenEngine;
  readonly tokenizer: Tokenizer;
  readonly sampling: { readonly temperature: number; readonly topP: number };
  close(): Promise<void>;
};

/**
 * Opens a model for `runAgent`.
 *
 * @param path folder of a checkpoint; undefined: the embedded demo model
 * @throws InferenceError when the checkpoint is missing, broken, of another architecture or too large;
 *   ModelError when its vocabulary is
 */
export async function loadModel(
  path?: string,
  options: LoadModelOptions = {},
): Promise<LoadedModel> {
  const { engine, tokenizerPath, generation } = await openModel(path, options);
  try {
    const tokenizer =
      tokenizerPath === undefined ? loadO200kHarmony() : await readTokenizer(tokenizerPath);
    checkVocabulary(tokenizer, tokenizerPath, engine);
    return {
      engine,
      tokenizer,
      // What OpenAI recommends for gpt-oss, where the checkpoint does not say otherwise.
      sampling: { temperature: generation.temperature ?? 1, topP: generation.topP ?? 1 },
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function readTokenizer(path: string): Promise<Tokenizer> {
  try {
    return tokenizerFromHfJson(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new ModelError(`Cannot use the vocabulary ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** A prompt in ids that the model has no rows for cannot be computed; better said before it is tried. */
function checkVocabulary(
  tokenizer: Tokenizer,
  tokenizerPath: string | undefined,
  engine: TokenEngine,
): void {
  const { start, message, end, call, return: returnId, channel, constrain } = tokenizer.special;
  const highest = Math.max(start, message, end, call, returnId, channel, constrain);
  if (highest < engine.vocabSize) return;
  throw new ModelError(
    `The model ${engine.name} has ${engine.vocabSize} token rows, but ` +
      `${tokenizerPath ?? "o200k_harmony, the vocabulary used without a tokenizer.json,"} has a ` +
      `Harmony token with the id ${highest}. Put the model's own tokenizer.json into its folder.`,
  );
}
