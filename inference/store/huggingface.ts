/**
 * The URL layout of the Hugging Face hub:
 *
 *     /api/models/OWNER/REPO/revision/REVISION         commit, licence, architecture
 *     /api/models/OWNER/REPO/tree/COMMIT?recursive=1   files, their sizes and hashes
 *     /OWNER/REPO/resolve/COMMIT/FILE                  content, usually by way of a redirect
 *
 * All that it answers is checked: names, sizes and hashes become paths and lengths.
 */
import { createHash } from "node:crypto";
import { isManifestFileName, isSha256 } from "../checkpoint/manifest.ts";
import { ModelStoreError } from "../errors.ts";
import { fetchJson, type Registry, registryError } from "./http.ts";
import { type ModelName, modelNameText } from "./names.ts";
import type { RegistryFile, RegistryModel } from "./registry-model.ts";

const MAX_ANSWER_BYTES = 32 << 20;
const MAX_PAGES = 50;
const MAX_FILE_BYTES = 2 ** 42;
/** Files of a safetensors model beside its weights. */
const BESIDE: ReadonlySet<string> = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "model.safetensors.index.json",
]);
const LICENSE = /^licen[sc]e(?:\.(?:md|txt))?$/i;
/** Tried in this order where a repository of GGUF files has several and none is named. */
const PREFERRED = ["MXFP4", "F16", "BF16", "Q8_0"];

type TreeFile = { readonly path: string; readonly file: RegistryFile };

/** @param endpoint `https://huggingface.co`, or a mirror with the same layout */
export async function readHuggingFaceModel(
  name: ModelName,
  endpoint: URL,
  registry: Registry,
): Promise<RegistryModel> {
  const repository = `${name.owner}/${name.model}`;
  const api = `api/models/${repository}`;
  const what = modelNameText(name);
  const limits = { what, mostBytes: MAX_ANSWER_BYTES };
  const about = urlOf(endpoint, `${api}/revision/${name.tag}`);
  const { json } = await fetchJson(registry, about, { accept: "application/json" }, limits);
  const facts = (json ?? {}) as Record<string, unknown>;
  const commit = facts["sha"];
  if (typeof commit !== "string" || !/^[0-9a-f]{40}$/.test(commit)) {
    throw registryError(about, "names no commit");
  }
  checkArchitecture(facts, what);
  const tree = await readTree(
    endpoint,
    api,
    `${repository}/resolve/${commit}`,
    commit,
    registry,
    limits,
  );
  const chosen = chooseFiles(tree, name);
  return {
    ...chosen,
    source: {
      layout: "huggingface",
      endpoint: endpoint.origin,
      repository,
      revision: name.tag,
      commit,
    },
    license: licenseOf(facts),
    digest: digestOf(chosen.files),
  };
}

/** Says what a person does about a repository, or its files, that the hub does not give. */
export function explainDenial(name: ModelName, endpoint: URL, cause: unknown): unknown {
  if (!(cause instanceof ModelStoreError) || cause.code !== "CHORALE_PULL_DENIED") return cause;
  return new ModelStoreError(
    cause.code,
    `Cannot fetch ${modelNameText(name)}: ${endpoint.host} has no such repository, or gives it only to those ` +
      `who may read it. Check the name; for one with conditions accept them at ` +
      `${endpoint.origin}/${name.owner}/${name.model} and set HF_TOKEN to your key.`,
    { cause },
  );
}

async function readTree(
  endpoint: URL,
  api: string,
  content: string,
  commit: string,
  registry: Registry,
  limits: { readonly what: string; readonly mostBytes: number },
): Promise<readonly TreeFile[]> {
  const found: TreeFile[] = [];
  let next: URL | null = urlOf(endpoint, `${api}/tree/${commit}?recursive=true`);
  for (let page = 0; next !== null; page++) {
    const url: URL = next;
    if (page === MAX_PAGES) throw registryError(url, `lists more than ${MAX_PAGES} pages of files`);
    const { json, response } = await fetchJson(
      registry,
      url,
      { accept: "application/json" },
      limits,
    );
    if (!Array.isArray(json)) throw registryError(url, "sends no list of files");
    for (const entry of json as readonly unknown[]) {
      const file = treeFile(entry, endpoint, content);
      if (file !== undefined) found.push(file);
    }
    next = nextPage(response.header("link"), url);
  }
  return found;
}

/** @returns undefined for a folder, and for a file that no model of ours has */
function treeFile(entry: unknown, endpoint: URL, content: string): TreeFile | undefined {
  const { type, path, size, oid, lfs } = (entry ?? {}) as Record<string, unknown>;
  if (type !== "file" || typeof path !== "string") return undefined;
  const parts = path.split("/");
  const name = parts.at(-1);
  // Hidden files and such with other letters are none of a model's.
  if (!parts.every(isManifestFileName) || name === undefined) return undefined;
  const large = (lfs ?? undefined) as
    | { readonly oid?: unknown; readonly size?: unknown }
    | undefined;
  const bytes = large?.size ?? size;
  const isSize =
    Number.isSafeInteger(bytes) && Number(bytes) >= 0 && Number(bytes) <= MAX_FILE_BYTES;
  const sha256 = isSha256(large?.oid) ? large.oid : null;
  const gitOid = typeof oid === "string" && /^[0-9a-f]{40}$/.test(oid) ? oid : null;
  if (!isSize || (sha256 === null && gitOid === null)) return undefined;
  const url = urlOf(endpoint, `${content}/${parts.map(encodeURIComponent).join("/")}`);
  return { path, file: { name, url, bytes: Number(bytes), sha256, gitOid } };
}

/** `<https://…?cursor=…>; rel="next"`, of the same origin. */
function nextPage(link: string | null, url: URL): URL | null {
  const [, address] = /<([^>]+)>;\s*rel="next"/.exec(link ?? "") ?? [];
  const next = address === undefined ? null : URL.parse(address, url.href);
  return next?.origin === url.origin ? next : null;
}

type Chosen = { readonly format: "safetensors" | "gguf"; readonly files: readonly RegistryFile[] };

/** @throws ModelStoreError where the repository has nothing that can be loaded, or several things */
function chooseFiles(tree: readonly TreeFile[], name: ModelName): Chosen {
  const root = tree.filter(({ path }) => !path.includes("/")).map(({ file }) => file);
  const license = root.filter((file) => LICENSE.test(file.name)).slice(0, 1);
  const weights = root.filter((file) => file.name.endsWith(".safetensors"));
  const hasConfig = root.some((file) => file.name === "config.json");
  if (name.variant === undefined && weights.length > 0 && hasConfig) {
    const beside = root.filter((file) => BESIDE.has(file.name));
    return { format: "safetensors", files: [...license, ...beside, ...weights] };
  }
  const models = ggufModels(tree);
  const model = chooseGguf(models, name);
  return { format: "gguf", files: [...license, ...model] };
}

/** The GGUF files of a repository by what they are called, without the ending and the number of a part. */
function ggufModels(tree: readonly TreeFile[]): ReadonlyMap<string, readonly RegistryFile[]> {
  const models = new Map<string, RegistryFile[]>();
  for (const { path, file } of tree) {
    if (!path.endsWith(".gguf") || /(?:^|[/_.-])(?:mmproj|imatrix)/i.test(path)) continue;
    const stem = path.replace(/(?:-\d{5}-of-\d{5})?\.gguf$/, "");
    models.set(stem, [...(models.get(stem) ?? []), file]);
  }
  return models;
}

function chooseGguf(
  models: ReadonlyMap<string, readonly RegistryFile[]>,
  name: ModelName,
): readonly RegistryFile[] {
  const text = modelNameText(name);
  const stems = [...models.keys()].sort();
  const matching = (variant: string): string[] =>
    stems.filter((stem) => variantOf(stem).toLowerCase() === variant.toLowerCase());
  if (stems.length === 0) {
    throw new ModelStoreError(
      "CHORALE_PULL_NOT_FOUND",
      `${text} has no files that can be loaded; accepted: config.json with *.safetensors, or *.gguf.`,
    );
  }
  const wanted =
    name.variant !== undefined
      ? matching(name.variant)
      : stems.length === 1
        ? stems
        : (PREFERRED.map(matching).find((found) => found.length === 1) ?? []);
  const [only, ...more] = wanted;
  const files = only === undefined || more.length > 0 ? undefined : models.get(only);
  if (files !== undefined) return files;
  const variants = stems.map(variantOf).join(", ").slice(0, 500);
  throw new ModelStoreError(
    "CHORALE_PULL_NOT_FOUND",
    `${text} does not say which of ${stems.length} GGUF models; accepted: ` +
      `hf.co/${name.owner}/${name.model}:QUANT with one of ${variants}.`,
  );
}

/** `gpt-oss-20b-Q4_K_M` → `Q4_K_M`; a folder of that name may also say it. */
export function variantOf(stem: string): string {
  const last = stem.split("/").at(-1) ?? stem;
  const found = /(?:^|[-.])((?:UD-)?(?:I?Q\d\w*|MXFP4\w*|BF16|F16|F32))$/i.exec(last);
  return found?.[1] ?? last;
}

/** Says early what would otherwise be found when gigabytes have come. */
function checkArchitecture(facts: Record<string, unknown>, what: string): void {
  const { config, gguf } = facts as {
    readonly config?: { readonly model_type?: unknown } | null;
    readonly gguf?: { readonly architecture?: unknown } | null;
  };
  const found = config?.model_type ?? gguf?.architecture;
  if (typeof found !== "string" || /^gpt[-_]?oss$/.test(found)) return;
  throw notGptOss(what, found);
}

export function notGptOss(what: string, found: string): ModelStoreError {
  return new ModelStoreError(
    "CHORALE_PULL_NOT_FOUND",
    `${what} is a model of the architecture ${JSON.stringify(found.slice(0, 60))}, which Chorale cannot run; ` +
      "accepted: gpt-oss.",
  );
}

function licenseOf(facts: Record<string, unknown>): string | null {
  const { cardData, tags } = facts as {
    readonly cardData?: { readonly license?: unknown } | null;
    readonly tags?: unknown;
  };
  const tag = Array.isArray(tags)
    ? (tags as readonly unknown[]).find(
        (one) => typeof one === "string" && one.startsWith("license:"),
      )
    : undefined;
  const found =
    cardData?.license ?? (typeof tag === "string" ? tag.slice("license:".length) : null);
  return typeof found === "string" ? found.slice(0, 100) : null;
}

/** Of names and contents, not of the repository's name. */
function digestOf(files: readonly RegistryFile[]): string {
  const lines = files.map(({ name, sha256, gitOid }) => `${name} ${sha256 ?? gitOid}\n`).sort();
  return createHash("sha256").update(lines.join("")).digest("hex");
}

function urlOf(endpoint: URL, path: string): URL {
  const base = endpoint.href.endsWith("/") ? endpoint.href : `${endpoint.href}/`;
  return new URL(path, base);
}
