/** From what a person calls a model to the files of it on this machine. */
import { lstatSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { ModelNotFoundError, ModelStoreError } from "../errors.ts";
import { listFoundModels, type ModelKeeper } from "./found-models.ts";
import { ModelStore, type StoredModel } from "./model-store.ts";
import { isSameModel, type ModelName, meaningsOf, shortForm, shortForms } from "./names.ts";

/** Where a model was found. */
export type ResolvedModel = {
  /** For people; a name in its full spelling, or the last part of a path. */
  readonly name: string;
  /** Who keeps it; `path` for a file or folder that was named. */
  readonly keeper: "path" | "chorale" | ModelKeeper;
  /** What `openModel` takes. */
  readonly path: string;
};

export type ModelPlaces = {
  /** Folder of the models that were pulled; it need not exist. */
  readonly store: string;
  /** Says where other programs keep theirs. */
  readonly env: NodeJS.ProcessEnv;
};

/** A model of this machine by name. */
export type LocalModel = {
  readonly name: ModelName;
  readonly text: string;
  readonly keeper: "chorale" | ModelKeeper;
  path(): string;
};

const MAX_SHOWN = 12;

/**
 * A path goes before a name, an exact name before a short one (`gpt-oss-20b` for `openai/gpt-oss-20b` or
 * `gpt-oss:20b`), and models that were pulled before those of other programs.
 *
 * @throws ModelNotFoundError when there is none, with the names that are near; ModelStoreError for a short name of
 *   several models; CheckpointError for one that another program has, but not whole
 */
export function resolveModelName(text: string, places: ModelPlaces): ResolvedModel {
  if (text !== "" && !text.includes("\0") && isThere(text)) {
    return { name: basename(resolve(text)), keeper: "path", path: text };
  }
  const models = listLocalModels(places);
  const found = chooseModel(text, models);
  if (found !== undefined) return { name: found.text, keeper: found.keeper, path: found.path() };
  throw new ModelNotFoundError(text, notFound(text, models));
}

/** A model that was pulled, by its full name; paths, short names and other programs' models do not count. */
export function findStoredModel(text: string, store: ModelStore): StoredModel | undefined {
  return exactModel(text, store.list().models);
}

function exactModel<T extends { readonly name: ModelName }>(
  text: string,
  models: readonly T[],
): T | undefined {
  const meanings = meaningsOf(text);
  return models.find(({ name }) => meanings.some((meaning) => isSameModel(meaning, name)));
}

function chooseModel(text: string, models: readonly LocalModel[]): LocalModel | undefined {
  const exact = exactModel(text, models);
  if (exact !== undefined) return exact;
  const wanted = shortForm(text);
  for (const keeper of ["chorale", "ollama", "huggingface", "lmstudio"]) {
    const found = models.filter(
      (one) => one.keeper === keeper && shortForms(one.name).includes(wanted),
    );
    if (found.length > 1) throw ambiguous(text, found);
    if (found[0] !== undefined) return found[0];
  }
  return undefined;
}

/** Whether something is at a path; a link that leads nowhere is, and is then told as such. */
function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR" || code === "ENAMETOOLONG") return false;
    return code !== "ENOENT" || lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  }
}

/** Every model of this machine that has a name; those that were pulled first. */
export function listLocalModels({ store, env }: ModelPlaces): readonly LocalModel[] {
  return [...new ModelStore(store).list().models.map(localModel), ...listFoundModels(env)];
}

function localModel({ name, manifest, path }: StoredModel): LocalModel {
  return { name, text: manifest.name, keeper: "chorale", path: () => path };
}

function ambiguous(text: string, found: readonly LocalModel[]): ModelStoreError {
  const names = [...new Set(found.map((one) => one.text))];
  return new ModelStoreError(
    "CHORALE_MODEL_AMBIGUOUS",
    `${JSON.stringify(text)} stands for ${names.length} models; accepted: ${names.join(", ")}.`,
  );
}

/** The end of the sentence that begins with `Cannot open the model`. */
function notFound(text: string, models: readonly LocalModel[]): string {
  const nothing = "there is nothing at this path";
  if (meaningsOf(text).length === 0) return `${nothing}, and it is no name of a model`;
  const names = [...new Set(models.map((one) => one.text))];
  if (names.length === 0) return `${nothing}, and no model of any name is on this machine`;
  const near = names.toSorted((a, b) => likeness(b, text) - likeness(a, text)).slice(0, MAX_SHOWN);
  const more = names.length > MAX_SHOWN ? `, and ${names.length - MAX_SHOWN} more` : "";
  return `${nothing}, and no model of that name on this machine (there are: ${near.join(", ")}${more})`;
}

/** How many pairs of letters two names share, of all that they have: 0 … 1. */
function likeness(a: string, b: string): number {
  const pairs = (text: string): Set<string> => {
    const plain = shortForm(text);
    return new Set(Array.from({ length: plain.length - 1 }, (_, i) => plain.slice(i, i + 2)));
  };
  const [left, right] = [pairs(a), pairs(b)];
  const shared = left.intersection(right).size;
  return shared / Math.max(1, left.union(right).size);
}
