/**
 * From bytes to text. In order: a byte order mark, the character set that the transport or the document
 * declares (checked against the bytes), UTF-8, and a guess by what the bytes look like.
 *
 * Source: WHATWG Encoding Standard; HTML Living Standard, 13.2.3.2 "Determining the character encoding".
 */
import { latin1 } from "./document-kind.ts";

export type DecodedText = {
  readonly text: string;
  /** For people: the declared character set is wrong, or it was guessed. */
  readonly warning?: string;
};

/** Browsers look at 1,024 bytes before they begin, and begin again for a declaration behind them. */
const DECLARATION_BYTES = 16_384;
/** Bytes that a guess looks at. */
const SAMPLE_BYTES = 65_536;

/**
 * @param declared  the character set that the transport names
 * @param markup  the text is HTML or XML and may declare its own
 */
export async function decodeText(
  bytes: Uint8Array,
  declared?: string,
  markup = false,
): Promise<DecodedText> {
  const marked = byteOrderMark(bytes);
  if (marked !== null) return { text: new TextDecoder(marked).decode(bytes) };
  // The escape sequences of ISO-2022-JP are valid ASCII.
  if (declared === undefined && hasJapaneseEscapes(bytes)) declared = "iso-2022-jp";
  const asUtf8 = decode(bytes, "utf-8");
  const label = effectiveLabel(declared ?? (markup ? declaredInMarkup(bytes) : null));
  if (label !== null && label !== "utf-8") {
    const asDeclared = decode(bytes, label);
    if (asUtf8 !== null && isSurelyUtf8(asUtf8, label)) {
      return { text: asUtf8, warning: `it declares ${label}, but it is UTF-8` };
    }
    if (asDeclared !== null) return { text: asDeclared };
  }
  if (asUtf8 !== null) return { text: asUtf8 };
  const guess = await guessEncoding(bytes);
  const why =
    label === null ? "it declares no character set" : `it is not ${label}, which it declares`;
  return { text: guess.text, warning: `${why}; ${guess.label} is a guess` };
}

function byteOrderMark(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : null;
}

function hasJapaneseEscapes(bytes: Uint8Array): boolean {
  const at = bytes.indexOf(0x1b);
  return at >= 0 && bytes[at + 1] === 0x24 && (bytes[at + 2] === 0x42 || bytes[at + 2] === 0x40);
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** Null when the bytes are not valid in it, or there is no such character set. */
function decode(bytes: Uint8Array, label: string): string | null {
  try {
    if (label === "utf-8") return UTF_8.decode(bytes);
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The standard's name; a document whose declaration can be read as ASCII is not UTF-16. */
function effectiveLabel(label: string | null): string | null {
  if (label === null) return null;
  if (/^\s*utf-?8\s*$/i.test(label)) return "utf-8";
  try {
    const { encoding } = new TextDecoder(label.trim());
    return encoding.startsWith("utf-16") ? "utf-8" : encoding;
  } catch {
    return null;
  }
}

function declaredInMarkup(bytes: Uint8Array): string | null {
  const head = latin1(bytes, DECLARATION_BYTES);
  const xml = /^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(head);
  if (xml) return xml[1] ?? null;
  const withoutComments = head.includes("<!--") ? head.replace(/<!--[\s\S]*?(?:-->|$)/g, "") : head;
  return (
    /<meta\s[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(withoutComments)?.[1] ?? null
  );
}

/**
 * Valid UTF-8 with characters of several bytes is UTF-8 against any declaration: in text of a character set
 * of one byte such sequences do not occur by accident, in one of two bytes hardly when there are many.
 */
function isSurelyUtf8(text: string, declared: string): boolean {
  const multibyte = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
  return multibyte >= (/^(?:gb|big5|euc|shift_jis|iso-2022)/.test(declared) ? 12 : 2);
}

/** What chardet mixes up or does not know, by the standard's names. */
const CANDIDATES = [
  "windows-1252",
  "windows-1250",
  "windows-1251",
  "windows-1253",
  "windows-1254",
  "windows-1257",
  "windows-874",
];

async function guessEncoding(
  bytes: Uint8Array,
): Promise<{ readonly label: string; readonly text: string }> {
  const { analyse } = await import("chardet");
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const likely = analyse(sample).slice(0, 6);
  const scores = new Map<string, number>();
  for (const label of CANDIDATES) scores.set(label, 0);
  for (const { name, confidence } of likely) {
    const label = effectiveLabel(name);
    if (label !== null && label !== "utf-8")
      scores.set(label, Math.max(scores.get(label) ?? 0, confidence / 250));
  }
  let best = { label: "windows-1252", score: -Infinity };
  for (const [label, confidence] of scores) {
    const text = decodeSample(sample, label);
    if (text === null) continue;
    const score = confidence + plausibility(text);
    if (score > best.score) best = { label, score };
  }
  return { label: best.label, text: new TextDecoder(best.label).decode(bytes) };
}

/** The sample may end inside of a character. */
function decodeSample(sample: Uint8Array, label: string): string | null {
  for (let cut = 0; cut < 4; cut++) {
    const text = decode(sample.subarray(0, sample.length - cut), label);
    if (text !== null) return text;
  }
  return null;
}

/** Letters that are common in the languages of Europe, beyond ASCII. */
const COMMON = /[äöüßéèêàâçñóíáúôîåøæąćęłńśźżčšžěřůýőűşğıÄÖÜÉÅØÆŁŚŻČŠŽ]/u;
const SCRIPTS: readonly RegExp[] = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Hebrew}/u,
  /\p{Script=Arabic}/u,
  /\p{Script=Thai}/u,
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u,
];
const EAST_ASIAN = 6;

/** How much the characters beyond ASCII look like words of one script: from -1 to 1. */
function plausibility(text: string): number {
  let points = 0;
  let count = 0;
  let before = -1;
  let beforeIsSmall = false;
  for (const character of text) {
    const ascii = character < "\u0080";
    const script =
      ascii && !/[A-Za-z]/.test(character) ? -1 : SCRIPTS.findIndex((each) => each.test(character));
    if (!ascii) {
      count++;
      points += characterPoints(character, script, before);
    } else if (script === 0 && before > 0 && before !== EAST_ASIAN) points -= 1;
    // No word goes on with a capital behind a small letter beyond ASCII.
    else if (script === 0 && before === 0 && character < "a" && beforeIsSmall) points -= 1;
    beforeIsSmall = !ascii && script === 0 && character === character.toLowerCase();
    before = script;
  }
  return count === 0 ? 0 : points / count;
}

function characterPoints(character: string, script: number, before: number): number {
  // Controls, private use, replacement.
  if (/[\u0080-\u009f\ue000-\uf8ff\ufffd]/.test(character)) return -2;
  if (script < 0) return /[“”„’‘–—…«»¿¡°§€£ ·、。，「」！？]/.test(character) ? 0.5 : -0.5;
  // A letter of another script in the middle of a word.
  if (before >= 0 && before !== script)
    return script === EAST_ASIAN || before === EAST_ASIAN ? -0.3 : -1;
  // Half-width forms are what other two-byte text looks like in Shift_JIS.
  if (/[\uff61-\uff9f]/.test(character)) return -1;
  if (script === EAST_ASIAN) return /[\u3040-\u30ff]/.test(character) ? 1.1 : 0.7;
  if (script === 0) return COMMON.test(character) ? 1 : -0.2;
  // Text is mostly lower case: the wrong one of two Cyrillic sets swaps the cases.
  return before === script && character !== character.toLowerCase() ? -0.6 : 1;
}
