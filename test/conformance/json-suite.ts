/**
 * Area `json-suite`: the required tests of a folder of the JSON Schema Test Suite, drafts 2020-12 and 07, held
 * against the validator and against the grammar of each schema. It passes when the validator has its share,
 * fails in no group but the known ones, and no grammar refuses a valid value, or, where it carries the schema,
 * has an invalid one.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { JsonSchemaConstraintError, jsonSchemaGrammar } from "../../inference/index.ts";
import { createValidator, type JsonValidatorOptions } from "../../tools/index.ts";
import { accepts } from "../inference/constrain/json-schema/accepts.ts";
import { type CaseResult, ConformanceInputError, readCases } from "./case-result.ts";
import { KNOWN_FAILURES, UNWRITTEN } from "./json-suite-known.ts";

type Schema = JsonValidatorOptions["jsonSchema"];
type Group = {
  readonly description: string;
  readonly schema: Schema;
  readonly tests: readonly {
    readonly description: string;
    readonly data: unknown;
    readonly valid: boolean;
  }[];
};

const DRAFTS = [
  { folder: "draft2020-12", draft: "2020-12", share: 0.955 },
  { folder: "draft7", draft: "draft-07", share: 0.996 },
] as const;
type Draft = (typeof DRAFTS)[number];

/** Where the suite says that its further schemas are to be found. */
const REMOTES = "http://localhost:1234/";

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    for (const draft of DRAFTS) {
      const tests = join(path, "tests", draft.folder);
      if (!existsSync(tests)) {
        throw new ConformanceInputError(
          `${path} has no folder tests/${draft.folder}; it must be a checkout of JSON-Schema-Test-Suite.`,
        );
      }
      const groups = readdirSync(tests)
        .filter((name) => name.endsWith(".json"))
        .map((name) => [name, readCases(join(tests, name)) as readonly Group[]] as const);
      const remotes = remotesOf(join(path, "remotes"), draft.folder);
      yield* validated(groups, draft, remotes);
      yield* constrained(groups, draft, remotes);
    }
  }
}

type Groups = readonly (readonly [name: string, groups: readonly Group[]])[];
type Remotes = Readonly<Record<string, Schema>>;

/** Schemas of this draft, and those that have none of their own. */
function remotesOf(folder: string, draft: string): Remotes {
  const found: Record<string, Schema> = {};
  const visit = (at: string, uri: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const isOtherDraft = /^(draft|v1$)/.test(entry.name) && entry.name !== draft;
      if (entry.isDirectory() && !isOtherDraft) visit(join(at, entry.name), `${uri}${entry.name}/`);
      else if (entry.name.endsWith(".json")) {
        found[uri + entry.name] = readCases(join(at, entry.name)) as Schema;
      }
    }
  };
  visit(folder, REMOTES);
  return found;
}

async function* validated(
  groups: Groups,
  { folder, draft, share }: Draft,
  schemas: Remotes,
): AsyncGenerator<CaseResult> {
  let passed = 0;
  let all = 0;
  const failed = new Map<string, number>();
  for (const [name, list] of groups) {
    for (const { description, schema, tests } of list) {
      const group = `${folder}/${name}: ${description}`;
      const used = JSON.stringify(schema).includes("$") ? schemas : {};
      // The required tests want formats to describe only.
      const options = { jsonSchema: schema, draft, schemas: used, assertFormats: false };
      const validator = await createValidator(options).catch((error: Error) => error);
      for (const test of tests) {
        all++;
        const got =
          validator instanceof Error
            ? validator.message
            : (await validator.validateValue(test.data)).action === "accept";
        if (got === test.valid) {
          passed++;
          continue;
        }
        failed.set(group, (failed.get(group) ?? 0) + 1);
        const id = `validator ${group}: ${test.description}`;
        if (!KNOWN_FAILURES.has(group)) yield { id, pass: false, got, expected: test.valid };
      }
    }
  }
  for (const [group, count] of failed) console.error(`validator fails ${count} of ${group}`);
  console.error(`validator ${folder}: ${passed} of ${all}, ${percent(passed / all)}`);
  yield {
    id: `validator ${folder}`,
    pass: passed / all >= share,
    got: percent(passed / all),
    expected: percent(share),
  };
}

function* constrained(
  groups: Groups,
  { folder, draft }: Draft,
  schemas: Remotes,
): Generator<CaseResult> {
  let schemasSeen = 0;
  let carried = 0;
  for (const [name, list] of groups) {
    for (const { description, schema, tests } of list) {
      schemasSeen++;
      const group = `${folder}/${name}: ${description}`;
      const compiled = compile(schema, draft, schemas);
      if (compiled instanceof Error) {
        // Refused as a whole: no value is valid, or the schema leads out of what is given.
        const pass = !tests.some(({ valid }) => valid) || /leads out of it/.test(compiled.message);
        if (pass && !/leads out/.test(compiled.message)) carried++;
        yield { id: `grammar ${group}`, pass, got: compiled.message, expected: "a grammar" };
        continue;
      }
      if (compiled.carried) carried++;
      const isWritten = accepts(compiled.grammar);
      for (const test of tests) {
        const id = `grammar ${group}: ${test.description}`;
        const got = isWritten(JSON.stringify(test.data));
        const isRight = test.valid ? got : !got || !compiled.carried;
        const pass = isRight || UNWRITTEN.some((known) => group.startsWith(known));
        yield { id, pass, got, expected: test.valid };
      }
    }
  }
  console.error(`grammar ${folder}: ${carried} of ${schemasSeen} schemas carried as a whole`);
}

function compile(
  schema: unknown,
  draft: Draft["draft"],
  schemas: Remotes,
): ReturnType<typeof jsonSchemaGrammar> | Error {
  try {
    return jsonSchemaGrammar(schema, { draft, schemas });
  } catch (error) {
    if (error instanceof JsonSchemaConstraintError) return error;
    throw error;
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
