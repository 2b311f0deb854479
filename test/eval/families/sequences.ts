/** Exchanges of more than one step: a result that feeds the next call, and a tool that fails. */
import { fill, type Random } from "../random.ts";
import { PLACES, THINGS } from "../words.ts";
import type { Draft } from "./draft.ts";
import { withOthers } from "./function.ts";
import { request, scene } from "./scenes.ts";
import { otherTools, TOOLS, useTool } from "./tools.ts";

const NUMBER_TOOLS = [
  {
    name: "count_visitors",
    description: "Visitors of a museum town last year.",
    parameter: "town",
    subject: (random: Random) => random.pick(PLACES),
    key: "visitors",
    prompts: [
      "How many visitors did {s} have last year? Then multiply that by {n}.",
      "Get the visitors of {s} and tell me what {n} times that is.",
    ],
    compute: (value: number, n: number) => value * n,
  },
  {
    name: "weight_of",
    description: "Weight of one piece of an article in grams.",
    parameter: "article",
    subject: (random: Random) => random.pick(THINGS),
    key: "grams",
    prompts: [
      "Look up the weight of the article {s} and compute the weight of {n} of them.",
      "What do {n} pieces of the article {s} weigh? Look up one and multiply.",
    ],
    compute: (value: number, n: number) => value * n,
  },
  {
    name: "account_balance",
    description: "Balance of an account in euros.",
    parameter: "account",
    subject: (random: Random) => `AC-${random.int(1_000, 9_999)}`,
    key: "balance",
    prompts: [
      "Check the balance of account {s}, then subtract {n} from it.",
      "What remains on account {s} after I spend {n} euros?",
    ],
    compute: (value: number, n: number) => value - n,
  },
] as const;

export function twoStep(random: Random): Draft {
  const design = random.pick(NUMBER_TOOLS);
  const subject = design.subject(random);
  const value = random.int(2_000, 95_000);
  const n = random.int(13, 980);
  const declaration = {
    name: design.name,
    description: design.description,
    parameters: {
      type: "object",
      properties: { [design.parameter]: { type: "string" } },
      required: [design.parameter],
    },
    result: { [design.key]: value },
  };
  return {
    prompt: fill(random.pick(design.prompts), { s: subject, n }),
    tools: withOthers(random, declaration, otherTools(random, [], random.int(0, 1))),
    expect: {
      final_contains: [String(design.compute(value, n))],
      calls: [
        { recipient: `functions.${design.name}`, arguments: { [design.parameter]: subject } },
        { recipient: "python" },
      ],
    },
  };
}

const FAILURES = [
  "service unavailable",
  "permission denied",
  "quota exceeded",
  "database offline",
  "no such entry",
];

/** The honest answer names what went wrong; a made-up result does not. */
export function recovery(random: Random): Draft {
  const kind = random.next();
  if (kind < 0.3) return repair(random);
  if (kind < 0.6) {
    const prompt = fill(
      random.pick([
        "Use Python to divide {n} by 0.",
        "What does Python say to {n} / 0?",
        "Compute {n} % 0",
      ]),
      { n: random.int(11, 9_999) },
    );
    return { prompt, expect: { final_contains: ["zero"], calls: [{ recipient: "python" }] } };
  }
  const design = random.pick(TOOLS);
  const { declaration, prompt, call } = useTool(random, design);
  const failure = random.pick(FAILURES);
  return {
    prompt,
    tools: [{ ...declaration, result: { error: failure } }],
    expect: { final_contains: [failure], calls: [call] },
  };
}

/** The validator's message on a document that lacks a property, or has a number in quotes. */
function repair(random: Random): Draft {
  const { text, fields } = scene(random);
  const [broken] = random.sample(fields, 1);
  if (broken === undefined) throw new RangeError("a scene has fields");
  const value = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const { [broken.name]: _, ...without } = value;
  const quoted = broken.type === "integer" || broken.type === "number";
  const wrong = quoted ? { ...value, [broken.name]: String(broken.value) } : without;
  const problem = quoted
    ? `/${broken.name}: must be ${broken.type}, got string "${broken.value}"; remove the quotes`
    : `missing "${broken.name}"`;
  return {
    prompt: `The final message is not valid.\n- ${problem}\nWrite the final message again, whole: one JSON value that is valid against the JSON Schema, and nothing else.`,
    history: [
      { role: "user", text: request(random, text, "JSON") },
      { role: "assistant", text: JSON.stringify(wrong) },
    ],
    schema: {
      type: "object",
      properties: Object.fromEntries(fields.map(({ name, type }) => [name, { type }])),
      required: fields.map(({ name }) => name),
      additionalProperties: false,
    },
    expect: { final_json: value, calls: [] },
  };
}
