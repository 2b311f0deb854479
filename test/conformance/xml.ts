/** Area `xml`: verdict and first line of an error; for malformed texts what to do with them. */
import { createValidator } from "../../tools/index.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { type ContainedTexts, textProblems } from "./expected-texts.ts";

type Document = { readonly id: string; readonly xml: string };
type Corpus = {
  readonly cases: readonly {
    readonly id: string;
    readonly xsd: string;
    readonly valid: readonly Document[];
    readonly files?: Readonly<Record<string, string>>;
    readonly invalid: readonly (Document & {
      readonly line: number;
      readonly message_contains?: ContainedTexts;
    })[];
  }[];
  readonly malformed?: readonly {
    readonly id: string;
    readonly schema: string;
    readonly text: string;
    readonly action: string;
  }[];
};

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    const corpus = readCorpus(path);
    for (const { id: caseId, xsd, files = {}, valid, invalid } of corpus.cases) {
      const validator = await createValidator({ xsd, files }).catch((error: Error) => error);
      if (validator instanceof Error) {
        yield { id: caseId, pass: false, got: validator.message, expected: "a usable XSD" };
        continue;
      }
      for (const { id, xml } of valid) {
        const { action, errors } = await validator.validate(xml);
        yield { id, pass: action === "accept", got: { action, errors }, expected: "accept" };
      }
      for (const { id, xml, line, message_contains: contains = [] } of invalid) {
        const result = await validator.validate(xml);
        const told = validator.feedback(result);
        const got = { action: result.action, line: result.errors[0]?.line, told };
        const isRight = result.action === "retry" && got.line === line;
        const pass = isRight && textProblems(told, { contains }).length === 0;
        yield { id, pass, got, expected: { line, contains } };
      }
    }
    for (const { id, schema, text, action: expected } of corpus.malformed ?? []) {
      const xsd = corpus.cases.find((c) => c.id === schema)?.xsd;
      if (xsd === undefined)
        throw new ConformanceInputError(
          `${path}: ${id} names the schema ${schema}, which is not there`,
        );
      const { action, errors } = await (await createValidator({ xsd })).validate(text);
      yield { id, pass: action === expected, got: { action, errors }, expected };
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
