/** A model written anew, with its vocabulary, for other programs. */
import { basename } from "node:path";
import { type ByteLevelLists, hfJsonOf, listsFromHfJson, listsOf } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import {
  type Converted,
  type ConvertOptions,
  convertModel as convertWeights,
  demoModelPath,
  inspectModel,
} from "../../inference/index.ts";
import { readTokenizerJson } from "./load-model.ts";

export type ConvertModelOptions = Pick<
  ConvertOptions,
  "to" | "format" | "signal" | "onProgress"
> & {
  /** Of the model, for people. Default: the last part of its path. */
  readonly name?: string | undefined;
};

/**
 * Writes a model as one GGUF file, or as a folder of safetensors; experts become MXFP4, or stay so bit for bit.
 * @param path as for `loadModel`; undefined: the embedded model
 * @throws ConvertError where the place is taken, too small or cannot be written; InferenceError and ModelError as
 *   `loadModel` does; the signal's reason
 */
export async function convertModel(
  path: string | undefined,
  options: ConvertModelOptions,
): Promise<Converted> {
  const lists = await vocabularyOf(path);
  return convertWeights(path ?? demoModelPath, {
    ...options,
    name: options.name ?? (path === undefined ? "chorale-demo" : basename(path)),
    vocabulary: { ...lists, path: path ?? demoModelPath },
    tokenizerJson: hfJsonOf(lists),
  });
}

async function vocabularyOf(path: string | undefined): Promise<ByteLevelLists> {
  const { tokenizerPath, vocabulary } = inspectModel(path);
  if (vocabulary !== undefined) return vocabulary;
  if (tokenizerPath !== undefined) return listsFromHfJson(await readTokenizerJson(tokenizerPath));
  return listsOf(await loadO200kHarmony());
}
