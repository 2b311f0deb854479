/**
 * Tokenizer cases: `{text, allowed_special?, ids}` encode; `{decode, text}` decode; `{decode, error}`
 * must fail with this text, and `{decode, lossy_contains}` decode lossily.
 */
import type { Tokenizer } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { type CaseResult, readCases } from "./case-result.ts";

type TokenizerCase = {
  readonly id?: string;
  readonly text?: string;
  readonly allowed_special?: readonly string[];
  readonly ids?: readonly number[];
  readonly decode?: readonly number[];
  readonly error?: string;
  readonly lossy_contains?: string;
};

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  const tokenizer = loadO200kHarmony();
  for (const path of paths) {
    const { cases } = readCases(path) as { cases: TokenizerCase[] };
    for (const [at, one] of cases.entries())
      yield runCase(tokenizer, one, one.id ?? `tokenizer-${at}`);
  }
}

function runCase(tokenizer: Tokenizer, one: TokenizerCase, id: string): CaseResult {
  if (one.decode === undefined) {
    const text = one.text ?? "";
    const got = one.allowed_special
      ? tokenizer.encodeWithSpecials(text, new Set(one.allowed_special))
      : tokenizer.encode(text);
    return { id, pass: JSON.stringify(got) === JSON.stringify(one.ids), got, expected: one.ids };
  }
  const got: { text?: string; error?: string; lossy?: string } = {};
  try {
    got.text = tokenizer.decode(one.decode);
  } catch (error) {
    got.error = (error as Error).message;
  }
  if (one.lossy_contains !== undefined) got.lossy = tokenizer.decodeLossy(one.decode);
  const pass =
    got.error === one.error &&
    (one.error !== undefined || one.text === undefined || got.text === one.text) &&
    (one.lossy_contains === undefined || got.lossy?.includes(one.lossy_contains) === true);
  const expected = { text: one.text, error: one.error, lossy_contains: one.lossy_contains };
  return { id, pass, got, expected };
}
