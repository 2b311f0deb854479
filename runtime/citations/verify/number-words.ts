/** Numbers as words, in English and German, and the small ones in French and Spanish. */

const SMALL: Readonly<Record<string, number>> = {
  ...numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen " +
      "seventeen eighteen nineteen",
  ),
  ...numbered(
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn " +
      "siebzehn achtzehn neunzehn",
  ),
  ...numbered("zéro un deux trois quatre cinq six sept huit neuf dix onze douze"),
  ...numbered("cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce"),
};

const TENS: Readonly<Record<string, number>> = {
  ...tens("twenty thirty forty fifty sixty seventy eighty ninety"),
  ...tens("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"),
};

const ORDINALS: Readonly<Record<string, number>> = {
  ...numbered(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
  ),
  erste: 1,
  zweite: 2,
  dritte: 3,
  vierte: 4,
  fünfte: 5,
};

/** Words for parts, as the number and as percent. */
const PARTS: Readonly<Record<string, readonly number[]>> = {
  half: [0.5, 50],
  hälfte: [0.5, 50],
  quarter: [0.25, 25],
  viertel: [0.25, 25],
  drittel: [33, 33.3],
  third: [33, 33.3],
  double: [2],
  doubled: [2],
  twice: [2],
  doppelt: [2],
  verdoppelt: [2],
  triple: [3],
  tripled: [3],
};

/** Small numbers that are mostly articles, pronouns or other words. */
const AMBIGUOUS: ReadonlySet<string> = new Set([
  "one",
  "ein",
  "un",
  "uno",
  "once",
  "null",
  "sept",
  "neuf",
]);

export type NumberWord = {
  readonly value: number;
  readonly start: number;
  readonly end: number;
};

/** Numbers from two on that are written as words: `twenty-one`, `einundzwanzig`. */
export function numberWords(text: string): readonly NumberWord[] {
  const found: NumberWord[] = [];
  const words = [...text.matchAll(/\p{L}+/gu)].map(({ 0: word, index }) => ({
    word: word.toLowerCase(),
    start: index,
    end: index + word.length,
  }));
  for (let at = 0; at < words.length; at++) {
    const { word = "", start = 0, end = 0 } = words[at] ?? {};
    const ten = TENS[word];
    const next = words[at + 1];
    const unit = next === undefined ? undefined : SMALL[next.word];
    const isJoined = next !== undefined && /^[ -]$/.test(text.slice(end, next.start));
    if (ten !== undefined && unit !== undefined && unit > 0 && unit < 10 && isJoined) {
      found.push({ value: ten + unit, start, end: next?.end ?? end });
      at++;
      continue;
    }
    const value = ten ?? germanCompound(word) ?? (AMBIGUOUS.has(word) ? undefined : SMALL[word]);
    if (value !== undefined && value >= 2) found.push({ value, start, end });
  }
  return found;
}

/** What words of a page may stand for beside that: ordinals and parts. */
export function otherNumberWords(text: string): readonly number[] {
  return (text.toLowerCase().match(/\p{L}+/gu) ?? []).flatMap((word) => {
    const small = SMALL[word];
    const ordinal = ORDINALS[word] ?? ORDINALS[word.replace(/[nrs]$/, "")];
    return [
      ...(small === undefined ? [] : [small]),
      ...(ordinal === undefined ? [] : [ordinal]),
      ...(PARTS[word] ?? []),
    ];
  });
}

function germanCompound(word: string): number | undefined {
  const match = /^(ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und(.+zig|dreißig)$/.exec(word);
  const [ten, unit] = [TENS[match?.[2] ?? ""], SMALL[match?.[1] ?? ""]];
  return ten === undefined || unit === undefined ? undefined : ten + unit;
}

function numbered(words: string): Record<string, number> {
  return Object.fromEntries(words.split(" ").map((word, value) => [word, value]));
}

function tens(words: string): Record<string, number> {
  return Object.fromEntries(words.split(" ").map((word, at) => [word, (at + 2) * 10]));
}
