/**
 * Names in a sentence: of persons, places, products, identifiers, and what is quoted. Where a language writes every
 * noun large, a single word is none.
 */
import { foldLetters, foldSigns, foldUmlauts, wordsOf } from "./fold.ts";

export type NameClaim = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** `exact`: a version or an address. */
  readonly kind: "name" | "quote" | "exact";
};

/** A cited text, prepared for looking up names. */
export type NamedText = {
  readonly raw: string;
  readonly words: ReadonlySet<string>;
  /** Words in order, one space between them. */
  readonly sentence: string;
  /** Words of four letters or more with their beginnings: `german` is said by `Germany`. */
  readonly beginnings: ReadonlySet<string>;
  /** Initials of words that stand together and are written large. */
  readonly initials: ReadonlySet<string>;
  /** Letters and digits alone, words by words: `gpt 4` → `gpt4`. */
  readonly squashed: string;
};

const TOKEN = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['&.+#/-][\p{L}\p{N}]+)*\+*/gu;
/** Words that may stand inside of a name. */
const INNER =
  /^(?:of|the|and|for|de|del|della|des|du|di|da|do|la|le|van|von|der|den|zu|zum|zur|ten|ter|y|und|et|&)$/;
/** Begins sentences and is no name; also titles, which pages leave out. */
const OPENERS: ReadonlySet<string> = new Set(
  (
    "a an the this that these those it its he she they we you i his her their our your in on at by for from to of with " +
    "without as and or but so if when while where what which who how why there here then thus however also both each " +
    "every all any some no not only most many more few one two three first second third finally next after before " +
    "since until during over under between among about according although because despite yes overall note see " +
    "der die das den dem des ein eine einen einem einer es er sie wir ihr ich in im an am auf bei zu zum zur von vom " +
    "mit nach aus fur und oder aber wenn als wie was wer wo hier dort dann also auch nur seit bis vor laut diese dieser " +
    "dieses jede jeder jedes beide alle keine nicht " +
    "le la les l un une des du de d en et ou mais il elle ils elles ce cette ces dans sur pour par avec selon " +
    "el los las una unos unas y o pero en por para con segun " +
    "dr mr mrs ms prof professor sir lady herr frau monsieur madame senor president king queen"
  ).split(" "),
);
/** Written large, and said in other ways. */
const NO_NAMES: ReadonlySet<string> = new Set(
  "i ok am pm ad bc ce bce eu.g no yes vs etc nr no fig l uhr euro eur usd gbp chf mwst".split(" "),
);
const GERMAN =
  /\b(?:der|die|das|und|ist|nicht|ein|eine|mit|von|für|auf|dem|den|im|am|wird|werden|sind|war|waren|wurde|hat|zu|zum|zur|bei|nach)\b/giu;
const OTHERS = /\b(?:the|and|is|of|to|are|with|for|le|la|les|et|est|el|los|las|del)\b/giu;

/** Whether single nouns written large say nothing. */
export function isGerman(text: string): boolean {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  return count(GERMAN) > count(OTHERS);
}

type Token = {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Begins a sentence, an item of a list or a quotation, where every word is written large. */
  readonly isFirst: boolean;
};

export type NameOptions = {
  /** Single words written large are nouns. */
  readonly isGerman: boolean;
  /** What is a label (`Highest pressure:`), up to this offset: only what is a name by its form counts. */
  readonly labelEnd: number;
  /** Whether a word at the beginning of a sentence is a name elsewhere. */
  readonly isKnownName: (word: string) => boolean;
};

/** @param sentence with its signs folded (`foldSigns`) */
export function namesOf(sentence: string, options: NameOptions): readonly NameClaim[] {
  const claims: NameClaim[] = [
    ...quotationsOf(sentence),
    ...codeOf(sentence),
    ...versionsOf(sentence),
  ];
  const isTaken = (start: number, end: number): boolean =>
    claims.some((other) => start < other.end && end > other.start);
  for (const group of groupsOf(sentence)) {
    const tokens = trimmed(group, options);
    const [first, last] = [tokens[0], tokens.at(-1)];
    if (first === undefined || last === undefined || isTaken(first.start, last.end)) continue;
    const text = sentence.slice(first.start, last.end);
    claims.push({ text, start: first.start, end: last.end, kind: "name" });
  }
  return claims.toSorted((a, b) => a.start - b.start);
}

/** Words in quotation marks, three or more: they are said to stand there. */
function quotationsOf(sentence: string): readonly NameClaim[] {
  const pattern = /“([^“”]{3,400})”|„([^“”„]{3,400})[“”]|«([^«»]{3,400})»|"([^"]{3,400})"/gu;
  return [...sentence.matchAll(pattern)].flatMap(({ 0: text, index }) =>
    wordsOf(text).length < 3
      ? []
      : [{ text, start: index, end: index + text.length, kind: "quote" }],
  );
}

/** What stands in a code span is written as it is. */
function codeOf(sentence: string): readonly NameClaim[] {
  return [...sentence.matchAll(/`([^`\n]{1,80})`/g)].flatMap(({ 0: text, 1: code = "", index }) =>
    /[\p{L}\p{N}]/u.test(code)
      ? [{ text: code, start: index + 1, end: index + text.length - 1, kind: "name" }]
      : [],
  );
}

/** `24.1.3`, `192.168.0.1`: digits with more than one dot that are no thousands. */
function versionsOf(sentence: string): readonly NameClaim[] {
  const pattern = /(?<![\p{L}\p{N}.])v?(\d+(?:\.\d+){2,})(?![\p{L}\p{N}]|\.\d)/gu;
  return [...sentence.matchAll(pattern)].flatMap(({ 0: text, 1: digits = "", index }) =>
    /^\d{1,3}(?:\.\d{3})+$/.test(digits)
      ? []
      : [{ text: digits, start: index, end: index + text.length, kind: "exact" }],
  );
}

/** Words written large that stand together, with small words between them. */
function groupsOf(sentence: string): readonly (readonly Token[])[] {
  const groups: Token[][] = [];
  let group: Token[] = [];
  /** Small words that belong to the name if it goes on. */
  let inner: Token[] = [];
  let before = 0;
  const close = (): void => {
    if (group.length > 0) groups.push(group);
    group = [];
    inner = [];
  };
  for (const { 0: text, index } of sentence.matchAll(TOKEN)) {
    const gap = sentence.slice(before, index);
    const token = {
      text,
      start: index,
      end: index + text.length,
      isFirst: isFirst(sentence, index),
    };
    before = token.end;
    if (!/^ ?$/.test(gap) && !/^(?:\. | & )$/.test(gap)) close();
    else if (gap === ". " && !/^\p{Lu}$/u.test(group.at(-1)?.text ?? "")) close();
    if (isLarge(text)) {
      group.push(...inner, token);
      inner = [];
    } else if (group.length > 0 && INNER.test(text) && inner.length < 2) inner.push(token);
    else close();
  }
  close();
  return groups;
}

/** Characters in front of a word that say whether it begins something. */
const CHARACTERS_BEFORE = 8;

function isFirst(sentence: string, at: number): boolean {
  const before = sentence.slice(Math.max(0, at - CHARACTERS_BEFORE), at);
  const isBegin = before.trim() === "" && sentence.slice(0, at).trim() === "";
  return isBegin || /(?:[.!?:;]\s|[([|"“„«*•])\s*$/u.test(before);
}

function isLarge(text: string): boolean {
  return /^\p{Lu}/u.test(text) || isNameByForm(text);
}

/** `NATO`, `GPT-4`, `iPhone`, `snake_case`: a name wherever it stands. */
function isNameByForm(text: string): boolean {
  if (NO_NAMES.has(text.toLowerCase())) return false;
  const hasLetter = /\p{L}/u.test(text);
  if (!hasLetter) return false;
  const isAcronym = /^\p{Lu}[\p{Lu}\p{N}&.+#/-]+s?$/u.test(text);
  const isMixed =
    /\d/.test(text) && !/^\d+(?:st|nd|rd|th|er|e|s|x|\.)?$/i.test(text) && !/^\d/.test(text);
  return isAcronym || isMixed || /\p{Ll}\p{Lu}/u.test(text);
}

/** Without what begins a sentence and is no name; nothing where nothing is left. */
function trimmed(
  group: readonly Token[],
  { isGerman: german, labelEnd, isKnownName }: NameOptions,
): readonly Token[] {
  let tokens = group;
  while (tokens[0] !== undefined && OPENERS.has(foldLetters(tokens[0].text))) {
    tokens = tokens.slice(1);
  }
  while (tokens[0] !== undefined && INNER.test(tokens[0].text)) tokens = tokens.slice(1);
  // `Hohe Temperaturen` begins a sentence as `Lise Meitner` does.
  const [begin] = tokens;
  if (german && begin?.isFirst && /e[mnrs]?$/.test(begin.text) && !isKnownName(begin.text)) {
    tokens = tokens.slice(1);
  }
  const large = tokens.filter(({ text }) => isLarge(text));
  const [first] = tokens;
  if (first === undefined || large.length === 0) return [];
  const byForm = tokens.filter(({ text }) => isNameByForm(text));
  if (first.start < labelEnd) return byForm.length === 0 ? [] : byForm.slice(0, 1);
  if (NO_NAMES.has(first.text.toLowerCase())) return [];
  if (large.length > 1) return tokens;
  if (byForm.length > 0) return byForm;
  if (first.text.length < 2) return [];
  if (german || first.isFirst) return !german && isKnownName(first.text) ? [first] : [];
  return [first];
}

/** Longer words and longer names are not looked up by parts. */
const LONGEST_WORD = 40;
const LONGEST_INITIALS = 12;

export function namedText(raw: string): NamedText {
  const words = wordsOf(raw);
  const beginnings = new Set<string>();
  for (const word of words) {
    const longest = Math.min(word.length, LONGEST_WORD);
    for (let length = 4; length <= longest; length++) beginnings.add(word.slice(0, length));
  }
  const umlauts = (foldSigns(raw).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).map(foldUmlauts);
  const initials = new Set<string>();
  for (const [run] of foldSigns(raw).matchAll(
    /\p{Lu}[\p{L}\p{M}]*(?:[ -]+(?:of |the |and |for |für |und |der |de )*\p{Lu}[\p{L}\p{M}]*)+/gu,
  )) {
    const letters = (run.match(/(?<![\p{L}\p{M}])\p{Lu}/gu) ?? []).join("").toLowerCase();
    for (let from = 0; from < letters.length; from++) {
      const last = Math.min(letters.length, from + LONGEST_INITIALS);
      for (let to = from + 2; to <= last; to++) initials.add(letters.slice(from, to));
    }
  }
  return {
    raw,
    words: new Set([...words, ...umlauts]),
    sentence: ` ${words.join(" ")} `,
    beginnings,
    initials,
    squashed: squash(raw),
  };
}

/** Whether the text has the name, as far as names are written in several ways. */
export function hasName({ text, kind }: NameClaim, cited: NamedText): boolean {
  if (kind === "quote") {
    return text.split(/…|\.{3}|\[[^\]]*\]/).every((part) => {
      const words = wordsOf(part).join(" ");
      return words === "" || cited.sentence.includes(` ${words} `);
    });
  }
  if (kind === "exact") {
    const escaped = text.replaceAll(".", "\\.");
    return new RegExp(`(?<![\\d.])${escaped}(?!\\d|\\.\\d)`).test(foldSigns(cited.raw));
  }
  // As it is, between signs: also a code span of a word that is no name elsewhere.
  if (cited.sentence.includes(` ${wordsOf(text).join(" ")} `) && wordsOf(text).length > 0)
    return true;
  const words = (foldSigns(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []).filter((word) => {
    return word !== "s" && !INNER.test(word) && !OPENERS.has(foldLetters(word));
  });
  // Of `Polish-born`, the part that is written large is the name.
  const named = words.filter((word) => /[\p{Lu}\p{N}]/u.test(word));
  if (named.length > 0 && named.every((word) => hasWord(word, cited))) return true;
  const version = /^v(\d+)$/i.exec(text)?.[1];
  if (version !== undefined) return cited.words.has(version);
  const letters = words.map((word) => foldLetters(word.charAt(0))).join("");
  if (words.length > 0 && words.every((word) => hasWord(word, cited))) return true;
  if (hasSquashed(text, cited)) return true;
  // `World Health Organization` and `WHO` are one name, in either direction.
  if (/^\p{Lu}{2,}s?$/u.test(text) && cited.initials.has(foldLetters(text).replace(/s$/, "")))
    return true;
  if (words.length > 1 && cited.words.has(letters)) return true;
  return /^[\p{L}\p{M}'. -]+$/u.test(text) && hasFamilyName(words, cited);
}

function hasWord(word: string, { words, beginnings }: NamedText): boolean {
  const plain = foldLetters(word);
  if (words.has(plain) || words.has(foldUmlauts(word))) return true;
  if (plain.length < 4) return false;
  // `German` is said by `Germany`, and `Berlins` by `Berlin`.
  if (beginnings.has(plain)) return true;
  return [1, 2].some((cut) => plain.length - cut >= 4 && words.has(plain.slice(0, -cut)));
}

function squash(text: string): string {
  // A letter beside a digit needs no sign between them.
  const joined = foldLetters(foldSigns(text)).replace(
    /(?<=[\p{L}\p{N}])[-_.\s](?=[\p{L}\p{N}])/gu,
    "",
  );
  return ` ${joined.replace(/[^\p{L}\p{N}]+/gu, " ")} `;
}

/** `X-200`, `X 200` and `X200` are one name. */
function hasSquashed(text: string, { squashed, raw }: NamedText): boolean {
  if (!/\d/.test(text) || !/\p{L}/u.test(text)) return false;
  const wanted = foldLetters(foldSigns(text)).replace(/[^\p{L}\p{N}]+/gu, "");
  if (wanted.length < 2) return false;
  const parts = wanted.match(/\p{L}+|\p{N}+/gu) ?? [];
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])${parts.join("[-_.\\s]?")}(?![\\p{L}\\p{N}])`,
    "u",
  );
  return squashed.includes(` ${wanted} `) || pattern.test(foldLetters(foldSigns(raw)));
}

/** `Ada Lovelace` is said by `Lovelace`, but not by `Charles Lovelace`. */
function hasFamilyName(words: readonly string[], cited: NamedText): boolean {
  const last = words.at(-1);
  if (words.length < 2 || last === undefined || last.length < 3 || /\d/.test(last)) return false;
  if (!hasWord(last, cited)) return false;
  const family = foldLetters(last);
  const first = foldLetters(words[0] ?? "");
  for (const { 0: before, 1: word = "", 2: name = "" } of foldSigns(cited.raw).matchAll(
    /(?:(\p{Lu}[\p{L}\p{M}]*\.?) )?(\p{Lu}[\p{L}\p{M}]+)/gu,
  )) {
    if (before === "" || !foldLetters(name).startsWith(family)) continue;
    const given = foldLetters(word).replace(".", "");
    if (given === "" || OPENERS.has(given) || given === first) return true;
    if (given.length === 1 && first.startsWith(given)) return true;
  }
  return false;
}
