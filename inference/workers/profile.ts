/**
 * Where one thread's time goes: per kernel, and in barriers, where it waits for the others (and for the
 * leading one's sampling). Two clock readings per call make it some 2 % slower; it is off otherwise.
 */

import type { KernelTime } from "../engine.ts";
import type { Kernels } from "../wasm/kernels.ts";
import type { MemoryBank } from "../wasm/memory-bank.ts";
import type { Team } from "../wasm/team.ts";

export class Profile {
  readonly #times = new Map<string, { ms: number; calls: number }>();

  /** Measures the kernels of a bank from now on. */
  watch(bank: MemoryBank): void {
    const measured = Object.entries(bank.kernels)
      .filter(([, kernel]) => typeof kernel === "function")
      .map(([name, kernel]) => [name, this.#measured(name, kernel)]);
    const kernels: Kernels = { ...bank.kernels, ...Object.fromEntries(measured) };
    Object.assign(bank, { kernels });
  }

  /** Measures how long a thread waits at barriers from now on. */
  watchBarriers(team: Team): void {
    team.barrier = this.#measured("barrier", team.barrier.bind(team));
  }

  /** What was measured since the last call, longest first. */
  take(): KernelTime[] {
    const times = [...this.#times].map(([name, { ms, calls }]) => ({ name, ms, calls }));
    this.#times.clear();
    return times.sort((a, b) => b.ms - a.ms);
  }

  #measured<A extends unknown[], R>(name: string, call: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      const from = performance.now();
      try {
        return call(...args);
      } finally {
        const time = this.#times.get(name) ?? { ms: 0, calls: 0 };
        time.ms += performance.now() - from;
        time.calls++;
        this.#times.set(name, time);
      }
    };
  }
}
