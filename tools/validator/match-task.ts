/** What a thread does for `matchPattern`. */
import type { PatternCheck } from "./match-pattern.ts";

export default function match({ pattern, texts }: PatternCheck): readonly boolean[] {
  const expression = new RegExp(pattern, "u");
  return texts.map((text) => expression.test(text));
}
