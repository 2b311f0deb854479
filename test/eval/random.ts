/** Choices that are the same for the same seed, on every machine. */
import { randomNumbers } from "../fixtures/random-numbers.ts";

export class Random {
  /** A number in [0, 1). */
  readonly next: () => number;

  /** The name keeps families apart, so that one can change without changing the tasks of another. */
  constructor(seed: number, name: string) {
    // FNV-1a over seed and name.
    let hash = 0x811c9dc5;
    for (const byte of Buffer.from(`${seed}/${name}`)) {
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    this.next = randomNumbers(hash);
  }

  /** A whole number, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(options: readonly T[]): T {
    if (options.length === 0) throw new RangeError("nothing to choose from");
    return options[this.int(0, options.length - 1)] as T;
  }

  /** `count` different options, in random order. */
  sample<T>(options: readonly T[], count: number): T[] {
    const rest = [...options];
    const chosen: T[] = [];
    while (chosen.length < count && rest.length > 0) {
      chosen.push(...rest.splice(this.int(0, rest.length - 1), 1));
    }
    return chosen;
  }
}

/** A template with its `{places}` filled. */
export function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new RangeError(`no value for {${name}} in: ${template}`);
    return String(value);
  });
}
