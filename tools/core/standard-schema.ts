import { messageOf } from "./text.ts";

/**
 * What schema libraries (zod, valibot, ArkType …) agree on, as far as it is used here.
 * Source: standardschema.dev, Standard Schema version 1 with its JSON Schema extension.
 */
export type StandardSchema<Output = unknown> = {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: string }) => Record<string, unknown>;
    };
  };
};

/** What a Standard Schema says of a value: what it makes of it, or what is wrong. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export type StandardIssue = {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
};

export function isStandardSchema(schema: unknown): schema is StandardSchema {
  // Some libraries' schemas are callable.
  return (
    ((typeof schema === "object" && schema !== null) || typeof schema === "function") &&
    "~standard" in schema
  );
}

/** What is wrong at one place of a value. */
export type ValueProblem = { readonly message: string; readonly path?: string };

/** What the schema makes of a value, or what is wrong with it. */
export async function standardValue<Output>(
  schema: StandardSchema<Output>,
  input: unknown,
): Promise<{ readonly value: Output } | { readonly problems: readonly ValueProblem[] }> {
  let result: StandardResult<Output>;
  try {
    result = await schema["~standard"].validate(input);
  } catch (error) {
    return { problems: [{ message: `checking it failed: ${messageOf(error)}` }] };
  }
  if (result.issues === undefined) return { value: result.value };
  const problems = result.issues.map(({ message, path = [] }) => {
    const keys = path.map((step) => String(typeof step === "object" ? step.key : step));
    return { message, ...(keys.length > 0 && { path: `/${keys.join("/")}` }) };
  });
  return { problems };
}

/**
 * The schema as JSON Schema, for the input side: what a model is shown, and writes.
 * @throws Error with a sentence's end: "its zod schema …"
 */
export function printJsonSchema({
  "~standard": standard,
}: StandardSchema): Record<string, unknown> {
  const { vendor, jsonSchema } = standard;
  if (jsonSchema === undefined) {
    const how =
      vendor === "valibot" ? " (toStandardJsonSchema of @valibot/to-json-schema does)" : "";
    throw new Error(`its ${vendor} schema cannot print itself as JSON Schema${how}`);
  }
  try {
    return jsonSchema.input({ target: "draft-2020-12" });
  } catch (cause) {
    throw new Error(`its ${vendor} schema has no JSON Schema form: ${messageOf(cause)}`, { cause });
  }
}
