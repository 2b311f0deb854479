/** Sets that turn out to have no values. */

import { matches } from "./language.ts";
import { numberLanguage } from "./numbers.ts";
import { isNothing } from "./regex.ts";
import type { SetContext } from "./set-context.ts";
import { hasNoString } from "./strings.ts";
import {
  ANYTHING,
  type Expression,
  type Layer,
  type ObjectSet,
  type ValueSet,
} from "./value-sets.ts";

/** Whether a set has no values, as far as that shows within some levels. */
export function isVoidSet(one: ValueSet, context: SetContext, levels: number): boolean {
  switch (one.type) {
    case "null":
      return false;
    case "boolean":
      return one.values.length === 0;
    case "number":
      return isNothing(numberLanguage(one.set).regex);
    case "string":
      return hasNoString(one.set);
    case "array": {
      const { prefix, rest, min } = one.set;
      const needed = prefix.slice(0, min);
      if (min > prefix.length) needed.push(rest);
      return needed.some((item) => context.isVoid(item, levels));
    }
    case "object":
      return one.set.required.some((name) =>
        context.isVoid(propertyValue(one.set, name, context), levels),
      );
  }
}

/** What the value of a property must be. */
export function propertyValue(set: ObjectSet, name: string, context: SetContext): Expression {
  return context.and(...set.layers.map((layer) => valueIn(layer, name, context)));
}

function valueIn(layer: Layer, name: string, context: SetContext): Expression {
  const own = layer.properties.get(name);
  const matching = layer.patterns.filter(({ names }) => matches(names, name));
  if (own === undefined && matching.length === 0) return layer.others ?? ANYTHING;
  return context.and(own ?? ANYTHING, ...matching.map(({ value }) => value));
}
