/** Lists of sets of bytes, each once, and the classes of bytes that they tell apart. */

/** The list of no sets. */
export const NO_SETS = 0;

export type ByteClasses = {
  /** The class of each of the 256 bytes, numbered from 0. */
  readonly classOf: Uint8Array;
  /** A byte of each class. */
  readonly samples: Uint8Array;
};

export class SetLists {
  /** 1 for each byte of a set; sets are added by the owner. */
  readonly #sets: readonly Uint8Array[];
  readonly #lists: (readonly number[])[] = [[]];
  readonly #listOfKey: Map<string, number> = new Map([["", NO_SETS]]);
  readonly #unions: Map<number, number> = new Map();
  readonly #classes: (ByteClasses | undefined)[] = [];

  constructor(sets: readonly Uint8Array[]) {
    this.#sets = sets;
  }

  /** @param places of the sets, sorted */
  list(places: readonly number[]): number {
    const key = places.join();
    let list = this.#listOfKey.get(key);
    if (list === undefined) {
      list = this.#lists.push(places) - 1;
      this.#listOfKey.set(key, list);
    }
    return list;
  }

  /** Places of the sets of a list. */
  sets(list: number): readonly number[] {
    return this.#lists[list]!;
  }

  union(one: number, other: number): number {
    if (one === other || other === NO_SETS) return one;
    if (one === NO_SETS) return other;
    const key = Math.min(one, other) * 2 ** 26 + Math.max(one, other);
    let list = this.#unions.get(key);
    if (list === undefined) {
      const sets = new Set([...this.#lists[one]!, ...this.#lists[other]!]);
      list = this.list([...sets].sort((a, b) => a - b));
      this.#unions.set(key, list);
    }
    return list;
  }

  /** Bytes of one class are in the same sets of the list. */
  classes(list: number): ByteClasses {
    let classes = this.#classes[list];
    if (classes === undefined) {
      classes = this.#makeClasses(this.#lists[list]!);
      this.#classes[list] = classes;
    }
    return classes;
  }

  #makeClasses(places: readonly number[]): ByteClasses {
    const classOf = new Uint8Array(256);
    const sizes = new Int32Array(256);
    const inside = new Int32Array(256);
    const moved = new Int32Array(256);
    let count = 1;
    sizes[0] = 256;
    for (const place of places) {
      const set = this.#sets[place]!;
      inside.fill(0, 0, count);
      for (let byte = 0; byte < 256; byte++) inside[classOf[byte]!]! += set[byte]!;
      const before = count;
      for (let one = 0; one < before; one++) {
        moved[one] = inside[one] === 0 || inside[one] === sizes[one] ? one : count++;
      }
      if (count === before) continue;
      for (let byte = 0; byte < 256; byte++) {
        const old = classOf[byte]!;
        if (set[byte] === 0 || moved[old] === old) continue;
        classOf[byte] = moved[old]!;
        sizes[old]!--;
        sizes[moved[old]!]!++;
      }
    }
    const samples = new Uint8Array(count);
    for (let byte = 255; byte >= 0; byte--) samples[classOf[byte]!] = byte;
    return { classOf, samples };
  }
}
