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

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

type StandardIssue = {
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

/** What the schema makes of a value, or one line per problem. */
export async function standardValue(
  schema: StandardSchema,
  input: unknown,
): Promise<{ readonly value: unknown } | { readonly problems: readonly string[] }> {
  const result = await schema["~standard"].validate(input);
  if (result.issues === undefined) return { value: result.value };
  const problems = result.issues.map(({ message, path = [] }) => {
    const keys = path.map((step) => String(typeof step === "object" ? step.key : step));
    return `${keys.length > 0 ? `/${keys.join("/")}: ` : ""}${message}`;
  });
  return { problems };
}
