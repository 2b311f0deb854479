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
  return Array.from({ length: size }, (_, id) =>
    Array.from(bytes.subarray(offsets[id], offsets[id + 1] ?? offsets[id]), (byte) =>
      String.fromCodePoint(letterOf(byte)),
    ).join(""),
  );
}

/** Printable bytes stand for themselves, the others come behind Latin 1 in their order. */
function letterOf(byte: number): number {
  if (isPrintable(byte)) return byte;
  let before = 0;
  for (let other = 0; other < byte; other++) if (!isPrintable(other)) before++;
  return 0x100 + before;
}

function isPrintable(byte: number): boolean {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}
