/** Work on letters and words, which a model that sees tokens cannot do by looking. */
import { fill, type Random } from "../random.ts";
import { ADJECTIVES, FIRST_NAMES, PLACES, WORDS } from "../words.ts";
import type { Draft } from "./draft.ts";

const REVERSE = [
  'Spell "{s}" in reverse.',
  "Write the word {s} from its last letter to its first.",
  "What does '{s}' look like backwards?",
  "Please turn {s} back to front",
  'I want "{s}" with its letters in the opposite order.',
];
const COUNT_LETTER = [
  'How many times is the letter {c} found in "{s}"?',
  "In the word {s}, how often do we see {c}?",
  'Count every "{c}" in "{s}".',
  "How many {c}'s does {s} have?",
  'Tell me the number of {c}\'s in "{s}".',
];
const COUNT_WORDS = [
  'How many words does this have: "{s}"?',
  'Give me the word count of "{s}".',
  'Count the words of the line "{s}"',
];
const LENGTH = [
  'How many characters long is the string "{s}"?',
  'What length does "{s}" have?',
  "Count all characters of '{s}'.",
];
const SORT_WORDS = [
  'Sort the words of "{s}" alphabetically.',
  'Put the words of the text "{s}" into alphabetical order.',
  'Alphabetize these words: "{s}"',
];
const SORT_LETTERS = [
  'Arrange the letters of "{s}" alphabetically.',
  "Sort the letters of the word {s}.",
];
const UPPER = [
  'Write "{s}" in upper case.',
  'Make "{s}" all caps, please.',
  'How does "{s}" look in capital letters?',
  'Turn "{s}" into uppercase letters',
];
const CODE = [
  'What is the Unicode code point of "{c}"?',
  "Which ASCII code does '{c}' have?",
  'Give me the character code for "{c}".',
];
const CODES = [
  'List the character codes of "{s}".',
  'Which ASCII codes do the letters of "{s}" have?',
];
const VOWELS = ['How many vowels are there in "{s}"?', 'Count the vowels of the word "{s}".'];
const REPLACE = [
  'In "{s}", replace every {a} with {b}.',
  'Swap each "{a}" for "{b}" in the word "{s}".',
];

const KINDS: readonly ((random: Random) => Draft)[] = [
  (r) => about(r, REVERSE, word(r), (s) => [...s].reverse().join("")),
  (r) => about(r, REVERSE, word(r), (s) => [...s].reverse().join("")),
  countLetter,
  countLetter,
  (r) => about(r, COUNT_WORDS, phrase(r, r.int(4, 9)), (s) => String(s.split(" ").length)),
  (r) => about(r, LENGTH, phrase(r, r.int(1, 4)), (s) => String(s.length)),
  (r) => about(r, SORT_WORDS, phrase(r, r.int(3, 6)), (s) => s.split(" ").sort().join(" ")),
  (r) => about(r, SORT_LETTERS, r.pick(WORDS), (s) => [...s].sort().join("")),
  (r) => about(r, UPPER, phrase(r, r.int(1, 5)), (s) => s.toUpperCase()),
  characterCode,
  characterCodes,
  (r) => about(r, VOWELS, r.pick(WORDS), (s) => String(s.replace(/[^aeiou]/g, "").length)),
  replacement,
];

export function text(random: Random): Draft {
  return random.pick(KINDS)(random);
}

function about(
  random: Random,
  phrasings: readonly string[],
  subject: string,
  result: (subject: string) => string,
): Draft {
  return {
    prompt: fill(random.pick(phrasings), { s: subject }),
    expect: { final_contains: [result(subject)] },
  };
}

function word(random: Random): string {
  return random.chance(0.7) ? random.pick(WORDS) : random.pick([...FIRST_NAMES, ...PLACES]);
}

function phrase(random: Random, words: number): string {
  return Array.from({ length: words }, () => random.pick([...WORDS, ...ADJECTIVES])).join(" ");
}

function countLetter(random: Random): Draft {
  const s = random.pick(WORDS);
  const c = random.pick([...s]);
  return {
    prompt: fill(random.pick(COUNT_LETTER), { s, c }),
    expect: { final_contains: [String(s.split(c).length - 1)] },
  };
}

function characterCode(random: Random): Draft {
  const c = random.pick([..."ABCDEFGHKMNPQRTUWXZabdefghkmnpqrtuwxz$%&@#"]);
  return {
    prompt: fill(random.pick(CODE), { c }),
    expect: { final_contains: [String(c.codePointAt(0))] },
  };
}

function characterCodes(random: Random): Draft {
  const s = random.pick(WORDS).slice(0, random.int(3, 5));
  return {
    prompt: fill(random.pick(CODES), { s }),
    expect: { final_contains: [[...s].map((c) => c.codePointAt(0)).join(", ")] },
  };
}

function replacement(random: Random): Draft {
  const s = random.pick(WORDS);
  const a = random.pick([...s]);
  const b = random.pick([..."xzqkw"]);
  return {
    prompt: fill(random.pick(REPLACE), { s, a, b }),
    expect: { final_contains: [s.replaceAll(a, b)] },
  };
}
