/**
 * Rules for the texts of objects. With few properties a state is the set of those that have been there, so that
 * they may come in any order; with more it is a place in the order in which the schema names them.
 */
import type { Regex } from "../grammar.ts";
import { ascii, type EmitContext } from "./emit-context.ts";
import { type PropertyPlan, planProperties } from "./property-plan.ts";
import type { RawSymbol } from "./raw-grammar.ts";
import { ANY_TEXT, concat } from "./regex.ts";
import { quoted, quotedText } from "./spelling.ts";
import type { Expression, ObjectSet } from "./value-sets.ts";

/** Most properties that are counted for `minProperties` and `maxProperties`. */
const MAX_COUNTED = 64;
/** Most names of `dependentRequired` that are remembered in a fixed order. */
const MAX_TRACKED = 10;
/** States of all objects in any order; beyond it the order is fixed. */
const MAX_FREE_STATES = 6000;

type State = {
  /** In a fixed order: the property that comes next. */
  readonly at: number;
  /** Bits of the properties that have been there, as far as they are remembered. */
  readonly seen: number;
  readonly count: number;
  readonly begun: boolean;
};

export function emitObject(
  emitter: EmitContext,
  target: { readonly rule: number },
  set: ObjectSet,
  expression: Expression,
): void {
  const plan = planProperties(set, emitter.sets);
  if (plan === undefined) return;
  for (const { keyword, reason } of plan.lost) {
    emitter.note("checkedAfterwards", expression, keyword, reason);
  }
  new ObjectRules(emitter, set, plan, expression).emit(target);
}

class ObjectRules {
  readonly #emitter: EmitContext;
  readonly #named: PropertyPlan["named"];
  readonly #classes: PropertyPlan["classes"];
  readonly #isFree: boolean;
  readonly #required: ReadonlySet<string>;
  readonly #implications: ObjectSet["implications"];
  /** Bit of each name that is remembered. */
  readonly #bits: ReadonlyMap<string, number>;
  readonly #min: number;
  readonly #max: number;
  /** Counts beyond this say nothing more; 0: properties are not counted. */
  readonly #counted: number;
  readonly #states = new Map<string, { readonly rule: number }>();
  /** By name or class: what stands before the value of a first property, and of a later one. */
  readonly #keys = new Map<string | Regex, readonly [first: Regex, later: Regex]>();

  constructor(emitter: EmitContext, set: ObjectSet, plan: PropertyPlan, expression: Expression) {
    this.#emitter = emitter;
    this.#named = plan.named;
    this.#classes = plan.classes;
    this.#required = new Set(set.required);
    for (const { names } of plan.classes) emitter.noteFreeNames(names);
    const { length } = plan.named;
    const isFixed = length > 1 && this.#isFixed(length);
    this.#isFree = !isFixed;
    if (isFixed) {
      const reason = `the ${length} properties are written in the order in which the schema names them`;
      emitter.note("restrictions", expression, "properties", reason);
    }
    const names = new Set(set.implications.flatMap(({ name, needs }) => [name, ...needs]));
    const remembered = this.#isFree ? plan.named : plan.named.filter(({ name }) => names.has(name));
    const isTracked = this.#isFree || remembered.length <= MAX_TRACKED;
    if (!isTracked) {
      const reason = `more than ${MAX_TRACKED} names are not remembered`;
      emitter.note("checkedAfterwards", expression, "dependentRequired", reason);
    }
    this.#implications = isTracked ? set.implications : [];
    this.#bits = new Map(isTracked ? remembered.map(({ name }, index) => [name, 1 << index]) : []);
    const most = plan.classes.length > 0 ? Number.POSITIVE_INFINITY : length;
    let min = set.min <= set.required.length ? 0 : set.min;
    let max = set.max >= most ? Number.POSITIVE_INFINITY : set.max;
    const bound = max === Infinity ? min : max;
    if (bound > MAX_COUNTED) {
      const keyword = max === Infinity ? "minProperties" : "maxProperties";
      const reason = `more than ${MAX_COUNTED} properties are not counted`;
      emitter.note("checkedAfterwards", expression, keyword, reason);
      min = Math.min(min, MAX_COUNTED);
      max = Number.POSITIVE_INFINITY;
    }
    this.#min = min;
    this.#max = max;
    this.#counted = max === Infinity ? min : max;
  }

  #isFixed(properties: number): boolean {
    const { options, raw } = this.#emitter;
    return properties > options.freeOrder || raw.size + 2 ** properties > MAX_FREE_STATES;
  }

  emit(target: { readonly rule: number }): void {
    const start: State = { at: 0, seen: 0, count: 0, begun: false };
    this.#emitter.raw.add(target, this.#rest(start));
  }

  #rest(state: State): RawSymbol {
    const key = `${state.at} ${state.seen} ${state.count} ${state.begun}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const { raw, marks } = this.#emitter;
    const rule = raw.declare();
    this.#states.set(key, rule);
    const isAtEnd = this.#isFree || state.at === this.#named.length;
    if (isAtEnd && this.#mayEnd(state)) {
      raw.add(rule, { terminal: state.begun ? marks.closeObject : marks.emptyObject });
    }
    const isFull = state.count >= this.#max;
    if (this.#isFree) {
      for (const [index, { name }] of this.#named.entries()) {
        if (!isFull && (state.seen & this.#bit(name)) === 0) this.#property(rule, state, index);
      }
    } else if (state.at < this.#named.length) {
      if (!isFull) this.#property(rule, state, state.at);
      const name = this.#named[state.at]?.name ?? "";
      if (!this.#required.has(name)) raw.add(rule, this.#rest({ ...state, at: state.at + 1 }));
    }
    if (isAtEnd && !isFull) {
      for (const { names, value } of this.#classes) {
        const key = { terminal: this.#key(names, state.begun) };
        raw.add(rule, key, this.#emitter.value(value), this.#rest(this.#after(state, 0)));
      }
    }
    return rule;
  }

  #property(rule: { readonly rule: number }, state: State, index: number): void {
    const property = this.#named[index];
    if (property === undefined) return;
    const next = this.#after(state, this.#bit(property.name));
    const at = this.#isFree ? 0 : index + 1;
    this.#emitter.raw.add(
      rule,
      { terminal: this.#key(property.name, state.begun) },
      this.#emitter.value(property.value),
      this.#rest({ ...next, at }),
    );
  }

  #after(state: State, bit: number): State {
    const count = Math.min(state.count + 1, this.#counted);
    return { at: state.at, seen: state.seen | bit, count, begun: true };
  }

  #bit(name: string): number {
    return this.#bits.get(name) ?? 0;
  }

  #mayEnd({ seen, count }: State): boolean {
    if (count < this.#min) return false;
    const isThere = (name: string): boolean => (seen & this.#bit(name)) !== 0;
    if (this.#isFree && ![...this.#required].every(isThere)) return false;
    return this.#implications.every(({ name, needs }) => !isThere(name) || needs.every(isThere));
  }

  /** What stands before a value: a bracket or a comma, the name, a colon. */
  #key(names: string | Regex, begun: boolean): Regex {
    const [first, later] = this.#keys.get(names) ?? this.#makeKey(names);
    return begun ? later : first;
  }

  #makeKey(names: string | Regex): readonly [first: Regex, later: Regex] {
    const { space } = this.#emitter.marks;
    const name =
      typeof names === "string"
        ? quotedText(names)
        : quoted(names, names === ANY_TEXT ? "all" : "needed");
    const rest = concat(name, space, ascii(":"), space);
    const made = [concat(ascii("{"), space, rest), concat(space, ascii(","), space, rest)] as const;
    this.#keys.set(names, made);
    return made;
  }
}
