/** Documents with known facts in filler, questions about them, and models that answer by rules. */
import { ScriptedModel, type ScriptedStep } from "../../../runtime/index.ts";
import type { ContextDocument } from "../../../runtime/minions/index.ts";
import { randomNumbers } from "../../fixtures/random-numbers.ts";

export type QuestionKind = "needle" | "sum" | "comparison" | "absent";
export const KINDS: readonly QuestionKind[] = ["needle", "sum", "comparison", "absent"];

export type GeneratedQuestion = {
  readonly kind: QuestionKind;
  readonly question: string;
  readonly documents: readonly ContextDocument[];
  readonly expected: string;
  /** What the worker has to look for, one phrase for each task. */
  readonly phrases: readonly string[];
  /** Where each fact begins in the document. */
  readonly facts: readonly { readonly phrase: string; readonly at: number }[];
};

const WORDS =
  "the harbour crew counted crates while rain fell on slow boats and nobody spoke of wind".split(
    " ",
  );

/** @param characters about how long the document is; four are a token */
export function generateQuestion(
  kind: QuestionKind,
  characters: number,
  seed: number,
): GeneratedQuestion {
  const random = randomNumbers(seed);
  const amount = (): number => 100 + Math.floor(random() * 900);
  const amounts = { needle: 1, sum: 5, comparison: 2, absent: 0 }[kind];
  const values = Array.from({ length: amounts }, amount);
  const [first = 0, second = 0] = values;
  const phraseOf = (at: number): string =>
    kind === "comparison"
      ? `height of tower ${at === 0 ? "north" : "south"}`
      : "invoice of project alder";
  const sentences = values.map((value, at) => `The ${phraseOf(at)} is ${value} units.`);
  const paragraphs: string[] = [];
  for (let length = 0; length < characters; ) {
    const count = 30 + Math.floor(random() * 30);
    const words = Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]);
    paragraphs.push(`${words.join(" ")}.`);
    length += (paragraphs.at(-1)?.length ?? 0) + 2;
  }
  for (const sentence of sentences) {
    paragraphs.splice(Math.floor(random() * (paragraphs.length + 1)), 0, sentence);
  }
  const text = paragraphs.join("\n\n");
  const facts = sentences.map((sentence, at) => ({
    phrase: phraseOf(at),
    at: text.indexOf(sentence),
  }));
  const higher = first === second ? "equal" : first > second ? "north" : "south";
  const expected = {
    needle: String(first),
    sum: String(values.reduce((sum, value) => sum + value, 0)),
    comparison: higher,
    absent: "not stated",
  }[kind];
  const question = {
    needle: "What is the invoice of project alder?",
    sum: "What do all invoices of project alder come to?",
    comparison: "Which tower is higher, north or south?",
    absent: "What is the invoice of project alder?",
  }[kind];
  const phrases = kind === "comparison" ? [phraseOf(0), phraseOf(1)] : [phraseOf(0)];
  return { kind, question, documents: [{ name: "report.txt", text }], expected, phrases, facts };
}

/** The text of the last message, and of the instructions, that a model is asked with. */
export function promptOf(
  request: Parameters<Extract<ScriptedStep, (...given: never) => unknown>>[0],
): string {
  const last = request.transcript.at(-1)?.message.content[0];
  return last?.type === "text" ? last.text : "";
}

/** The same rule for as many requests as there are. */
export function byRule(
  rule: Extract<ScriptedStep, (...given: never) => unknown>,
  name: string,
): ScriptedModel {
  return new ScriptedModel(new Array<ScriptedStep>(50_000).fill(rule), { name });
}

/** Finds what stands behind the phrase of its task, and has no other knowledge. */
export function ruleWorker(): ScriptedModel {
  return byRule((request) => {
    const prompt = promptOf(request);
    const isJob = prompt.includes("\n\nTask: ");
    const phrase = /Find: ([a-z ]+)/.exec(prompt)?.[1] ?? "";
    const text = isJob ? prompt : (request.settings.instructions ?? "");
    const found = [...text.matchAll(new RegExp(`The ${phrase} is (\\d+) units\\.`, "g"))];
    const values = found.map(([, value]) => value).join(" ");
    if (!isJob) return values === "" ? "The documents do not say it." : `I found: ${values}`;
    const answer = found.length === 0 ? null : values;
    return JSON.stringify({
      explanation: "As it stands there.",
      citation: found[0]?.[0] ?? null,
      answer,
    });
  }, "worker");
}

/** Asks for the phrases of a question, and computes with the numbers that come back. */
export function ruleSupervisor({ kind, phrases }: GeneratedQuestion): ScriptedModel {
  const conclude = (byPhrase: readonly (readonly number[])[]): string => {
    const [first = [], second = []] = byPhrase;
    if (first.length === 0) return "not stated";
    if (kind !== "comparison") return String(first.reduce((sum, value) => sum + value, 0));
    const difference = (first[0] ?? 0) - (second[0] ?? 0);
    return difference === 0 ? "equal" : difference > 0 ? "north" : "south";
  };
  const asked: string[] = [];
  const heard: number[][] = [];
  const final = (answer: string): string =>
    `Thus:\n\`\`\`json\n${JSON.stringify({ decision: "provide_final_answer", answer })}\n\`\`\``;
  return byRule((request) => {
    const prompt = promptOf(request);
    if (prompt.includes('"tasks"')) {
      return JSON.stringify({ tasks: phrases.map((phrase) => ({ task: `Find: ${phrase}` })) });
    }
    if (prompt.startsWith("The worker's reply:")) {
      const reply = prompt.split("\n")[1] ?? "";
      heard.push((reply.match(/\d+/g) ?? []).map(Number));
      const next = phrases[asked.length];
      if (next === undefined) return final(conclude(heard));
      asked.push(next);
      return JSON.stringify({ decision: "request_additional_info", message: `Find: ${next}` });
    }
    if (prompt.startsWith("A worker has read")) {
      asked.push(phrases[0] ?? "");
      return JSON.stringify({ message: `Find: ${phrases[0]}` });
    }
    const sections = prompt.split("## Task ").slice(1);
    const byPhrase = phrases.map((_, at) => {
      const section = sections.find((text) => text.startsWith(`${at + 1},`)) ?? "";
      return [...section.matchAll(/- answer: (.*)/g)].flatMap(([, text]) =>
        (text?.match(/\d+/g) ?? []).map(Number),
      );
    });
    return final(conclude(byPhrase));
  }, "supervisor");
}
