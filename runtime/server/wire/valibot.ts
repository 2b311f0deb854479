/** valibot as this folder uses it; bundled into the package (`scripts/bundle.ts`). */

export {
  array,
  boolean,
  type GenericSchema,
  getDotPath,
  integer,
  looseObject,
  maxLength,
  maxValue,
  minValue,
  nullish,
  number,
  object,
  picklist,
  pipe,
  record,
  safeParse,
  string,
  union,
  unknown,
} from "valibot";
