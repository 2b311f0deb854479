/** `multipleOf` for quotients that no double holds: ajv's own takes an infinite one for a whole number. */
import type { Ajv } from "ajv";
import type { DataValidateFunction } from "ajv/dist/types/index.js";

/** As binary fractions, 0.3 is no multiple of 0.1. */
const TOLERANCE = 1e-9;

export function addMultipleOf(ajv: Ajv): void {
  ajv.removeKeyword("multipleOf");
  ajv.addKeyword({
    keyword: "multipleOf",
    type: "number",
    schemaType: "number",
    errors: true,
    compile(multipleOf: number): DataValidateFunction {
      const validate: DataValidateFunction = (value: number) => {
        const quotient = value / multipleOf;
        // NaN, of an infinite quotient, is not within the tolerance.
        if (Math.abs(Math.round(quotient) - quotient) <= TOLERANCE) return true;
        validate.errors = [{ keyword: "multipleOf", params: { multipleOf } }];
        return false;
      };
      return validate;
    },
  });
}
