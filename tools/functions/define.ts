/** Functions of the embedding program, or of a user's module, as tools. */
import type { JsonSchema } from "../../harmony/index.ts";
import { ToolDefinitionError } from "../core/errors.ts";
import { isToolName } from "../core/registry.ts";
import { isStandardSchema, printJsonSchema, type StandardSchema } from "../core/standard-schema.ts";
import { messageOf, placed } from "../core/text.ts";
import type { ApprovalRule, Tool, ToolAnnotations, ToolContext, ToolOutput } from "../core/tool.ts";
import { toToolOutput } from "../core/tool-output.ts";
import {
  createIsolatedRun,
  type IsolatedRun,
  type IsolatedToolContext,
  type Permissions,
  type PluginIsolation,
  type PluginLimits,
} from "../plugins/index.ts";
import { createValidator } from "../validator/index.ts";

/**
 * @typeParam Input    what `execute` gets: what the schema makes of the arguments
 * @typeParam Context  what the caller of the run hands over for its tools
 */
export type ToolDefinition<Input, Context = unknown> = {
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
  readonly outputSchema?: JsonSchema | StandardSchema;
  /** 60 s unless told. */
  readonly timeoutMs?: number;
  readonly annotations?: ToolAnnotations;
  /**
   * false: the model may write any arguments, and is told what was wrong with them. Default: as far as the schema
   * and the engine allow it, the model can write only arguments that pass `inputSchema`.
   */
  readonly strict?: boolean;
  /**
   * Whether the user is asked before a call is run; a rule may look at the arguments. Where there is no
   * user to ask, such a call is not run. A rule that throws counts as yes.
   */
  readonly needsApproval?: boolean | ApprovalRule<Input, Context>;
  /** It runs in this program, with all of its rights. */
  readonly isolation?: "inline";
  /**
   * Returns a text, any value that JSON can hold (a Map, a Set, a Date, a bigint as well), a `ToolOutput`,
   * or blocks as MCP has them (`{ content: [...], structuredContent, isError }`), or a promise of it. What
   * it throws is told to the model.
   *
   * Absent: a client-side tool. The run ends with its calls pending; the caller carries them out and
   * appends their results.
   */
  execute?(input: Input, context: ToolContext<Context>): unknown;
};

/** A function that runs in a sandbox of its own, in another process. */
export type IsolatedToolDefinition<Input, Context = unknown> = Omit<
  ToolDefinition<Input, Context>,
  "isolation" | "execute"
> & {
  /** `isolate`: nothing but ECMAScript; `process`: Node under its permission model, which protects less. */
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
  "strict",
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
 * @throws ToolDefinitionError for a name that no tool can have, a schema that is none, an unknown
 *   option (a misspelt one must not be ignored in silence), a `needsApproval` that is neither boolean nor
 *   function
 */
export function defineTool<Input = Record<string, unknown>, Context = unknown>(
  definition: ToolDefinition<Input, Context> | IsolatedToolDefinition<Input, Context>,
): Tool<Input, Context> {
  check(definition);
  const { name, outputSchema, needsApproval = false } = definition;
  const schema = definition.inputSchema ?? definition.parameters;
  const isolated = isolatedRun(definition);
  const execute = executeOf(definition, isolated);
  const checkOutput = outputSchema === undefined ? undefined : outputCheck(outputSchema);
  return {
    recipient: `functions.${name}`,
    description: definition.description,
    inputSchema: jsonSchemaOf(definition, schema),
    ...(isStandardSchema(schema) && { inputStandardSchema: schema }),
    timeoutMs: definition.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(definition.annotations && { annotations: definition.annotations }),
    ...(definition.strict !== undefined && { strict: definition.strict }),
    ...(needsApproval !== false && { needsApproval }),
    ...(execute && {
      async execute(input, context) {
        const output = await execute(input, context);
        const { structuredContent, data, text } = output;
        await checkOutput?.(structuredContent ?? data ?? text);
        return output;
      },
    }),
    ...(isolated && { close: () => isolated.close() }),
  };
}

type Execute<Input, Context> = (input: Input, context: ToolContext<Context>) => Promise<ToolOutput>;

function executeOf<Input, Context>(
  definition: ToolDefinition<Input, Context> | IsolatedToolDefinition<Input, Context>,
  isolated: IsolatedRun | undefined,
): Execute<Input, Context> | undefined {
  if (isolated !== undefined) return (input, context) => isolated.run(input, context);
  const inline = definition as ToolDefinition<Input, Context>;
  if (inline.execute === undefined) return undefined;
  return async (input, context) => toToolOutput(await inline.execute?.(input, context));
}

function isolatedRun(
  definition: ToolDefinition<never, never> | IsolatedToolDefinition<never, never>,
): IsolatedRun | undefined {
  if (definition.isolation === undefined || definition.isolation === "inline") return undefined;
  const {
    name,
    isolation,
    permissions,
    limits,
    execute,
    timeoutMs = DEFAULT_TIMEOUT_MS,
  } = definition as IsolatedToolDefinition<never, never>;
  return createIsolatedRun({ name, isolation, permissions, limits, execute, timeoutMs });
}

/** What chat APIs accept; a name that is no identifier is shown to the model in the form of one. */
const FUNCTION_NAME = /^[A-Za-z0-9_-]{1,64}$/;

function check(definition: unknown): asserts definition is object {
  const d = definition as Partial<IsolatedToolDefinition<unknown>> | null;
  const name = typeof d?.name === "string" ? d.name : "(unnamed)";
  const refuse = (message: string): never => {
    throw new ToolDefinitionError(name, message);
  };
  if (typeof d !== "object" || d === null) return refuse("its definition must be an object.");
  if (typeof d.name !== "string" || !(isToolName(d.name) || FUNCTION_NAME.test(d.name))) {
    refuse("its name must have at most 64 ASCII letters, digits, _, - or $.");
  }
  if (typeof d.description !== "string") refuse("its description must be a text.");
  if (d.inputSchema !== undefined && d.parameters !== undefined) {
    refuse("inputSchema and parameters are two names of one option; give one of them.");
  }
  const { timeoutMs } = d;
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS)) {
    refuse(`timeoutMs is ${timeoutMs}; accepted: milliseconds from 1 to ${LONGEST_TIMEOUT_MS}.`);
  }
  if (d.strict !== undefined && typeof d.strict !== "boolean") {
    refuse(`strict is ${JSON.stringify(d.strict)}; accepted: true or false.`);
  }
  const approval: unknown = d.needsApproval;
  if (approval !== undefined && !["boolean", "function"].includes(typeof approval)) {
    refuse(`needsApproval is a ${typeof approval}; accepted: true, false or a function.`);
  }
  if (!ISOLATIONS.includes(d.isolation)) {
    refuse(`isolation is ${JSON.stringify(d.isolation)}; accepted: inline, isolate, process.`);
  }
  const isInline = d.isolation !== "isolate" && d.isolation !== "process";
  if (typeof d.execute !== "function" && !(d.execute === undefined && isInline)) {
    refuse(
      isInline
        ? "execute must be a function, or absent where the caller of the run carries out the calls."
        : "execute must be a function.",
    );
  }
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

/** The schema that the model is shown and that arguments are held against. */
function jsonSchemaOf(
  definition: Pick<ToolDefinition<never>, "name" | "inputJsonSchema">,
  schema: unknown,
): JsonSchema {
  if (definition.inputJsonSchema !== undefined) return definition.inputJsonSchema;
  if (schema === undefined) return { type: "object", properties: {}, additionalProperties: false };
  if (isStandardSchema(schema)) {
    try {
      return printJsonSchema(schema);
    } catch (cause) {
      const message = `${messageOf(cause)}; give inputJsonSchema as well.`;
      throw new ToolDefinitionError(definition.name, message, { cause });
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

function outputCheck(schema: JsonSchema | StandardSchema): (output: unknown) => Promise<void> {
  const validator = isStandardSchema(schema)
    ? createValidator({ jsonSchema: true, standardSchema: schema })
    : createValidator({ jsonSchema: schema });
  // The first call tells the failure; before it there may be no listener.
  validator.catch(() => undefined);
  return async (output) => {
    const { errors } = await (await validator).validateValue(output);
    if (errors.length === 0) return;
    throw new Error(`its result does not fit its outputSchema: ${errors.map(placed).join("; ")}`);
  };
}
