/**
 * e^-x by table: a token samples from up to 200,000 logits, and Math.exp of each would take longer than
 * everything else that sampling does.
 */

const STEPS = 1024;
/** 2^(-i / 1024) */
const FRACTIONS = Float64Array.from({ length: STEPS }, (_, i) => 2 ** (-i / STEPS));
/** 2^-i */
const POWERS = Float64Array.from({ length: 64 }, (_, i) => 2 ** -i);
const STEPS_PER_UNIT = STEPS / Math.LN2;

/** Largest argument of `expNeg`. */
export const MAX_EXPONENT = 44;

/** e^-x, 0 ≤ x ≤ 44, relative error below 1e-10. */
export function expNeg(x: number): number {
  const steps = x * STEPS_PER_UNIT;
  const whole = steps | 0;
  const rest = (steps - whole) / STEPS_PER_UNIT;
  const power = FRACTIONS[whole & (STEPS - 1)]! * POWERS[whole >> 10]!;
  return power * (1 - rest * (1 - rest / 2));
}
