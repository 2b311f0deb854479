/** Questions whose answer stands in one of a few documents; the answer must hold it and cite it. */
import { fill, type Random } from "../random.ts";
import { FIRMS, FIRST_NAMES, PLACES, SURNAMES, THINGS } from "../words.ts";
import type { Draft } from "./draft.ts";

type Topic = {
  readonly file: string;
  readonly text: string;
  readonly questions: readonly string[];
  /** The value that the question asks for. */
  readonly fact: (values: Readonly<Record<string, string | number>>) => string;
};

const TOPICS: readonly Topic[] = [
  {
    file: "bridge.md",
    text: "# The bridge of {place}\n\nThe bridge was finished in {year}. It is {n} metres long and carries the tram.\n",
    questions: [
      "How long is the bridge of {place}?",
      "What is the length of the bridge in {place}?",
    ],
    fact: ({ n }) => String(n),
  },
  {
    file: "staff.md",
    text: "# Staff of {firm}\n\nThe manager is {who}. The office opens at 8:30.\n",
    questions: ["Who is the manager of {firm}?", "Who manages {firm}?"],
    fact: ({ who }) => String(who),
  },
  {
    file: "recall.txt",
    text: "Recall notice\n\nThe {thing} with serial numbers from {n} on may lose its handle. It was sold until {year}.\n",
    questions: [
      "From which serial number on is the {thing} recalled?",
      "Which serial numbers of the {thing} are recalled?",
    ],
    fact: ({ n }) => String(n),
  },
  {
    file: "harbour.html",
    text: "<html><head><title>Harbour of {place}</title></head><body><h1>Harbour of {place}</h1><p>The harbour master is {who}.</p><p>Berths: {n}</p></body></html>",
    questions: [
      "How many berths does the harbour of {place} have?",
      "What is the number of berths in {place} harbour?",
    ],
    fact: ({ n }) => String(n),
  },
  {
    file: "notes/choir.md",
    text: "# The choir of {place}\n\nSingers meet on Tuesdays in the old brewery. {who} conducts. The next concert is on 14 {month}; a seat costs {n} crowns.\n\n- Sheet music is handed out at the door.\n- Bring a pencil.\n",
    questions: [
      "What does a seat at the concert of the choir of {place} cost?",
      "How much is a seat for the {place} choir?",
    ],
    fact: ({ n }) => String(n),
  },
  {
    file: "loans.txt",
    text: "Lending rules\n\nA {thing} may be borrowed for {days} weeks. Late returns cost {n} cents a day. Ask {who} for exceptions.\n",
    questions: [
      "For how many weeks may a {thing} be borrowed?",
      "How long can I borrow a {thing}?",
    ],
    fact: ({ days }) => String(days),
  },
  {
    file: "manual.md",
    text: "# Service manual of the {thing}\n\nOil the bearings each {days} weeks.\n\n## Faults\n\nLamp {n} blinks when the belt is loose. The belt is ordered from {firm}.\n",
    questions: [
      "Who supplies the belt of the {thing}?",
      "From which firm is the belt of the {thing} ordered?",
    ],
    fact: ({ firm }) => String(firm),
  },
];

/** What no document says of its subject. */
const UNSAID = [
  "What colour is the bridge of {place}?",
  "Who owns {firm}?",
  "How heavy is the {thing}?",
  "What is the depth of the harbour of {place}?",
  "Who founded the choir of {place}?",
];

export function documents(random: Random): Draft {
  const [topic, ...others] = random.sample(TOPICS, random.int(2, 4));
  if (topic === undefined) throw new RangeError("no topic");
  const values = valuesFor(random);
  const docs: Record<string, string> = { [topic.file]: fill(topic.text, values) };
  for (const other of others) docs[other.file] = fill(other.text, valuesFor(random));
  if (random.chance(0.15)) {
    const prompt = fill(random.pick(UNSAID), values);
    // Said to be absent: no value, no place.
    return { prompt, docs, expect: { final_contains: ["not"] } };
  }
  return {
    prompt: fill(random.pick(topic.questions), values),
    docs,
    // A citation in the model's own form: cursor, dagger, line.
    expect: { final_contains: [topic.fact(values), "†L"] },
  };
}

const MONTHS = ["March", "May", "October", "December"];

function valuesFor(random: Random): Readonly<Record<string, string | number>> {
  return {
    place: random.pick(PLACES),
    firm: random.pick(FIRMS),
    thing: random.pick(THINGS),
    who: `${random.pick(FIRST_NAMES)} ${random.pick(SURNAMES)}`,
    n: random.int(120, 9_900),
    year: random.int(1880, 2020),
    days: random.int(2, 12),
    month: random.pick(MONTHS),
  };
}
