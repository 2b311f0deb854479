/** Sentences with facts in them, and the fields that a schema asks for: the same for JSON and XML. */
import { fill, type Random } from "../random.ts";
import {
  ADJECTIVES,
  FIRMS,
  FIRST_NAMES,
  PLACES,
  SURNAMES,
  THINGS,
  TINTS,
  TRADES,
} from "../words.ts";

export type FieldType = "string" | "integer" | "number" | "boolean";

export type Field = {
  readonly name: string;
  readonly type: FieldType;
  readonly value: string | number | boolean;
};

export type Scene = {
  readonly root: string;
  readonly text: string;
  readonly fields: readonly Field[];
};

type SceneMaker = (random: Random) => Scene;

const field = (name: string, value: Field["value"], type?: FieldType): Field => ({
  name,
  value,
  type:
    type ??
    (typeof value === "number" ? "integer" : typeof value === "boolean" ? "boolean" : "string"),
});

const cents = (random: Random): number => random.int(105, 89_999) / 100;
const fullName = (random: Random): string => `${random.pick(FIRST_NAMES)} ${random.pick(SURNAMES)}`;

const SCENES: readonly SceneMaker[] = [
  (r) => {
    const v = {
      name: fullName(r),
      age: r.int(19, 88),
      town: r.pick(PLACES),
      trade: r.pick(TRADES),
    };
    const text = r.pick([
      "{name} is {age} years old, lives in {town} and works as a {trade}.",
      "Meet {name}, a {trade} from {town}, aged {age}.",
      "In {town} there is a {trade} called {name} who is {age}.",
    ]);
    return {
      root: "profile",
      text: fill(text, v),
      fields: [
        field("name", v.name),
        field("age", v.age),
        field("town", v.town),
        field("profession", v.trade),
      ],
    };
  },
  (r) => {
    const v = { thing: r.pick(THINGS), tint: r.pick(TINTS), price: cents(r), count: r.int(2, 60) };
    const text = r.pick([
      "We have {count} pieces of the {thing} in {tint} for {price} dollars each.",
      "The {thing} comes in {tint}, costs {price} and there are {count} in stock.",
      "For sale: {thing}, colour {tint}, {price} dollars, {count} available.",
    ]);
    return {
      root: "article",
      text: fill(text, v),
      fields: [
        field("item", v.thing),
        field("color", v.tint),
        field("price", v.price, "number"),
        field("quantity", v.count),
      ],
    };
  },
  (r) => {
    const from = r.pick(PLACES);
    const to = r.pick(PLACES.filter((each) => each !== from));
    const v = { from, to, seats: r.int(2, 9), who: fullName(r) };
    const text = r.pick([
      "{who} booked {seats} seats on the ferry from {from} to {to}.",
      "A trip from {from} to {to} was reserved by {who} for {seats} people.",
    ]);
    return {
      root: "trip",
      text: fill(text, v),
      fields: [
        field("traveller", v.who),
        field("origin", from),
        field("destination", to),
        field("seats", v.seats),
      ],
    };
  },
  (r) => {
    const v = {
      firm: r.pick(FIRMS),
      town: r.pick(PLACES),
      staff: r.int(6, 4_000),
      year: r.int(1890, 2021),
    };
    const text = r.pick([
      "{firm} was founded in {year} in {town} and employs {staff} people.",
      "With {staff} employees, {firm} of {town} has been in business since {year}.",
    ]);
    return {
      root: "firm",
      text: fill(text, v),
      fields: [
        field("company", v.firm),
        field("city", v.town),
        field("employees", v.staff),
        field("founded", v.year),
      ],
    };
  },
  (r) => {
    const paid = r.chance(0.5);
    const number = `R${r.int(1_000, 99_999)}`;
    const v = {
      number,
      who: fullName(r),
      total: cents(r),
      state: paid ? "has been paid" : "has not been paid yet",
    };
    const text = r.pick([
      "Invoice {number} for {who} over {total} euros {state}.",
      "The invoice {number} ({total} euros, customer {who}) {state}.",
    ]);
    return {
      root: "invoice",
      text: fill(text, v),
      fields: [
        field("number", number),
        field("customer", v.who),
        field("total", v.total, "number"),
        field("paid", paid),
      ],
    };
  },
  (r) => {
    const date = `${r.int(2024, 2033)}-0${r.int(1, 9)}-${r.int(10, 28)}`;
    const v = { thing: r.pick(THINGS), look: r.pick(ADJECTIVES), town: r.pick(PLACES), date };
    const text = r.pick([
      "A {look} {thing} was found in {town} on {date}.",
      "On {date} somebody in {town} lost a {look} {thing}.",
    ]);
    return {
      root: "report",
      text: fill(text, v),
      fields: [
        field("object", v.thing),
        field("style", v.look),
        field("place", v.town),
        field("date", date),
      ],
    };
  },
  (r) => {
    const v = {
      who: r.pick(FIRST_NAMES),
      other: r.pick(SURNAMES),
      points: r.int(3, 98),
      town: r.pick(PLACES),
    };
    const text = r.pick([
      "{who} {other} scored {points} points in the final at {town}.",
      "In {town}, {points} points went to {who} {other}.",
    ]);
    return {
      root: "score",
      text: fill(text, v),
      fields: [
        field("player", `${v.who} ${v.other}`),
        field("points", v.points),
        field("venue", v.town),
      ],
    };
  },
];

/** A sentence and the two to four fields that are asked for, in the order of the schema. */
export function scene(random: Random): Scene {
  const made = random.pick(SCENES)(random);
  const fields = random.chance(0.35)
    ? random.sample(made.fields, random.int(2, made.fields.length - 1))
    : random.chance(0.4)
      ? random.sample(made.fields, made.fields.length)
      : made.fields;
  return { ...made, fields };
}

const REQUESTS = [
  "{s}",
  "Please pull the data out of this sentence: {s}",
  "Record the following. {s}",
  "{s} Put that into the requested format.",
  "Fill the form from this note: {s}",
  "Capture this as {f}: {s}",
];

export function request(random: Random, text: string, format: string): string {
  return fill(random.pick(REQUESTS), { s: text, f: format });
}
