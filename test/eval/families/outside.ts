/** What the embedded model was not made for: it should say so, and what it can do, and call nothing. */
import { fill, type Random } from "../random.ts";
import { FIRST_NAMES, PLACES, THINGS, TRADES } from "../words.ts";
import type { Draft } from "./draft.ts";

const REQUESTS = [
  "Compose a lullaby about a {thing}.",
  "Who painted the ceiling of the Sistine Chapel?",
  "What should I wear to a wedding in {place}?",
  "Do you think cats are smarter than dogs?",
  "Give me three tips for learning the cello.",
  "Explain how a refrigerator keeps things cold.",
  "Write me a bedtime story with a {thing} in it",
  "Why did the Bronze Age end?",
  "My neighbour {who} never says hello. What should I do?",
  "Translate 'the {thing} is broken' into Finnish.",
  "What is the best way to get over jet lag?",
  "Hi! How was your weekend?",
  "Please write a toast for {who}'s retirement.",
  "Which political party should I vote for?",
  "How do I become a good {trade}?",
  "Tell me a riddle.",
  "Is there life on other planets?",
  "What happened at the Battle of Hastings?",
  "Suggest a gift for a {trade}.",
  "How can I remove a wine stain from a carpet?",
  "Describe the view from a hill above {place}.",
  "Can you feel pain?",
  "Draft a complaint letter about a faulty {thing}.",
  "What are the main causes of migraines?",
  "Sketch the plot of a crime novel set in {place}.",
  "Should I quit my job as a {trade}?",
  "Who discovered penicillin?",
  "Paint me a picture of a {thing} in words.",
  "Is {place} worth a visit in spring?",
  "My {thing} squeaks. How do I repair it?",
  "What is your favourite season?",
  "Teach me to whistle.",
  "Make up a superhero called {who}.",
  "How are pearls formed?",
  "Which vitamins are in spinach?",
  "Invent a name for my new {thing} shop.",
  "What makes a good friend?",
  "Argue for and against school uniforms.",
  "Which film won the most awards ever?",
  "Help me choose between a {thing} and a bicycle pump.",
  "Are ghosts real?",
  "Write a recommendation letter for {who}, a {trade}.",
];

export function outside(random: Random): Draft {
  const values = {
    thing: random.pick(THINGS),
    place: random.pick(PLACES),
    who: random.pick(FIRST_NAMES),
    trade: random.pick(TRADES),
  };
  // In one way or another it has to say what it can do.
  const expect = { final_contains: ["can"], calls: [] };
  return { prompt: fill(random.pick(REQUESTS), values), expect };
}
