/** The model of an engine behind URLs: our Harmony in front of servers that compute its tokens. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { HarmonyModel, RemoteModel } from "../../index.ts";
import { findByName, type ModelFacts, type ModelSource } from "./model-source.ts";

const NAME_WITHOUT_ONE = "gpt-oss";

/**
 * @param open  connects; asked again after the model was left
 * @throws what connecting throws: a server that is not there is said at once, and not with the first request
 */
export async function engineSource(
  open: () => Promise<RemoteModel>,
): Promise<ModelSource & AsyncDisposable> {
  let first: RemoteModel | null = await open();
  const facts = factsOf(first.engine.servers[0]?.model ?? null, first);
  return {
    list: async () => [facts],
    find: async (name) => findByName([facts], name),
    defaultContext: () => facts.contextLength,
    open: async () => {
      const model = first ?? (await open());
      first = null;
      return model;
    },
    [Symbol.asyncDispose]: async () => {
      await first?.close();
    },
  };
}

function factsOf(served: string | null, { contextLength, sampling }: HarmonyModel): ModelFacts {
  // llama-server calls a model by its file.
  const name = basename(served ?? NAME_WITHOUT_ONE).replace(/\.gguf$/i, "") || NAME_WITHOUT_ONE;
  const billions = /(\d{1,4}(?:\.\d+)?)b\b/i.exec(name)?.[1];
  return {
    name,
    aliases: served === null || served === name ? [] : [served],
    modifiedAt: Date.now(),
    size: 0,
    // Clients want one; what the weights of the servers are is not known here.
    digest: createHash("sha256").update(`engine:${name}`).digest("hex"),
    architecture: "gptoss",
    format: "gguf",
    parameterSize: billions === undefined ? "" : `${billions}B`,
    parameterCount: billions === undefined ? 0 : Number(billions) * 1e9,
    quantization: "",
    contextLength,
    embeddingLength: 0,
    sampling: { temperature: sampling.temperature, topP: sampling.topP },
    license: null,
  };
}
