/** Questions about a file of the user, and requests for one: the answer must hold the value, or name the file that was written. */
import { fill, type Random } from "../random.ts";
import { FIRST_NAMES, PLACES, THINGS, WORDS } from "../words.ts";
import type { Draft } from "./draft.ts";

type Column = { readonly name: string; readonly low: number; readonly high: number };

const TABLES: readonly {
  readonly file: string;
  readonly key: string;
  readonly keys: readonly string[];
  readonly columns: readonly Column[];
}[] = [
  {
    file: "harvest.csv",
    key: "farm",
    keys: PLACES,
    columns: [
      { name: "crates", low: 12, high: 870 },
      { name: "rent", low: 140, high: 4_400 },
    ],
  },
  {
    file: "raffle.csv",
    key: "prize",
    keys: THINGS,
    columns: [
      { name: "tickets", low: 3, high: 640 },
      { name: "value", low: 15, high: 980 },
    ],
  },
  {
    file: "rowers.csv",
    key: "rower",
    keys: FIRST_NAMES,
    columns: [
      { name: "strokes", low: 100, high: 2_900 },
      { name: "weight", low: 48, high: 118 },
    ],
  },
];

const SUM = ["What do the {c} in {f} sum to?", "Total up {c} from the file."];
const AVERAGE = ["What's the mean of {c} in {f}?", "How many {c} does {f} have on average?"];
const MOST = ["Which {k} is on top by {c} in {f}?", "Which {k} leads in {c}, according to {f}?"];
const ROWS = ["How many data rows has {f}?", "How many entries does my table {f} hold?"];
const VALUE = ["Give me the {c} next to {n} in {f}.", "Look in {f}: what are the {c} of {n}?"];
const LINES = ["Of how many lines does {f} consist?", "Tell me the number of lines that {f} has."];
const WORD_COUNT = ["What's the word total of {f}?", "Count every word of {f}, please."];
const NUMBERS = [
  "Write the whole numbers from {a} to {b} into a file {f}.",
  "I'd like a file {f} holding the numbers {a} up to {b}.",
];
const UPPER = [
  "Save an upper-case copy of {f} as {o}.",
  "Turn {f} into capital letters and store it as {o}.",
];
const SORTED = [
  "Reorder {f} by {c}, smallest first, into {o}.",
  "Put the rows of {f} in order of {c} and keep them as {o}.",
];
const CHART = [
  "I'd like to see the {c} of {f} as bars in {o}.",
  "Make a bar picture {o} out of the {c} in {f}.",
];

export function files(random: Random): Draft {
  const kind = random.int(1, 10);
  if (kind <= 7) return table(random, kind);
  return kind === 8 ? written(random) : prose(random, kind === 9);
}

function table(random: Random, kind: number): Draft {
  const { file, key, keys, columns } = random.pick(TABLES);
  const rows = random.sample(keys, random.int(4, 7));
  const values = columns.map(({ low, high }) =>
    random.sample(
      Array.from({ length: high - low }, (_, at) => low + at),
      rows.length,
    ),
  );
  const at = random.int(0, columns.length - 1);
  const column = columns[at]?.name ?? "";
  const numbers = values[at] ?? [];
  const total = numbers.reduce((sum, each) => sum + each, 0);
  const names = columns.map(({ name }) => name);
  const lines = rows.map((row, index) => [row, ...values.map((each) => each[index])].join(","));
  const given = { [file]: `${[[key, ...names].join(","), ...lines].join("\n")}\n` };
  const chosen = random.int(0, rows.length - 1);
  const output = `${random.pick(WORDS)}${kind === 6 ? ".csv" : ".svg"}`;
  const ask = (phrasings: readonly string[], ...wanted: readonly (string | number)[]): Draft => ({
    prompt: fill(random.pick(phrasings), {
      c: column,
      f: file,
      k: key,
      n: rows[chosen] ?? "",
      o: output,
    }),
    files: given,
    expect: { final_contains: wanted.map(String) },
  });
  const handsOut = (draft: Draft): Draft => ({
    ...draft,
    expect: { ...draft.expect, outputs: [output] },
  });
  switch (kind) {
    case 1:
      return ask(SUM, total);
    case 2:
      // To one place: how a model rounds is its own matter.
      return ask(AVERAGE, (Math.floor((total / rows.length) * 10) / 10).toString());
    case 3:
      return ask(MOST, rows[numbers.indexOf(Math.max(...numbers))] ?? "");
    case 4:
      return ask(ROWS, rows.length);
    case 5:
      return ask(VALUE, numbers[chosen] ?? "");
    case 6:
      return handsOut(ask(SORTED, output));
    default:
      return handsOut(ask(CHART, output));
  }
}

function written(random: Random): Draft {
  const output = `${random.pick(WORDS)}.txt`;
  const a = random.int(1, 30);
  const prompt = fill(random.pick(NUMBERS), { a, b: a + random.int(5, 40), f: output });
  return { prompt, files: {}, expect: { final_contains: [output], outputs: [output] } };
}

function prose(random: Random, count: boolean): Draft {
  const file = random.pick(["letter.txt", "minutes.txt", "speech.txt"]);
  const lines = Array.from({ length: random.int(3, 9) }, () =>
    random.sample(WORDS, random.int(3, 8)).join(" "),
  );
  const given = { [file]: lines.join("\n") };
  if (!count) {
    const output = `${random.pick(WORDS)}.txt`;
    const prompt = fill(random.pick(UPPER), { f: file, o: output });
    return { prompt, files: given, expect: { final_contains: [output], outputs: [output] } };
  }
  const inLines = random.chance(0.5);
  const result = inLines ? lines.length : lines.join(" ").split(" ").length;
  const prompt = fill(random.pick(inLines ? LINES : WORD_COUNT), { f: file });
  return { prompt, files: given, expect: { final_contains: [String(result)] } };
}
