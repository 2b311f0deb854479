/** valibot as this folder uses it; bundled into the package (`scripts/bundle.ts`). */

export {
  array,
  boolean,
  type GenericSchema,
  getDotPath,
  integer,
  maxLength,
  maxValue,
  minValue,
  nullish,
  number,
  object,
  pipe,
  record,
  safeParse,
  string,
  union,
  unknown,
} from "valibot";
