/** Names of models, everywhere in Chorale: from what a person writes to a model of this machine, or of a registry. */
import { join } from "node:path";
import {
  demoModelName,
  type LocalModel,
  listLocalModels,
  ModelStore,
  type Pulled,
  type PullOptions,
  parseModelName,
  pullModel as pullInto,
  type ResolvedModel,
  registryEndpoint,
  resolveModelName as resolveIn,
} from "../../inference/index.ts";
import { StreamClient } from "../../tools/index.ts";
import { homePath } from "../home.ts";

/** What the folder of models is called within the state folder. */
const MODEL_FOLDER = "models";

/** Where models that were pulled are kept. */
export function modelStore(env: NodeJS.ProcessEnv = process.env): ModelStore {
  return new ModelStore(join(homePath(env), MODEL_FOLDER));
}

/**
 * The model that a person means by a text: a folder, a file, the full name of a model that was pulled or that Ollama,
 * the Hugging Face hub or LM Studio keeps on this machine (`gpt-oss:20b`, `openai/gpt-oss-20b`), or a name without
 * its owner where only one model has it (`gpt-oss-20b`).
 *
 * @param env says where models are kept: `CHORALE_HOME`, `OLLAMA_MODELS`, `HF_HOME` and others. Default: `process.env`
 * @returns its path for `openModel`, and its full name; undefined: the embedded model
 * @throws ModelNotFoundError, with the names that are near; ModelStoreError for a name of several models
 */
export function resolveModelName(
  text: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): ResolvedModel | undefined {
  if (text === undefined || text === demoModelName) return undefined;
  return resolveIn(text, { store: modelStore(env).root, env });
}

/** Every model of this machine that has a name. */
export function listModels(env: NodeJS.ProcessEnv = process.env): readonly LocalModel[] {
  return listLocalModels({ store: modelStore(env).root, env });
}

export type PullModelOptions = Pick<PullOptions, "signal" | "onProgress" | "onNote"> & {
  /** Address of a mirror, instead of the registry that the name says. */
  readonly from?: string | undefined;
  /** `CHORALE_HOME` and others; `HF_TOKEN`, `HF_ENDPOINT`. Default: `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
};

/**
 * Brings a model from the Hugging Face hub or Ollama's registry into the state folder; goes on where an earlier call
 * ended.
 *
 * @param text `gpt-oss:20b`, `openai/gpt-oss-20b`, `hf.co/OWNER/REPO:QUANT`
 * @throws ModelStoreError, CheckpointError, UnsupportedArchitectureError; the signal's reason
 */
export async function pullModel(text: string, options: PullModelOptions = {}): Promise<Pulled> {
  const { from, env = process.env, ...watching } = options;
  const name = parseModelName(text);
  const given =
    from ?? (name.layout === "huggingface" ? env["HF_ENDPOINT"] || undefined : undefined);
  const { host } = registryEndpoint(name, given);
  await using client = new StreamClient({ trustedHosts: [host] });
  return await pullInto(text, {
    ...watching,
    store: modelStore(env),
    get: (request) => client.get(request),
    endpoint: given,
    huggingFaceToken: env["HF_TOKEN"]?.trim(),
  });
}
