/** Greetings and the like: a short answer, and nothing is called. */
import { fill, type Random } from "../random.ts";
import { FIRST_NAMES } from "../words.ts";
import type { Draft } from "./draft.ts";

/** What is said, and what an answer to it has. */
const TALK: readonly { readonly say: readonly string[]; readonly wanted: string }[] = [
  {
    say: [
      "Hello, hello!",
      "Hi, good to be here",
      "A very good afternoon!",
      "Heya",
      "{who} says hello!",
      "Hello from {who}",
    ],
    wanted: "Hello",
  },
  {
    say: [
      "thanks a million",
      "Thank you kindly!",
      "Thanks, that's all I needed",
      "I'm grateful, thank you.",
    ],
    wanted: "welcome",
  },
  {
    say: [
      "What are you able to help with?",
      "Which tasks do you handle?",
      "What sort of things can I ask you?",
      "Tell me what you're good for.",
      "what could you do for {who}?",
    ],
    wanted: "arithmetic",
  },
  { say: ["Goodbye then!", "Bye for now", "See you soon!"], wanted: "bye" },
  {
    say: ["Who am I talking to?", "By what name do you go?", "Are you a human being?"],
    wanted: "model",
  },
];

export function smallTalk(random: Random): Draft {
  const { say, wanted } = random.pick(TALK);
  const prompt = fill(random.pick(say), { who: random.pick(FIRST_NAMES) });
  return { prompt, expect: { final_contains: [wanted], calls: [] } };
}
