import type { CompiledGrammar } from "../../../inference/index.ts";

/** Whether a text belongs to a grammar, byte by byte; the vocabulary has the single bytes as ids 0 … 255. */
export function acceptsText(compiled: CompiledGrammar, text: string): boolean {
  const matcher = compiled.matcher();
  for (const byte of new TextEncoder().encode(text)) {
    if (!matcher.allows(byte)) return false;
    matcher.accept(byte);
  }
  return matcher.isAccepting;
}
