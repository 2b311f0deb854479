/**
 * Names of models. A name says which registry has the model and what it is called there:
 *
 *     gpt-oss:20b                             the library of Ollama's registry
 *     openai/gpt-oss-20b                      a repository of the Hugging Face hub
 *     hf.co/unsloth/gpt-oss-20b-GGUF:Q4_K_M   one of several files of a repository
 *     openai/gpt-oss-20b@refs                 a branch, tag or commit of it
 *     registry.example.com/team/model:tag     any registry with Ollama's URL layout
 *
 * Names become paths and URLs, so every part is held against a pattern that has no way up.
 */
import { ModelStoreError } from "../errors.ts";

const OLLAMA_HOST = "registry.ollama.ai";
const HUGGING_FACE_HOST = "huggingface.co";

export type ModelName = {
  readonly layout: "huggingface" | "ollama";
  /** With its port, if it has one. */
  readonly host: string;
  /** Namespace or owner. */
  readonly owner: string;
  readonly model: string;
  /** Ollama's tag; the revision of a repository. */
  readonly tag: string;
  /** Which of the files of a repository: `Q4_K_M`. */
  readonly variant: string | undefined;
};

const LIBRARY = "library";
const LATEST = "latest";
const MAIN = "main";
const MAX_NAME_LENGTH = 512;

const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,126}[A-Za-z0-9])?(?::\d{1,5})?$/;

/** Other ways to write a host. */
const HOST_ALIASES: Readonly<Record<string, string>> = {
  "hf.co": HUGGING_FACE_HOST,
  "www.huggingface.co": HUGGING_FACE_HOST,
  "ollama.com": OLLAMA_HOST,
  "www.ollama.com": OLLAMA_HOST,
};

/** What people call the models of OpenAI without their owner. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  "gpt-oss-20b": "openai/gpt-oss-20b",
  "gpt-oss-120b": "openai/gpt-oss-120b",
};

/** What would be accepted as a name, for messages. */
const ACCEPTED =
  "gpt-oss:20b (Ollama's registry), openai/gpt-oss-20b (Hugging Face), hf.co/OWNER/REPO:QUANT, " +
  "OWNER/REPO@REVISION or HOST/NAMESPACE/MODEL:TAG";

/** @throws ModelStoreError with the code CHORALE_MODEL_NAME */
export function parseModelName(text: string): ModelName {
  const name = readModelName(text);
  if (name !== undefined) return name;
  const shown = JSON.stringify(text.slice(0, 200));
  throw new ModelStoreError(
    "CHORALE_MODEL_NAME",
    `${shown} is no name of a model; accepted: ${ACCEPTED}.`,
  );
}

/** As `parseModelName`; undefined for what is no name. */
export function readModelName(text: string): ModelName | undefined {
  if (text.length > MAX_NAME_LENGTH) return undefined;
  const plain = withoutWebAddress(text);
  const written = SHORT_NAMES[plain.toLowerCase()] ?? plain;
  const parts = written.split("/");
  if (parts.length === 1) return ollamaName(OLLAMA_HOST, LIBRARY, written);
  const last = parts.pop() ?? "";
  const owner = parts.pop() ?? "";
  if (parts.length === 0) return huggingFaceName(owner, last);
  const host = (parts.pop() ?? "").toLowerCase();
  if (parts.length > 0 || !HOST.test(host)) return undefined;
  const known = HOST_ALIASES[host] ?? host;
  return known === HUGGING_FACE_HOST
    ? huggingFaceName(owner, last)
    : ollamaName(known, owner, last);
}

/** Every model that a text can mean exactly: two parts may also be a namespace of Ollama. */
export function meaningsOf(text: string): readonly ModelName[] {
  const first = readModelName(text);
  const parts = withoutWebAddress(text).split("/");
  const [owner = "", model = ""] = parts;
  const second = parts.length === 2 ? ollamaName(OLLAMA_HOST, owner, model) : undefined;
  return [first, second].filter((name) => name !== undefined);
}

/** People copy the address of a page: `https://huggingface.co/openai/gpt-oss-20b/tree/main`. */
function withoutWebAddress(text: string): string {
  const [, rest] = /^https:\/\/(.+?)\/?$/.exec(text) ?? [];
  if (rest === undefined) return text;
  const [, page, revision] = /^(.*)\/tree\/([^/]+)$/.exec(rest) ?? [];
  return page === undefined ? rest : `${page}@${revision}`;
}

function ollamaName(host: string, owner: string, last: string): ModelName | undefined {
  const [model = "", tag = LATEST, ...rest] = last.split(":");
  const isName = rest.length === 0 && [owner, model, tag].every((part) => PART.test(part));
  return isName ? { layout: "ollama", host, owner, model, tag, variant: undefined } : undefined;
}

function huggingFaceName(owner: string, last: string): ModelName | undefined {
  const [whole = "", tag = MAIN, ...more] = last.split("@");
  const [model = "", variant, ...rest] = whole.split(":");
  const given = [owner, model, tag, ...(variant === undefined ? [] : [variant])];
  const isName = more.length + rest.length === 0 && given.every((part) => PART.test(part));
  const host = HUGGING_FACE_HOST;
  return isName ? { layout: "huggingface", host, owner, model, tag, variant } : undefined;
}

/** As a person writes it; `parseModelName` reads it again. */
export function modelNameText(name: ModelName): string {
  const { layout, host, owner, model, tag, variant } = name;
  if (layout === "huggingface") {
    const which = variant === undefined ? "" : `:${variant}`;
    return `${owner}/${model}${which}${tag === MAIN ? "" : `@${tag}`}`;
  }
  if (host === OLLAMA_HOST && owner === LIBRARY) return `${model}:${tag}`;
  return `${host === OLLAMA_HOST ? "ollama.com" : host}/${owner}/${model}:${tag}`;
}

/** Folders and file of a name below `manifests/`, in lower case: names of models do not differ by case alone. */
export function manifestParts(name: ModelName): readonly [string, string, string, string] {
  const { host, owner, model, tag, variant } = name;
  const file = variant === undefined ? tag : `${tag}+${variant}`;
  // A colon cannot be in the name of a folder everywhere.
  const folder = host.replace(":", "+");
  return [folder, owner, model, `${file}.json`].map((part) => part.toLowerCase()) as [
    string,
    string,
    string,
    string,
  ];
}

/** Whether two names mean the same model. */
export function isSameModel(a: ModelName, b: ModelName): boolean {
  return a.layout === b.layout && manifestParts(a).join("/") === manifestParts(b).join("/");
}

/** What a model may be called without host and owner, in one spelling: `gpt-oss:20b` is `gpt-oss-20b`. */
export function shortForms(name: ModelName): readonly string[] {
  const { layout, model, tag, variant } = name;
  const forms =
    layout === "huggingface"
      ? [model, ...(variant === undefined ? [] : [`${model}:${variant}`])]
      : [...(tag === LATEST ? [model] : []), `${model}:${tag}`];
  return forms.map(shortForm);
}

export function shortForm(text: string): string {
  return text.toLowerCase().replaceAll(":", "-");
}
