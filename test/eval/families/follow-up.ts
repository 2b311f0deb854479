/** Threads of two to four turns: questions by themselves, and ones that lean on the answer before. */
import { fill, type Random } from "../random.ts";
import type { LaterTurn } from "../task.ts";
import { PLACES, WORDS } from "../words.ts";
import { arithmetic } from "./arithmetic.ts";
import { dates } from "./dates.ts";
import type { Draft } from "./draft.ts";
import { outside } from "./outside.ts";
import { smallTalk } from "./small-talk.ts";
import { text } from "./text.ts";
import { TOOLS, useTool } from "./tools.ts";

const ONWARD = [
  {
    say: [
      "And that, {n} times over?",
      "Please multiply this one by {n}.",
      "What if it were {n} times that?",
    ],
    op: "*",
  },
  { say: ["Add a further {n}.", "And with {n} on top of it?", "What if {n} join?"], op: "+" },
  {
    say: ["And with {n} gone?", "Subtract a further {n}.", "What if I lose {n} of these?"],
    op: "-",
  },
] as const;
const CORRECTED = [
  "Hang on, the {old} should have been {new}.",
  "My mistake: {new} rather than {old}.",
  "Please redo it with {new} for {old}.",
];
const AS_JSON = [
  "JSON version, please.",
  "Hand me this result as JSON",
  "Would you put the answer in JSON?",
];
const SAME_FOR = [
  "Could you also do {x}?",
  "{x} as well, please.",
  "And if it were {x}?",
  "Next one: {x}.",
];
const WEEKDAY_OF_THAT = ["On what weekday do we land there?", "And which weekday is this?"];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY_MS = 86_400_000;

const KINDS: readonly ((random: Random) => Draft)[] = [
  independent,
  independent,
  independent,
  onward,
  onward,
  corrected,
  asJson,
  anotherWord,
  anotherArgument,
  weekdayOfThat,
];

export function followUp(random: Random): Draft {
  return random.pick(KINDS)(random);
}

function independent(random: Random): Draft {
  const generators = [arithmetic, arithmetic, text, text, dates, outside, smallTalk];
  const draw = (): LaterTurn => random.pick(generators)(random);
  return { ...draw(), turns: Array.from({ length: random.pick([1, 1, 2, 3]) }, draw) };
}

type Sum = { readonly draft: Draft; readonly a: number; readonly b: number; readonly op: string };

function sum(random: Random): Sum {
  const op = random.pick(["+", "-", "*"]);
  const a = random.int(120, 9_400);
  const b = random.int(3, 110);
  const prompt = random.pick([
    "What is {a} {op} {b}?",
    "{a} {op} {b}",
    "Work out {a} {op} {b} for me.",
  ]);
  return { draft: answered(fill(prompt, { a, b, op }), calculate(a, op, b)), a, b, op };
}

function onward(random: Random): Draft {
  const { draft, a, b, op } = sum(random);
  const next = random.pick(ONWARD);
  const n = random.int(2, 95);
  const turn = answered(
    fill(random.pick(next.say), { n }),
    calculate(calculate(a, op, b), next.op, n),
  );
  return { ...draft, turns: [turn] };
}

function corrected(random: Random): Draft {
  const { draft, a, b, op } = sum(random);
  const changed = a + random.int(1, 80);
  const prompt = fill(random.pick(CORRECTED), { old: a, new: changed });
  return { ...draft, turns: [answered(prompt, calculate(changed, op, b))] };
}

function asJson(random: Random): Draft {
  const { draft, a, b, op } = sum(random);
  const expect = { json_holds: calculate(a, op, b), calls: [] };
  return { ...draft, turns: [{ prompt: random.pick(AS_JSON), expect }] };
}

function anotherWord(random: Random): Draft {
  const [first = "", second = ""] = random.sample(WORDS, 2);
  const reversed = (word: string): string => [...word].reverse().join("");
  const draft = answered(`Spell "${first}" backwards.`, reversed(first));
  const prompt = fill(random.pick(SAME_FOR), { x: `"${second}"` });
  return { ...draft, turns: [answered(prompt, reversed(second))] };
}

/** The same function again, for another place. */
function anotherArgument(random: Random): Draft {
  const designs = TOOLS.filter(({ parameters }) => parameters.length === 1).filter(({ prompts }) =>
    /place|harbour|weather|tide/i.test(prompts.join()),
  );
  const used = useTool(random, random.pick(designs));
  const key = Object.keys(used.call.arguments)[0] ?? "";
  const other = random.pick(PLACES.filter((place) => place !== used.call.arguments[key]));
  const expect = { final_contains: used.wanted };
  return {
    prompt: used.prompt,
    tools: [used.declaration],
    expect: { ...expect, calls: [used.call] },
    turns: [
      {
        prompt: fill(random.pick(SAME_FOR), { x: other }),
        expect: { ...expect, calls: [{ ...used.call, arguments: { [key]: other } }] },
      },
    ],
  };
}

function weekdayOfThat(random: Random): Draft {
  const from = new Date(Date.UTC(random.int(1990, 2040), random.int(0, 11), random.int(1, 28)));
  const n = random.int(4, 300);
  const to = new Date(from.getTime() + n * DAY_MS);
  const iso = (date: Date): string => date.toISOString().slice(0, 10);
  const draft = answered(`Which date comes ${n} days after ${iso(from)}?`, iso(to));
  const turn = answered(random.pick(WEEKDAY_OF_THAT), WEEKDAYS[to.getUTCDay()] ?? "");
  return { ...draft, turns: [turn] };
}

function calculate(a: number, op: string, b: number): number {
  return op === "*" ? a * b : op === "+" ? a + b : a - b;
}

function answered(prompt: string, result: string | number): Draft {
  return { prompt, expect: { final_contains: [String(result)] } };
}
