/** Models that a server can answer with, before any of them is in memory. */
import type { HarmonyModel } from "../../index.ts";

/** What clients are told about a model. */
export type ModelFacts = {
  /** As lists show it: `gpt-oss:20b`. */
  readonly name: string;
  /** What it is called as well. */
  readonly aliases: readonly string[];
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Bytes on disk. */
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly digest: string;
  readonly architecture: string;
  readonly format: string;
  /** `20.9B` */
  readonly parameterSize: string;
  readonly parameterCount: number;
  readonly quantization: string;
  /** Most tokens that the model was made for. */
  readonly contextLength: number;
  readonly embeddingLength: number;
  readonly sampling: {
    readonly temperature?: number | undefined;
    readonly topP?: number | undefined;
  };
  readonly license: string | null;
};

export type OpenOptions = {
  /** Tokens; null: the source's own. */
  readonly contextLength: number | null;
  readonly onProgress?: (done: number, total: number) => void;
};

/** What a pull tells, in Ollama's words. */
export type PullProgress = {
  readonly status: string;
  readonly digest?: string;
  readonly total?: number;
  readonly completed?: number;
};

/** Where models come from. What a source cannot do is absent. */
export interface ModelSource {
  list(): Promise<readonly ModelFacts[]>;
  /** @returns null where there is none of this name */
  find(name: string): Promise<ModelFacts | null>;
  /** Tokens of context that a model is opened with where no request asks for more. */
  defaultContext(facts: ModelFacts): number;
  open(facts: ModelFacts, options: OpenOptions): Promise<HarmonyModel>;
  /** @throws what keeps the model from coming whole */
  pull?(
    name: string,
    options: { readonly signal: AbortSignal; readonly isInsecure: boolean },
  ): AsyncIterable<PullProgress>;
  /** @returns false where there is none of this name */
  remove?(name: string): Promise<boolean>;
  /** @returns false where there is none of this name */
  copy?(from: string, to: string): Promise<boolean>;
}

/**
 * Names that mean the same: without regard to case, with or without `:latest`, the registry, the namespace of the
 * library or of the maker, and `-` for `:`.
 */
function sameName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/^(?:https?:\/\/)?registry\.ollama\.ai\//, "")
    .replace(/^(?:library|openai)\//, "")
    .replace(/:latest$/, "")
    .replaceAll(":", "-");
}

/** Whether a model has exactly this name, but for case. */
export function isCalled(facts: ModelFacts, name: string): boolean {
  return isNamed(facts, name, (text) => text.trim().toLowerCase());
}

/** The model that a name means: the one that is called so, else one whose name means the same. */
export function findByName<T extends ModelFacts>(models: readonly T[], name: string): T | null {
  return (
    models.find((facts) => isCalled(facts, name)) ??
    models.find((facts) => isNamed(facts, name, sameName)) ??
    null
  );
}

function isNamed(
  { name: own, aliases }: ModelFacts,
  name: string,
  spelling: (text: string) => string,
): boolean {
  return [own, ...aliases].some((known) => spelling(known) === spelling(name));
}
