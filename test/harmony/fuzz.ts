/**
 * `node test/harmony/fuzz.ts [--ids N] [--seed N]`: random ids through the lenient parser until N ids
 * were read. It ends with code 1 at the first sequence that throws or loses a word, naming its seed;
 * the last line is one JSON object; full runs are kept in `fuzz-record.jsonl`.
 */
import { parseArgs } from "node:util";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { checkRandomIds } from "./random-ids.ts";

const { values } = parseArgs({
  options: {
    ids: { type: "string", default: "10000000" },
    seed: { type: "string", default: "1" },
  },
});
const tokenizer = loadO200kHarmony();
const wanted = Number(values.ids);
const firstSeed = Number(values.seed);
const start = performance.now();
let ids = 0;
let seed = firstSeed;
for (; ids < wanted; seed++) {
  // From single tokens to long completions.
  const length = 1 + Math.floor(randomNumbers(seed)() ** 4 * 20_000);
  checkRandomIds(tokenizer, seed, length);
  ids += length;
}
console.log(
  JSON.stringify({
    ids,
    sequences: seed - firstSeed,
    first_seed: firstSeed,
    last_seed: seed - 1,
    seconds: Math.round((performance.now() - start) / 1000),
    failures: 0,
  }),
);
