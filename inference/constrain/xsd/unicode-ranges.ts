/** The code points of Unicode categories, as this Node knows them, and of the blocks that XSD patterns name most. */
import { GrammarError } from "../../errors.ts";
import { complementRanges, intersectRanges, LAST, type Range } from "../character-ranges.ts";

/** Unicode's Blocks.txt, those that patterns of schemas name. */
const BLOCKS: Readonly<Record<string, Range>> = {
  BasicLatin: [0x00, 0x7f],
  "Latin-1Supplement": [0x80, 0xff],
  "LatinExtended-A": [0x100, 0x17f],
  "LatinExtended-B": [0x180, 0x24f],
  IPAExtensions: [0x250, 0x2af],
  Greek: [0x370, 0x3ff],
  GreekandCoptic: [0x370, 0x3ff],
  Cyrillic: [0x400, 0x4ff],
  Hebrew: [0x590, 0x5ff],
  Arabic: [0x600, 0x6ff],
  GeneralPunctuation: [0x2000, 0x206f],
  CurrencySymbols: [0x20a0, 0x20cf],
  Hiragana: [0x3040, 0x309f],
  Katakana: [0x30a0, 0x30ff],
  CJKUnifiedIdeographs: [0x4e00, 0x9fff],
  HangulSyllables: [0xac00, 0xd7a3],
};

/**
 * Characters whose category every version of Unicode that a validator may have agrees on: Latin, Greek, Cyrillic,
 * Hebrew, Arabic, kana, Han and Hangul. A model writes no others where a pattern names a category.
 */
const SETTLED: readonly Range[] = [
  [0x00, 0x21f],
  [0x391, 0x3a1],
  [0x3a3, 0x3ce],
  [0x401, 0x40c],
  [0x40e, 0x44f],
  [0x451, 0x45c],
  [0x5d0, 0x5ea],
  [0x621, 0x63a],
  [0x3041, 0x3094],
  [0x30a1, 0x30fa],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
];

/** All characters but these, as far as their category is settled. */
export function settledComplement(ranges: readonly Range[]): readonly Range[] {
  return intersectRanges(complementRanges(ranges), SETTLED);
}

const known = new Map<string, readonly Range[]>();

/**
 * @param name  a category (`L`, `Nd`) or a block (`IsBasicLatin`)
 * @returns of a category, the characters that have been in it in every version of Unicode
 * @throws GrammarError for a name that is not known
 */
export function unicodeRanges(name: string): readonly Range[] {
  const found = known.get(name);
  if (found !== undefined) return found;
  const block = /^Is(.+)$/.exec(name)?.[1];
  const ranges =
    block === undefined ? intersectRanges(rangesOfCategory(name), SETTLED) : rangesOfBlock(block);
  known.set(name, ranges);
  return ranges;
}

function rangesOfBlock(name: string): readonly Range[] {
  const range = Object.hasOwn(BLOCKS, name) ? BLOCKS[name] : undefined;
  if (range !== undefined) return [range];
  throw new GrammarError(`The Unicode block Is${name} of a pattern is not known.`);
}

function rangesOfCategory(name: string): readonly Range[] {
  if (!/^[LMNPZSC][a-z]?$/.test(name)) {
    throw new GrammarError(`The Unicode category ${name} of a pattern is not known.`);
  }
  let isOfCategory: RegExp;
  try {
    isOfCategory = new RegExp(`^\\p{${name}}$`, "u");
  } catch {
    throw new GrammarError(`The Unicode category ${name} of a pattern is not known.`);
  }
  const ranges: Range[] = [];
  let from = -1;
  for (let code = 0; code <= LAST + 1; code++) {
    const isIn = code <= LAST && isOfCategory.test(String.fromCodePoint(code));
    if (isIn && from < 0) from = code;
    if (!isIn && from >= 0) {
      ranges.push([from, code - 1]);
      from = -1;
    }
  }
  return ranges;
}
