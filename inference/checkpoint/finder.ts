import { CheckpointError } from "../errors.ts";
import { type Dtype, FLOAT_DTYPES } from "./dtypes.ts";
import type { StoredEntry } from "./stored-entry.ts";
import { StoredTensor, type TensorFile } from "./tensor-file.ts";

/** An entry and the file it is in. */
export type Located = { readonly entry: StoredEntry; readonly file: TensorFile };

/** Looks tensors up by name and holds them against shape and dtype. */
export class Finder {
  readonly #tensors: ReadonlyMap<string, Located>;
  readonly #path: string;
  readonly #hint: string;

  /**
   * @param path names the checkpoint in errors
   * @param hint what the layout accepts, for errors
   */
  constructor(tensors: ReadonlyMap<string, Located>, path: string, hint: string) {
    this.#tensors = tensors;
    this.#path = path;
    this.#hint = hint;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The first of `names` that there is; the first of all when there is none, for the error. */
  nameAmong(names: readonly [string, ...string[]]): string {
    return names.find((name) => this.has(name)) ?? names[0];
  }

  floats(name: string, shape: readonly number[]): StoredTensor {
    return this.tensor(name, shape, FLOAT_DTYPES);
  }

  /** @throws CheckpointError when it is missing or has another shape or dtype */
  tensor(name: string, shape: readonly number[], dtypes: readonly Dtype[]): StoredTensor {
    const expected = `${dtypes.join(" or ")} (${shape.join(", ")})`;
    const located = this.#tensors.get(name);
    if (located === undefined) {
      throw new CheckpointError(
        this.#path,
        `the tensor ${name} is missing; expected ${expected}. ${this.#hint}`,
        name,
      );
    }
    const { entry, file } = located;
    const dtype = dtypes.find((accepted) => accepted === entry.dtype);
    if (dtype === undefined || !sameShape(entry.shape, shape)) {
      throw new CheckpointError(
        file.path,
        `the tensor ${name} is ${entry.dtype} (${entry.shape.join(", ")}); expected ${expected}.` +
          (dtype === undefined ? ` ${this.#hint}` : ""),
        name,
      );
    }
    return new StoredTensor(name, dtype, shape, file, entry.position);
  }
}

/** Outer dimensions of size 1 may be left out, as ggml does. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  const extra = longer.length - shorter.length;
  return longer.every((size, i) => size === (i < extra ? 1 : shorter[i - extra]));
}
