/** Area `json`: is an instance valid against a schema? */
import { createValidator, type JsonValidatorOptions } from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";

type Case = {
  readonly id: string;
  readonly schema: JsonValidatorOptions["jsonSchema"];
  readonly draft?: string;
  readonly instances: readonly {
    readonly id: string;
    readonly valid: boolean;
    readonly data: unknown;
  }[];
};

type Corpus = { readonly cases: readonly Case[] };

const DRAFTS = ["draft-04", "draft-06", "draft-07", "2019-09", "2020-12"] as const;

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    const { cases } = readCorpus(path);
    for (const { id, schema, draft = "", instances } of cases) {
      const named = DRAFTS.find((known) =>
        draft.replace(/^draft(?=\d)/, "draft-0").endsWith(known),
      );
      const options = { jsonSchema: schema, ...(named && { draft: named }) };
      const validator = await createValidator(options).catch((error: Error) => error);
      for (const instance of instances) {
        if (validator instanceof Error) {
          yield {
            id: instance.id ?? id,
            pass: false,
            got: validator.message,
            expected: instance.valid,
          };
          continue;
        }
        const result = await validator.validateValue(instance.data);
        const got = result.action === "accept";
        yield { id: instance.id, pass: got === instance.valid, got, expected: instance.valid };
      }
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
