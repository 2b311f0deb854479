/**
 * The URL layout of Ollama's registry, which is that of container registries:
 *
 *     /v2/NAMESPACE/MODEL/manifests/TAG     layers with their digests, sizes and media types
 *     /v2/NAMESPACE/MODEL/blobs/sha256:…    content, usually by way of a redirect
 *
 * All that it answers is checked: digests become paths.
 */
import { createHash } from "node:crypto";
import { isSha256 } from "../checkpoint/manifest.ts";
import { ModelStoreError } from "../errors.ts";
import { fetchJson, type Registry, registryError } from "./http.ts";
import { notGptOss } from "./huggingface.ts";
import { type ModelName, modelNameText } from "./names.ts";
import type { RegistryFile, RegistryModel } from "./registry-model.ts";

const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";
const LAYER = "application/vnd.ollama.image.";
const MAX_MANIFEST_BYTES = 1 << 20;
const MAX_LAYERS = 100;
const MAX_FILE_BYTES = 2 ** 42;

type Layer = { readonly mediaType: string; readonly sha256: string; readonly bytes: number };

/** @param endpoint `https://registry.ollama.ai`, or a registry with the same layout */
export async function readOllamaModel(
  name: ModelName,
  endpoint: URL,
  registry: Registry,
): Promise<RegistryModel> {
  const repository = `${name.owner}/${name.model}`;
  const what = modelNameText(name);
  const base = endpoint.href.endsWith("/") ? endpoint.href : `${endpoint.href}/`;
  const at = (path: string): URL => new URL(`v2/${repository}/${path}`, base);
  const url = at(`manifests/${name.tag}`);
  const limits = { what, mostBytes: MAX_MANIFEST_BYTES };
  const { json, bytes } = await fetchJson(registry, url, { accept: MANIFEST_TYPE }, limits);
  const { config, layers } = (json ?? {}) as {
    readonly config?: unknown;
    readonly layers?: unknown;
  };
  if (!Array.isArray(layers) || layers.length > MAX_LAYERS) {
    throw registryError(url, "sends no manifest with a list of layers");
  }
  const read = (layers as readonly unknown[]).map((layer) => readLayer(layer, url));
  const blobUrl = ({ sha256 }: Layer): URL => at(`blobs/sha256:${sha256}`);
  await checkFamily(readLayer(config, url), blobUrl, what, registry);
  const named = (type: string, fileName: string): readonly RegistryFile[] =>
    read
      .filter(({ mediaType }) => mediaType === `${LAYER}${type}`)
      .slice(0, 1)
      .map((layer) => ({
        name: fileName,
        url: blobUrl(layer),
        bytes: layer.bytes,
        sha256: layer.sha256,
        gitOid: null,
      }));
  const weights = named("model", "model.gguf");
  if (weights.length === 0) {
    throw new ModelStoreError(
      "CHORALE_PULL_NOT_FOUND",
      `${what} has no weights on this machine's terms: its manifest lists no layer of the type ${LAYER}model.`,
    );
  }
  return {
    format: "gguf",
    source: {
      layout: "ollama",
      endpoint: endpoint.origin,
      repository,
      revision: name.tag,
      commit: null,
    },
    license: null,
    digest: createHash("sha256").update(bytes).digest("hex"),
    files: [...named("license", "LICENSE"), ...named("params", "params.json"), ...weights],
  };
}

function readLayer(entry: unknown, url: URL): Layer {
  const { mediaType, digest, size } = (entry ?? {}) as Record<string, unknown>;
  const [, sha256] = /^sha256:(.*)$/s.exec(typeof digest === "string" ? digest : "") ?? [];
  const isSize = Number.isSafeInteger(size) && Number(size) >= 0 && Number(size) <= MAX_FILE_BYTES;
  if (typeof mediaType !== "string" || !isSha256(sha256) || !isSize) {
    throw registryError(
      url,
      "lists a layer without a media type, a size or a SHA-256 of 64 digits",
    );
  }
  return { mediaType, sha256, bytes: Number(size) };
}

/** The configuration says of what family the model is: better known before gigabytes come. */
async function checkFamily(
  config: Layer,
  blobUrl: (layer: Layer) => URL,
  what: string,
  registry: Registry,
): Promise<void> {
  const url = blobUrl(config);
  const limits = { what: `the configuration of ${what}`, mostBytes: MAX_MANIFEST_BYTES };
  const { json, bytes } = await fetchJson(registry, url, {}, limits);
  if (createHash("sha256").update(bytes).digest("hex") !== config.sha256) {
    throw new ModelStoreError("CHORALE_PULL_HASH", `${limits.what} is not what the manifest says.`);
  }
  const family = (json as { readonly model_family?: unknown } | null)?.model_family;
  if (typeof family === "string" && !/^gpt-?oss$/.test(family)) throw notGptOss(what, family);
}
