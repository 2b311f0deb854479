/** Area `malformed`: what to do with a model's raw text, and the value that is in it. */
import { isDeepStrictEqual } from "node:util";
import { validateAnswer } from "../../runtime/agent/output.ts";
import { createValidator, type JsonValidatorOptions } from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";

type Corpus = {
  readonly schema: JsonValidatorOptions["jsonSchema"];
  readonly cases: readonly {
    readonly id: string;
    readonly text: string;
    readonly action: string;
    readonly value?: unknown;
  }[];
};

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    const { schema, cases } = readCorpus(path);
    const validator = await createValidator({ jsonSchema: schema });
    for (const { id, text, action, ...rest } of cases) {
      const result = await validateAnswer(validator, text);
      const sameValue = !("value" in rest) || isDeepStrictEqual(result.value, rest.value);
      const got = { action: result.action, value: result.value, errors: result.errors };
      yield { id, pass: result.action === action && sameValue, got, expected: { action, ...rest } };
    }
  }
}

function readCorpus(path: string): Corpus {
  const corpus = readCases(path);
  if (
    typeof corpus === "object" &&
    corpus !== null &&
    "cases" in corpus &&
    Array.isArray(corpus.cases)
  ) {
    return corpus as unknown as Corpus;
  }
  throw new ConformanceInputError(`${path} has no list "cases".`);
}
