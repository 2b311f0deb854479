/** Counting of what was done, by family, and how fast the model decoded. */
import type { Transcript } from "./run-task.ts";

export type Summary = {
  readonly n: number;
  /** Share of the tasks that were done, 0 to 1. */
  readonly overall: number;
  readonly families: Readonly<Record<string, { readonly n: number; readonly ok: number }>>;
  /** Sampled tokens per second of decode over all tasks; null when none was sampled. */
  readonly decode_tps: number | null;
};

export class Tally {
  readonly #families = new Map<string, { n: number; ok: number }>();
  #tokens = 0;
  #decodeMs = 0;

  add({ family, ok, usage, timing }: Pick<Transcript, "family" | "ok" | "usage" | "timing">): void {
    const counts = this.#families.get(family) ?? { n: 0, ok: 0 };
    this.#families.set(family, { n: counts.n + 1, ok: counts.ok + Number(ok) });
    this.#tokens += usage.output_tokens;
    this.#decodeMs += timing.decode_ms;
  }

  get n(): number {
    return this.#sum("n");
  }

  summary(): Summary {
    const { n } = this;
    return {
      n,
      overall: n === 0 ? 0 : rounded(this.#sum("ok") / n, 4),
      families: Object.fromEntries(this.#families),
      decode_tps: this.#decodeMs > 0 ? rounded((this.#tokens * 1000) / this.#decodeMs, 1) : null,
    };
  }

  /** For people. */
  line(): string {
    const families = [...this.#families].map(([name, { n, ok }]) => `${name} ${ok}/${n}`);
    return `${this.#sum("ok")} done (${families.join(", ")}), ${this.summary().decode_tps ?? 0} tokens/s`;
  }

  #sum(key: "n" | "ok"): number {
    return [...this.#families.values()].reduce((sum, counts) => sum + counts[key], 0);
  }
}

function rounded(value: number, places: number): number {
  return Number(value.toFixed(places));
}
