/**
 * The same schemas and texts for web-xgrammar 0.1.27. Where it judges a text otherwise than it is marked, which the
 * grammars here must not, the reason is known.
 */
import { expect, test, vi } from "vitest";
import { loadXGrammar } from "../xgrammar.ts";
import { SCHEMA_CASES, type SchemaCase } from "./schema-cases.ts";

/** What web-xgrammar does otherwise, by the name of the case. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  "any value": "it writes half of a surrogate pair",
  "properties in any order": "it keeps the declared order",
  "other properties by pattern":
    "it keeps the order of patterns, and takes one of several that match",
  "names of properties": "it ignores maxLength beside pattern",
  "few names of properties": "it writes a key twice",
  "properties that need others": "it ignores dependentRequired, and keeps the declared order",
  "many properties that need others": "it ignores dependentRequired",
  "items by their place": "it wants all of prefixItems",
  "items of draft-07": "it knows no list of items",
  "distinct items of a small set": "it ignores uniqueItems",
  "items among which some are contained": "it ignores contains",
  "lengths in code points": "it counts an escape as several characters",
  "patterns and what they exclude": "it ignores maxLength beside pattern, and not",
  "a pattern finds something anywhere": "it takes a pattern for the whole text",
  "bounds of numbers": "it ignores multipleOf, and writes integers without .0",
  "values of an enum that the rest allows":
    "it ignores what stands beside enum, and knows one spelling",
  "one of two branches, told apart by a constant": "it keeps the declared order",
  "one of two branches that overlap": "it reads oneOf as anyOf",
  "all of some schemas": "it ignores allOf of several schemas",
  "if, then, else": "it ignores if, and keeps the declared order",
  "a schema inside of itself": "it keeps the declared order",
  "references by anchor and $id": "it follows JSON pointers only",
  "nullable, as OpenAPI has it": "it does not know nullable",
  "names with special characters": "it does not escape a quote in a name",
  "no white space": "without white space it writes no lists of free values",
  formats: "it ignores the format of a branch",
};

test("what web-xgrammar judges otherwise is explained", async () => {
  // It reports what it ignores to the console.
  for (const method of ["warn", "error", "log"] as const) {
    vi.spyOn(console, method).mockImplementation(() => undefined);
  }
  const different: string[] = [];
  for (const [name, one] of Object.entries(SCHEMA_CASES)) {
    if (await differs(one)) different.push(name);
  }
  vi.restoreAllMocks();
  expect(different).toEqual(Object.keys(DIFFERENCES));
});

const { Grammar, Testings } = loadXGrammar();

async function differs({ schema, options, yes, no }: SchemaCase): Promise<boolean> {
  const isSpaced = options?.whitespace !== 0;
  const separators = isSpaced ? undefined : ([",", ":"] as [string, string]);
  try {
    const text = JSON.stringify(schema);
    const grammar = await Grammar.fromJSONSchema(text, isSpaced, undefined, separators, false);
    const judge = (one: string): Promise<boolean> => Testings.isGrammarAcceptString(grammar, one);
    const [ofYes, ofNo] = await Promise.all([
      Promise.all(yes.map(judge)),
      Promise.all(no.map(judge)),
    ]);
    return ofYes.includes(false) || ofNo.includes(true);
  } catch {
    // It aborts on what it cannot read.
    return true;
  }
}
