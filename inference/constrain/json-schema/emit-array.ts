/** Rules for the texts of arrays. A state is how many items there are, as far as a bound or a place counts. */
import { type EmitContext, isScalar } from "./emit-context.ts";
import type { RawSymbol } from "./raw-grammar.ts";
import type { ArraySet, Contained, Expression, ValueSet } from "./value-sets.ts";

/** Longest array whose items are counted. */
const MAX_COUNTED = 2000;
const MAX_UNIQUE = 8;
const MAX_CONTAINED = 16;

type State = {
  readonly items: number;
  /** Which of the values of a small set have been there. */
  readonly seen: number;
  /** For each `contains`, how many items it counts. */
  readonly found: readonly number[];
};

type Item = { readonly value: RawSymbol; readonly next: State };

export function emitArray(
  emitter: EmitContext,
  target: { readonly rule: number },
  set: ArraySet,
  expression: Expression,
): void {
  new ArrayRules(emitter, set, expression).emit(target);
}

class ArrayRules {
  readonly #emitter: EmitContext;
  readonly #set: ArraySet;
  readonly #min: number;
  readonly #max: number;
  readonly #contains: readonly Contained[];
  /** The values of which each may come once. */
  readonly #distinct: readonly ValueSet[] | undefined;
  readonly #states = new Map<string, { readonly rule: number }>();

  constructor(emitter: EmitContext, set: ArraySet, expression: Expression) {
    this.#emitter = emitter;
    this.#set = set;
    const later = (keyword: string, reason: string): void =>
      emitter.note("checkedAfterwards", expression, keyword, reason);
    this.#min = counted(set.min, () =>
      later("minItems", `more than ${MAX_COUNTED} are not counted`),
    );
    this.#max =
      set.max === Infinity
        ? Infinity
        : counted(
            set.max,
            () => later("maxItems", `more than ${MAX_COUNTED} are not counted`),
            Infinity,
          );
    this.#distinct = this.#distinctValues(later);
    this.#contains = set.contains.filter(({ min, max }) => {
      const isCounted = min <= MAX_CONTAINED && (max === Infinity || max <= MAX_CONTAINED);
      if (!isCounted) later("contains", `more than ${MAX_CONTAINED} items are not counted`);
      return isCounted;
    });
  }

  emit(target: { readonly rule: number }): void {
    const { raw, marks } = this.#emitter;
    const start: State = { items: 0, seen: 0, found: this.#contains.map(() => 0) };
    if (this.#mayEnd(start)) raw.add(target, { terminal: marks.emptyArray });
    for (const { value, next } of this.#items(start)) {
      raw.add(target, { terminal: marks.openArray }, value, this.#rest(next));
    }
  }

  /** What may follow after at least one item. */
  #rest(state: State): { readonly rule: number } {
    const key = `${state.items} ${state.seen} ${state.found.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const { raw, marks } = this.#emitter;
    const rule = raw.declare();
    this.#states.set(key, rule);
    if (this.#mayEnd(state)) raw.add(rule, { terminal: marks.closeArray });
    for (const { value, next } of this.#items(state)) {
      raw.add(rule, { terminal: marks.comma }, value, this.#rest(next));
    }
    return rule;
  }

  #mayEnd({ items, found }: State): boolean {
    return (
      items >= this.#min && this.#contains.every(({ min }, index) => (found[index] ?? 0) >= min)
    );
  }

  /** The items that may come next, each with what is so afterwards. */
  #items(state: State): readonly Item[] {
    if (state.items >= this.#max) return [];
    const { prefix, rest } = this.#set;
    const isFirst = state.items < prefix.length;
    const expression = isFirst ? (prefix[state.items] as Expression) : rest;
    if (expression === this.#emitter.sets.never) return [];
    // From here on the count says nothing more.
    const last = Math.max(prefix.length, this.#min, this.#max === Infinity ? 0 : this.#max);
    const items = Math.min(state.items + 1, last);
    if (this.#distinct !== undefined) {
      return this.#distinct.flatMap((one, index): Item[] => {
        if ((state.seen >> index) % 2 === 1) return [];
        const seen = state.seen | (1 << index);
        const value = { terminal: this.#emitter.scalar(one) };
        return [{ value, next: { ...state, items, seen } }];
      });
    }
    return this.#counted(expression, state.found).map(({ value, found }) => ({
      value: this.#emitter.value(value),
      next: { items, seen: 0, found },
    }));
  }

  /** The ways in which an item counts for each `contains`. */
  #counted(
    expression: Expression,
    found: readonly number[],
  ): readonly { readonly value: Expression; readonly found: readonly number[] }[] {
    const { sets } = this.#emitter;
    let ways: { value: Expression; found: readonly number[] }[] = [
      { value: expression, found: [] },
    ];
    for (const [index, { item, min, max }] of this.#contains.entries()) {
      const before = found[index] ?? 0;
      ways = ways.flatMap((way) => {
        const counts = { value: sets.and(way.value, item), found: [...way.found, before + 1] };
        if (max === Infinity) {
          // An item that counts may also go uncounted; enough of them are counted in some way.
          const without = { value: way.value, found: [...way.found, before] };
          return before >= min ? [without] : [counts, without];
        }
        const not = sets.and(way.value, sets.inverse(item));
        const without = { value: not, found: [...way.found, before] };
        return before >= max ? [without] : [counts, without];
      });
    }
    return ways.filter(({ value }) => value !== sets.never);
  }

  /** The values of the items, if there are few and each may come once. */
  #distinctValues(
    later: (keyword: string, reason: string) => void,
  ): readonly ValueSet[] | undefined {
    const { unique, prefix, rest, contains } = this.#set;
    if (!unique || this.#max <= 1) return undefined;
    const none = (reason: string): undefined => {
      later("uniqueItems", reason);
      return undefined;
    };
    if (prefix.length > 0 || contains.length > 0) return none("items are not of one kind");
    const values = singleValues(this.#emitter.sets.expand(rest));
    if (values === undefined || values.length > MAX_UNIQUE) {
      return none(`only up to ${MAX_UNIQUE} possible values are kept apart`);
    }
    return values;
  }
}

function counted(value: number, tooLarge: () => void, instead = MAX_COUNTED): number {
  if (value <= MAX_COUNTED) return value;
  tooLarge();
  return instead;
}

/** Sets of one value each; undefined: there are sets of more. */
function singleValues(sets: readonly ValueSet[]): readonly ValueSet[] | undefined {
  const single: ValueSet[] = [];
  for (const one of sets) {
    if (!isScalar(one)) return undefined;
    if (one.type === "null") single.push(one);
    else if (one.type === "boolean") {
      for (const value of one.values) single.push({ type: "boolean", values: [value] });
    } else if (one.type === "string" && one.set.values !== undefined) {
      for (const value of one.set.values) {
        single.push({ type: "string", set: { ...one.set, values: [value] } });
      }
    } else if (one.type === "number" && one.set.values !== undefined) {
      for (const value of one.set.values) {
        single.push({ type: "number", set: { ...one.set, values: [value] } });
      }
    } else return undefined;
  }
  return single;
}
