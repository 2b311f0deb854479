/** Functions of the embedding program, or of a user's module, as tools. */
import type { JsonSchema } from "../../harmony/index.ts";
import {
  createIsolatedRun,
  type IsolatedRun,
  type IsolatedToolContext,
  type Permissions,
  type PluginIsolation,
  type PluginLimits,
} from "../plugins/index.ts";
import { createValidator } from "../validator/index.ts";
import { ToolDefinitionError } from "./errors.ts";
import { isToolName } from "./registry.ts";
import type { Tool, ToolAnnotations, ToolContext, ToolOutput } from "./tool.ts";

/**
 * What schema libraries (zod, valibot, arktype …) agree on, as far as it is used here.
 * Source: standardschema.dev, version 1, with its JSON Schema extension.
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
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** `any` JSON-able value may be returned; a string is taken as it is, a `ToolOutput` as well. */
export type ToolDefinition<Input> = {
  /** A TypeScript identifier; the model addresses the tool as `functions.NAME`. */
  readonly name: string;
  /** For the model: what it does and when to use it. */
  readonly description: string;
  /** Absent: no arguments. */
  readonly inputSchema?: JsonSchema | StandardSchema<Input>;
  /** The same under the name other libraries use. */
  readonly parameters?: JsonSchema | StandardSchema<Input>;
  /** What the model is shown, for a Standard Schema that cannot print itself. */
  readonly inputJsonSchema?: JsonSchema;
  /** What `execute` promises to return; a result that breaks it is a failure of the tool. */
  readonly outputSchema?: JsonSchema;
  /** 60 s unless told. */
  readonly timeoutMs?: number;
  readonly annotations?: ToolAnnotations;
  /** The user is asked before every call; where nobody can be asked, the tool is not run. */
  readonly needsApproval?: boolean;
  /** It runs in this program, with all of its rights. */
  readonly isolation?: "inline";
  execute(input: Input, context: ToolContext): unknown;
};

/** A function that runs in a sandbox of its own, in another process. */
export type IsolatedToolDefinition<Input> = Omit<ToolDefinition<Input>, "isolation" | "execute"> & {
  /** `isolate`: nothing but ECMAScript; `process`: Node under its permission model, a weaker wall. */
  readonly isolation: PluginIsolation;
  /** What it may use beside computing; default nothing. */
  readonly permissions?: Permissions;
  readonly limits?: Partial<Omit<PluginLimits, "timeoutMs">>;
  /**
   * Its source text is what runs there, so it must not refer to anything outside of itself: what it needs
   * comes with `input` and `context` (`context.net`, `context.fs`, …).
   */
  execute(input: Input, context: IsolatedToolContext): unknown;
};

const DEFAULT_TIMEOUT_MS = 60_000;
/** The longest delay that timers can hold. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

const OPTIONS: ReadonlySet<string> = new Set([
  "name",
  "description",
  "inputSchema",
  "parameters",
  "inputJsonSchema",
  "outputSchema",
  "timeoutMs",
  "annotations",
  "needsApproval",
  "isolation",
  "permissions",
  "limits",
  "execute",
]);
const ISOLATIONS: readonly unknown[] = [undefined, "inline", "isolate", "process"];

/**
 * Makes a tool of a function. Unless `isolation` says otherwise, the function runs in the program's own
 * thread: while a synchronous loop in it does not end, neither its timeout nor Ctrl-C can end the call.
 * Long computations, and code that is not trusted, belong into an isolate.
 *
 * @throws ToolDefinitionError for a name that is no identifier, a schema that is none, an unknown
 *   option (a misspelt one must not be ignored in silence), a `needsApproval` that is no boolean
 */
export function defineTool<Input = Record<string, unknown>>(
  definition: ToolDefinition<Input> | IsolatedToolDefinition<Input>,
): Tool<Input> {
  check(definition);
  const { name, outputSchema } = definition;
  const recipient = `functions.${name}`;
  const schema = definition.inputSchema ?? definition.parameters;
  const standard = isStandardSchema(schema) ? schema : undefined;
  const checkOutput = outputSchema === undefined ? undefined : outputCheck(outputSchema);
  const isolated = isolatedRun(definition);
  return {
    recipient,
    description: definition.description,
    inputSchema: jsonSchemaOf(definition, schema),
    timeoutMs: definition.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(definition.annotations && { annotations: definition.annotations }),
    ...(definition.needsApproval && { needsApproval: true }),
    async execute(input, context) {
      const value = standard ? await standardValue(standard, input) : input;
      if (isolated !== undefined) {
        const output = await isolated.run(value, context);
        await checkOutput?.(output.data ?? output.text);
        return output;
      }
      const output: unknown = await definition.execute(value as Input, context as never);
      await checkOutput?.(output);
      return toToolOutput(output);
    },
    ...(isolated && { close: () => isolated.close() }),
  };
}

function isolatedRun(
  definition: ToolDefinition<never> | IsolatedToolDefinition<never>,
): IsolatedRun | undefined {
  if (definition.isolation === undefined || definition.isolation === "inline") return undefined;
  const {
    name,
    isolation,
    permissions,
    limits,
    execute,
    timeoutMs = DEFAULT_TIMEOUT_MS,
  } = definition as IsolatedToolDefinition<never>;
  return createIsolatedRun({ name, isolation, permissions, limits, execute, timeoutMs });
}

function check(definition: unknown): asserts definition is object {
  const d = definition as Partial<IsolatedToolDefinition<unknown>> | null;
  const name = typeof d?.name === "string" ? d.name : "(unnamed)";
  const refuse = (message: string): never => {
    throw new ToolDefinitionError(name, message);
  };
  if (typeof d !== "object" || d === null) return refuse("its definition must be an object.");
  if (typeof d.name !== "string" || !isToolName(d.name)) {
    refuse("its name must be a TypeScript identifier of at most 64 ASCII letters, digits, _ or $.");
  }
  if (typeof d.description !== "string") refuse("its description must be a text.");
  if (typeof d.execute !== "function") refuse("execute must be a function.");
  if (d.inputSchema !== undefined && d.parameters !== undefined) {
    refuse("inputSchema and parameters are two names of one option; give one of them.");
  }
  const { timeoutMs } = d;
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS)) {
    refuse(`timeoutMs is ${timeoutMs}; accepted: milliseconds from 1 to ${LONGEST_TIMEOUT_MS}.`);
  }
  const approval: unknown = d.needsApproval;
  if (approval !== undefined && typeof approval !== "boolean") {
    refuse(`needsApproval is a ${typeof approval}; accepted: true or false.`);
  }
  if (!ISOLATIONS.includes(d.isolation)) {
    refuse(`isolation is ${JSON.stringify(d.isolation)}; accepted: inline, isolate, process.`);
  }
  const isInline = d.isolation !== "isolate" && d.isolation !== "process";
  if (isInline && (d.permissions !== undefined || d.limits !== undefined)) {
    refuse(
      "permissions and limits are for isolation: isolate or process; inline it has all rights.",
    );
  }
  const unknown = Object.keys(d).filter((key) => !OPTIONS.has(key));
  if (unknown.length > 0) {
    refuse(`unknown option ${unknown.join(", ")}; accepted: ${[...OPTIONS].join(", ")}.`);
  }
}

function isStandardSchema(schema: unknown): schema is StandardSchema {
  // Some libraries' schemas are callable.
  return (
    ((typeof schema === "object" && schema !== null) || typeof schema === "function") &&
    "~standard" in schema
  );
}

/** The schema that the model is shown and that arguments are held against. */
function jsonSchemaOf(
  definition: Pick<ToolDefinition<never>, "name" | "inputJsonSchema">,
  schema: unknown,
): JsonSchema {
  if (definition.inputJsonSchema !== undefined) return definition.inputJsonSchema;
  if (schema === undefined) return { type: "object", properties: {}, additionalProperties: false };
  if (isStandardSchema(schema)) {
    const standard = schema["~standard"];
    if (standard.jsonSchema === undefined) {
      throw new ToolDefinitionError(
        definition.name,
        `its ${standard.vendor} schema cannot print itself as JSON Schema; give inputJsonSchema as well.`,
      );
    }
    try {
      return standard.jsonSchema.input({ target: "draft-2020-12" });
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ToolDefinitionError(
        definition.name,
        `its ${standard.vendor} schema has no JSON Schema form: ${why}`,
        { cause },
      );
    }
  }
  if (typeof schema === "boolean") return schema;
  if (typeof schema === "object" && schema !== null && !Array.isArray(schema)) {
    return schema as JsonSchema;
  }
  throw new ToolDefinitionError(
    definition.name,
    "inputSchema must be a JSON Schema or a Standard Schema.",
  );
}

async function standardValue(schema: StandardSchema, input: unknown): Promise<unknown> {
  const result = await schema["~standard"].validate(input);
  if (result.issues === undefined) return result.value;
  const lines = result.issues.map(({ message, path = [] }) => {
    const keys = path.map((step) => String(typeof step === "object" ? step.key : step));
    return `${keys.length > 0 ? `/${keys.join("/")}: ` : ""}${message}`;
  });
  throw new Error(`its arguments are not valid: ${lines.join("; ")}`);
}

function outputCheck(schema: JsonSchema): (output: unknown) => Promise<void> {
  const validator = createValidator({ jsonSchema: schema, extract: false });
  // The failure is told by the first call; until then nobody may be there to hear it.
  validator.catch(() => undefined);
  return async (output) => {
    const result = await (await validator).validate(JSON.stringify(output) ?? "null");
    if (result.action === "accept") return;
    const problems = result.errors.map((e) => `${e.path ? `${e.path}: ` : ""}${e.message}`);
    throw new Error(`its result does not fit its outputSchema: ${problems.join("; ")}`);
  };
}

function toToolOutput(output: unknown): ToolOutput {
  if (typeof output === "string") return { text: output };
  if (isToolOutput(output)) return output;
  const text = JSON.stringify(output) ?? "null";
  return { text, data: output };
}

const OUTPUT_KEYS: ReadonlySet<string> = new Set(["text", "isError", "data"]);

/** A `ToolOutput`, and not data that happens to have a `text`. */
function isToolOutput(output: unknown): output is ToolOutput {
  return (
    typeof output === "object" &&
    output !== null &&
    "text" in output &&
    typeof output.text === "string" &&
    Object.keys(output).every((key) => OUTPUT_KEYS.has(key))
  );
}
