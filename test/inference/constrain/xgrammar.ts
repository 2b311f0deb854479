/**
 * `@mlc-ai/web-xgrammar`, an independent implementation of grammar masks in WebAssembly. Its package says that
 * it is an ES module, but its file is not one: it loads under the ending `.cjs`.
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Vocabulary } from "../../../inference/index.ts";

export type XGrammar = Pick<
  typeof import("@mlc-ai/web-xgrammar"),
  "Grammar" | "GrammarCompiler" | "GrammarMatcher" | "TokenizerInfo" | "Testings"
>;

export function loadXGrammar(): XGrammar {
  const source = fileURLToPath(import.meta.resolve("@mlc-ai/web-xgrammar"));
  const folder = mkdtempSync(join(tmpdir(), "chorale-xgrammar-"));
  try {
    const copy = join(folder, "xgrammar.cjs");
    copyFileSync(source, copy);
    return createRequire(import.meta.url)(copy);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The tokens in GPT-2's alphabet of bytes; ids without bytes, such as special ones, are empty: never allowed. */
export function byteLevelTokens({ size, bytes, offsets }: Vocabulary): string[] {
  const tokens: string[] = [];
  for (let id = 0; id < size; id++) {
    let token = "";
    for (let at = offsets[id] ?? 0; at < (offsets[id + 1] ?? 0); at++) {
      token += LETTERS[bytes[at] as number];
    }
    tokens.push(token);
  }
  return tokens;
}

/** Printable bytes stand for themselves, the others come behind Latin 1 in their order. */
const LETTERS: readonly string[] = letters();

function letters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCodePoint(isPrintable ? byte : next++);
  });
}
