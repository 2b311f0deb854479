/** What a store puts where; `openArtifacts` sees to names and errors. */
export type ArtifactPlace = {
  readonly name: string;
  /** @param path of a regular file; @param key parts of a plain name each */
  put(path: string, key: readonly string[]): Promise<string>;
  /** Does nothing where the URL is none of its own. */
  remove(url: string): Promise<void>;
  close(): Promise<void>;
};
