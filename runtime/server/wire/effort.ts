/** How much a model reasons, in the words of different APIs. gpt-oss always reasons; the least is `low`. */
import type { ReasoningEffort } from "../../../harmony/index.ts";
import { invalidField } from "../errors.ts";

const EFFORTS: Readonly<Record<string, ReasoningEffort>> = {
  none: "low",
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
};

/** @param param the field, for errors */
export function effortOf(value: string | null | undefined, param: string): ReasoningEffort | null {
  if (value === null || value === undefined) return null;
  const effort = Object.hasOwn(EFFORTS, value) ? EFFORTS[value] : undefined;
  if (effort !== undefined) return effort;
  throw invalidField(
    param,
    `${param} is ${JSON.stringify(value.slice(0, 40))}; accepted: ${Object.keys(EFFORTS).join(", ")}.`,
  );
}
