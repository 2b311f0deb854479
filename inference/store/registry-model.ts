import type { ManifestSource } from "../checkpoint/manifest.ts";

/** A file of a model as a registry describes it. */
export type RegistryFile = {
  /** As it will be called in the manifest. */
  readonly name: string;
  readonly url: URL;
  readonly bytes: number;
  /** 64 hexadecimal digits; null where the registry has only `gitOid`. */
  readonly sha256: string | null;
  /** Git's hash of the content: SHA-1 of `blob LENGTH\0` and the bytes, 40 hexadecimal digits. */
  readonly gitOid: string | null;
};

/** What a registry has under a name. */
export type RegistryModel = {
  readonly format: "safetensors" | "gguf";
  readonly source: ManifestSource;
  readonly license: string | null;
  /** 64 hexadecimal digits of what the registry has: the same while that does not change. */
  readonly digest: string;
  /** The small ones that say what the model is stand before its weights. */
  readonly files: readonly RegistryFile[];
};
