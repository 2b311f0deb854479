/** Stop strings: literal texts behind which nothing of an answer is given out. */

export class StopStrings {
  readonly #stops: readonly string[];
  readonly #longest: number;
  #held = "";
  /** The one that came; null: none yet. */
  found: string | null = null;

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== "");
    this.#longest = Math.max(0, ...this.#stops.map((stop) => stop.length));
  }

  /** @returns what can be given out: all but an end that may be the beginning of a stop string */
  push(text: string): string {
    if (this.#stops.length === 0) return text;
    if (this.found !== null) return "";
    const all = this.#held + text;
    let at = -1;
    for (const stop of this.#stops) {
      const place = all.indexOf(stop);
      if (place < 0 || (at >= 0 && place >= at)) continue;
      at = place;
      this.found = stop;
    }
    if (at >= 0) {
      this.#held = "";
      return all.slice(0, at);
    }
    const kept = this.#mayBegin(all);
    this.#held = all.slice(all.length - kept);
    return all.slice(0, all.length - kept);
  }

  /** What was held back; the message is over. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return this.found === null ? held : "";
  }

  /** Characters at the end that are the beginning of a stop string. */
  #mayBegin(text: string): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const end = text.slice(text.length - length);
      if (this.#stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
