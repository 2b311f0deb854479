/** From what several schemas say about the properties of an object to one list of names and classes of names. */
import type { Regex } from "../grammar.ts";
import { isEmptyLanguage, matches, textsOf } from "./language.ts";
import { ANY_TEXT, both, either, literal, not } from "./regex.ts";
import type { SetContext } from "./set-context.ts";
import { stringLanguage } from "./strings.ts";
import {
  ANYTHING,
  type Expression,
  type Layer,
  type ObjectSet,
  type ValueSet,
} from "./value-sets.ts";
import { propertyValue } from "./void-sets.ts";

export type PropertyPlan = {
  /** By name, in the order in which schemas name them. Those that cannot be are left out. */
  readonly named: readonly { readonly name: string; readonly value: Expression }[];
  /** Names that no schema names, in classes with one kind of value each. */
  readonly classes: readonly { readonly names: Regex; readonly value: Expression }[];
  /** What had to be left to the validator. */
  readonly lost: readonly { readonly keyword: string; readonly reason: string }[];
};

/** A class of names with no more texts than these is a list of names. */
const MAX_LISTED_NAMES = 16;
const MAX_CLASSES = 48;

type NameContext = SetContext & { expand(expression: Expression): readonly ValueSet[] };

/** Undefined: no object can be like this. */
export function planProperties(set: ObjectSet, context: NameContext): PropertyPlan | undefined {
  const lost: { keyword: string; reason: string }[] = [];
  const allowed = namesLanguage(set.names, context);
  const names = new Set(set.layers.flatMap(({ properties }) => [...properties.keys()]));
  for (const name of set.required) names.add(name);
  for (const { name, needs } of set.implications)
    for (const one of [name, ...needs]) names.add(one);
  const named: { name: string; value: Expression }[] = [];
  for (const name of names) {
    // No UTF-8 text holds half of a surrogate pair.
    const isPossible = name.isWellFormed() && (allowed === ANY_TEXT || matches(allowed, name));
    const value = isPossible ? propertyValue(set, name, context) : context.never;
    if (!context.isVoid(value, 1)) named.push({ name, value });
    else if (set.required.includes(name)) return undefined;
  }
  const classes: { names: Regex; value: Expression }[] = [];
  for (const one of classesOf(set.layers, allowed, [...names], context, lost)) {
    const texts = one.names === ANY_TEXT ? undefined : textsOf(one.names, MAX_LISTED_NAMES);
    if (texts === undefined) classes.push(one);
    else for (const name of texts) named.push({ name, value: one.value });
  }
  return { named, classes, lost };
}

/** The names that all of some schemas allow. */
function namesLanguage(names: readonly Expression[], context: NameContext): Regex {
  const each = names.map((expression) => {
    const sets = context.expand(expression);
    return either(
      ...sets.flatMap((one) => (one.type === "string" ? [stringLanguage(one.set)] : [])),
    );
  });
  return both(...each);
}

function classesOf(
  layers: readonly Layer[],
  allowed: Regex,
  named: readonly string[],
  context: NameContext,
  lost: { keyword: string; reason: string }[],
): readonly { names: Regex; value: Expression }[] {
  const patterns = [
    ...new Set(layers.flatMap((layer) => layer.patterns.map(({ names }) => names))),
  ];
  const free = named.length === 0 ? ANY_TEXT : not(either(...named.map(literal)));
  let parts: { language: Regex; matching: ReadonlySet<Regex> }[] = [
    { language: both(allowed, free), matching: new Set() },
  ];
  for (const pattern of patterns) {
    context.notes.step(parts.length * 20);
    const split = parts.flatMap(({ language, matching }) => [
      { language: both(language, pattern), matching: new Set([...matching, pattern]) },
      { language: both(language, not(pattern)), matching },
    ]);
    parts = split.filter(({ language }) => !isEmptyLanguage(language));
    if (parts.length > MAX_CLASSES) {
      lost.push({
        keyword: "patternProperties",
        reason: `its patterns overlap in more than ${MAX_CLASSES} ways`,
      });
      return [{ names: both(allowed, free), value: ANYTHING }];
    }
  }
  if (patterns.length === 0 && allowed !== ANY_TEXT) {
    parts = parts.filter(({ language }) => !isEmptyLanguage(language));
  }
  const found: { names: Regex; value: Expression }[] = [];
  for (const { language, matching } of parts) {
    const value = context.and(
      ...layers.map((layer) => {
        const own = layer.patterns.filter(({ names }) => matching.has(names));
        if (own.length === 0) return layer.others ?? ANYTHING;
        return context.and(...own.map((one) => one.value));
      }),
    );
    if (context.isVoid(value, 1)) continue;
    const same = found.find((one) => one.value === value || String(one.value) === String(value));
    if (same === undefined) found.push({ names: language, value });
    else same.names = either(same.names, language);
  }
  return found;
}
