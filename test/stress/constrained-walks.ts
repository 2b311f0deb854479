/**
 * Grammars of JSON Schemas over the vocabulary of gpt-oss: what is sampled under their masks is valid, and what
 * is valid may be sampled, id by id.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { GrammarCompiler } from "../../inference/constrain/compiler.ts";
import {
  type GrammarMatcher,
  JsonSchemaConstraintError,
  type JsonSchemaGrammar,
  type JsonSchemaGrammarOptions,
  jsonSchemaGrammar,
} from "../../inference/index.ts";
import { createValidator, type JsonValidatorOptions } from "../../tools/index.ts";
import { o200kVocabulary } from "../conformance/o200k.ts";
import { Random } from "../eval/random.ts";
import { SCHEMA_CASES } from "../inference/constrain/json-schema/schema-cases.ts";
import { Walker } from "./masked-walks.ts";

export type WalkedSchema = {
  readonly id: string;
  readonly schema: JsonValidatorOptions["jsonSchema"];
  readonly draft?: JsonSchemaGrammarOptions["draft"];
  readonly valid: readonly unknown[];
};

export type WalkReport = {
  readonly schemas: number;
  /** Those of which every text is valid. */
  readonly carried: number;
  readonly refusedSchemas: readonly string[];
  readonly walks: number;
  /** Walks that found no end within their tokens. */
  readonly unfinished: number;
  readonly invalid: readonly string[];
  readonly instances: number;
  readonly refusedInstances: readonly string[];
};

export type WalkOptions = {
  readonly schemas: readonly WalkedSchema[];
  /** Over all schemas. */
  readonly walks: number;
  readonly seed: number;
  readonly onProgress?: (schemas: number) => void;
};

/** Examples that are kept of what is wrong. */
const MAX_EXAMPLES = 20;

export async function walkSchemas(options: WalkOptions): Promise<WalkReport> {
  const vocabulary = o200kVocabulary();
  const compiler = new GrammarCompiler(vocabulary);
  const walker = new Walker(vocabulary, new Random(options.seed, "walks"));
  const each = Math.max(1, Math.ceil(options.walks / options.schemas.length));
  const refusedSchemas: string[] = [];
  const invalid: string[] = [];
  const refusedInstances: string[] = [];
  let [carried, walks, unfinished, instances] = [0, 0, 0, 0];
  for (const [index, { id, schema, draft, valid }] of options.schemas.entries()) {
    options.onProgress?.(index);
    const grammar = compile(schema, draft);
    if (grammar instanceof Error) {
      refusedSchemas.push(`${id}: ${grammar.reason}`);
      continue;
    }
    const compiled = compiler.compile(grammar.grammar);
    const fresh = (): GrammarMatcher => compiled.matcher();
    for (const [text, what] of valid.flatMap((one) => spellings(one, grammar))) {
      instances++;
      const place = refusal(fresh(), text);
      if (place !== undefined) refusedInstances.push(`${id} (${what}): ${place}`);
    }
    if (!grammar.carried) continue;
    carried++;
    const texts: string[] = [];
    for (let walk = 0; walk < each; walk++) {
      const text = walker.walk(fresh());
      if (text === undefined) unfinished++;
      else texts.push(text);
    }
    walks += texts.length;
    const validator = await createValidator({ jsonSchema: schema, ...(draft && { draft }) });
    const verdicts = await validator.validateAll(texts);
    for (const [at, { action, errors }] of verdicts.entries()) {
      if (action === "accept") continue;
      invalid.push(`${id}: ${texts[at]?.slice(0, 300)}: ${errors[0]?.message}`);
    }
  }
  return {
    schemas: options.schemas.length,
    carried,
    refusedSchemas,
    walks,
    unfinished,
    invalid: invalid.slice(0, MAX_EXAMPLES),
    instances,
    refusedInstances: refusedInstances.slice(0, MAX_EXAMPLES),
  };
}

function compile(
  schema: unknown,
  draft: JsonSchemaGrammarOptions["draft"],
): JsonSchemaGrammar | JsonSchemaConstraintError {
  try {
    return jsonSchemaGrammar(schema, { draft });
  } catch (error) {
    if (error instanceof JsonSchemaConstraintError) return error;
    throw error;
  }
}

/** A value in the ways in which the grammar must take it. */
function spellings(
  value: unknown,
  { restrictions }: JsonSchemaGrammar,
): readonly (readonly [text: string, what: string])[] {
  const texts: (readonly [string, string])[] = [
    [JSON.stringify(value), "compact"],
    [JSON.stringify(value, null, 1), "on lines"],
  ];
  const isFree = restrictions.every(({ keyword }) => keyword !== "properties");
  if (isFree) texts.push([JSON.stringify(backwards(value)), "properties backwards"]);
  return texts;
}

function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([name, one]) => [name, backwards(one)]));
}

/** Where a text is not allowed, id by id; undefined: it is. */
function refusal(matcher: GrammarMatcher, text: string): string | undefined {
  for (const [at, id] of loadO200kHarmony().encode(text).entries()) {
    if (!matcher.allows(id)) return `token ${at} of ${text.slice(0, 300)}`;
    matcher.accept(id);
  }
  return matcher.isAccepting ? undefined : `it may not end: ${text.slice(0, 200)}`;
}

/** The schemas of files of the area `json`, of folders of the JSON Schema Test Suite, or of the fast tests. */
export function readSchemas(paths: readonly string[]): readonly WalkedSchema[] {
  if (paths.length === 0) {
    return Object.entries(SCHEMA_CASES).map(([id, { schema, yes }]) => ({
      id,
      schema: schema as WalkedSchema["schema"],
      valid: yes.map((text) => JSON.parse(text) as unknown),
    }));
  }
  return paths.flatMap((path) => (statSync(path).isDirectory() ? suite(path) : corpus(path)));
}

type CorpusCase = {
  readonly id: string;
  readonly schema: WalkedSchema["schema"];
  readonly instances: readonly { readonly valid: boolean; readonly data: unknown }[];
};

function corpus(path: string): readonly WalkedSchema[] {
  const { cases } = JSON.parse(readFileSync(path, "utf8")) as { cases: readonly CorpusCase[] };
  return cases.map(({ id, schema, instances }) => ({
    id,
    schema,
    valid: instances.filter(({ valid }) => valid).map(({ data }) => data),
  }));
}

type SuiteGroup = {
  readonly description: string;
  readonly schema: WalkedSchema["schema"];
  readonly tests: readonly { readonly valid: boolean; readonly data: unknown }[];
};

const SUITE_DRAFTS = [
  ["draft2020-12", "2020-12"],
  ["draft7", "draft-07"],
] as const;
/** What the suite wants there is not what the validator does. */
const OTHER_MEANING = /^(?:format|vocabulary|dynamicRef|unevaluated\w+|refRemote)\.json$/;

function suite(path: string): readonly WalkedSchema[] {
  return SUITE_DRAFTS.flatMap(([folder, draft]) => {
    const tests = join(path, "tests", folder);
    const files = readdirSync(tests).filter(
      (name) => name.endsWith(".json") && !OTHER_MEANING.test(name),
    );
    return files.flatMap((name) =>
      (JSON.parse(readFileSync(join(tests, name), "utf8")) as readonly SuiteGroup[]).map(
        (group): WalkedSchema => ({
          id: `${folder}/${name}: ${group.description}`,
          schema: group.schema,
          draft,
          valid: group.tests.filter(({ valid }) => valid).map(({ data }) => data),
        }),
      ),
    );
  });
}
