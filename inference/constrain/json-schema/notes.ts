/** What a grammar does not say of a schema, collected while the schema is read. */

/** A keyword and what is to be known about it. */
export type KeywordNote = {
  /** JSON pointer of the schema that the keyword stands in. */
  readonly pointer: string;
  readonly keyword: string;
  readonly reason: string;
};

export type Notes = {
  /** The grammar allows values that the keyword forbids: they must be validated. */
  readonly checkedAfterwards: readonly KeywordNote[];
  /** The grammar forbids some values, or ways to write them, that the schema allows. */
  readonly restrictions: readonly KeywordNote[];
  /** No keyword of JSON Schema; it has no effect. */
  readonly unknown: readonly KeywordNote[];
};

export type NoteKind = keyof Notes;

type Note = readonly [kind: NoteKind, note: KeywordNote];

/** Work that a hostile schema may cause, counted in steps of some microseconds. */
const MAX_STEPS = 400_000;

export class NoteBook {
  #current: Note[] = [];
  #steps = 0;
  readonly #tooMuch: () => Error;

  /** @param tooMuch  what is thrown when a schema takes too much work */
  constructor(tooMuch: () => Error) {
    this.#tooMuch = tooMuch;
  }

  add(kind: NoteKind, pointer: string, keyword: string, reason: string): void {
    this.#current.push([kind, { pointer, keyword, reason }]);
  }

  /** What `work` gives, and the notes that it made, which are not kept. */
  aside<Result>(work: () => Result): { readonly result: Result; readonly notes: readonly Note[] } {
    const outer = this.#current;
    this.#current = [];
    try {
      const result = work();
      return { result, notes: this.#current };
    } finally {
      this.#current = outer;
    }
  }

  keep(notes: readonly Note[]): void {
    for (const note of notes) this.#current.push(note);
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > MAX_STEPS) throw this.#tooMuch();
  }

  all(): Notes {
    const of = (kind: NoteKind): readonly KeywordNote[] => {
      const seen = new Map<string, KeywordNote>();
      for (const [own, note] of this.#current) {
        const key = `${note.pointer} ${note.keyword}`;
        if (own === kind && !seen.has(key)) seen.set(key, note);
      }
      return [...seen.values()];
    };
    return {
      checkedAfterwards: of("checkedAfterwards"),
      restrictions: of("restrictions"),
      unknown: of("unknown"),
    };
  }
}
