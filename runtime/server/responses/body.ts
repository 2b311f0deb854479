/** The bodies of the Responses API as schemas. Fields that stand for nothing here are passed over. */
import type { Fields, Schema } from "../wire/check.ts";
import {
  array,
  boolean,
  integer,
  looseObject,
  maxValue,
  minValue,
  nullish,
  number,
  picklist,
  pipe,
  record,
  string,
  union,
  unknown,
} from "../wire/valibot.ts";

const text = nullish(string());
const flag = nullish(boolean());
const count = (min: number): Schema<number | null | undefined> =>
  nullish(pipe(number(), integer(), minValue(min)));
const from = (min: number, max: number): Schema<number | null | undefined> =>
  nullish(pipe(number(), minValue(min), maxValue(max)));
const schema = nullish(union([boolean(), record(string(), unknown())]));
const typed = looseObject({ type: string() });

const Format = looseObject({
  type: picklist(["text", "json_object", "json_schema"]),
  schema,
});

const Reasoning = looseObject({
  effort: text,
  summary: nullish(picklist(["auto", "concise", "detailed", "none"])),
  generate_summary: nullish(picklist(["auto", "concise", "detailed"])),
});

type JsonSchemaValue = boolean | { readonly [key: string]: unknown };

/** Something whose other fields depend on its type. */
export type Typed = { readonly type: string; readonly [key: string]: unknown };

export type ResponsesBody = { readonly model: string } & Fields<{
  readonly input: string | readonly object[];
  readonly instructions: string;
  readonly previous_response_id: string;
  readonly conversation: unknown;
  readonly prompt: unknown;
  readonly tools: readonly Typed[];
  readonly tool_choice: "auto" | "none" | "required" | Typed;
  readonly stream: boolean;
  readonly background: boolean;
  readonly store: boolean;
  readonly parallel_tool_calls: boolean;
  readonly text: Fields<{
    readonly format: Typed & {
      readonly type: "text" | "json_object" | "json_schema";
      readonly schema?: JsonSchemaValue | null | undefined;
    };
    readonly verbosity: string;
  }>;
  readonly reasoning: Fields<{
    readonly effort: string;
    readonly summary: string;
    readonly generate_summary: string;
  }>;
  readonly include: readonly string[];
  readonly max_output_tokens: number;
  readonly max_tool_calls: number;
  readonly truncation: "auto" | "disabled";
  readonly temperature: number;
  readonly top_p: number;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
  readonly top_logprobs: number;
  readonly seed: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly user: string;
  readonly safety_identifier: string;
  readonly prompt_cache_key: string;
}>;

export const ResponsesBody: Schema<ResponsesBody> = looseObject({
  model: string(),
  input: nullish(union([string(), array(looseObject({}))])),
  instructions: text,
  previous_response_id: text,
  conversation: nullish(unknown()),
  prompt: nullish(unknown()),
  tools: nullish(array(typed)),
  tool_choice: nullish(union([picklist(["auto", "none", "required"]), typed])),
  stream: flag,
  background: flag,
  store: flag,
  parallel_tool_calls: flag,
  text: nullish(looseObject({ format: nullish(Format), verbosity: text })),
  reasoning: nullish(Reasoning),
  include: nullish(array(string())),
  max_output_tokens: count(1),
  max_tool_calls: count(0),
  truncation: nullish(picklist(["auto", "disabled"])),
  temperature: from(0, 2),
  top_p: from(0, 1),
  presence_penalty: from(-2, 2),
  frequency_penalty: from(-2, 2),
  top_logprobs: from(0, 20),
  seed: count(0),
  metadata: nullish(record(string(), string())),
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
});

type Described = { readonly name: string; readonly description?: string | null | undefined };

export type CustomTool = Described &
  Fields<{
    readonly format: Fields<{
      readonly type: "text" | "grammar";
      readonly syntax: "lark" | "regex";
      readonly definition: string;
    }>;
  }>;
export const CustomTool: Schema<CustomTool> = looseObject({
  name: string(),
  description: text,
  format: nullish(
    looseObject({
      type: nullish(picklist(["text", "grammar"])),
      syntax: nullish(picklist(["lark", "regex"])),
      definition: text,
    }),
  ),
});

export type FunctionTool = Described &
  Fields<{ readonly parameters: JsonSchemaValue; readonly strict: boolean }>;
export const FunctionTool: Schema<FunctionTool> = looseObject({
  name: string(),
  description: text,
  parameters: schema,
  strict: flag,
});

export type NamespaceTool = Described & { readonly tools: readonly Typed[] };
export const NamespaceTool: Schema<NamespaceTool> = looseObject({
  name: string(),
  description: text,
  tools: array(typed),
});

export type SearchTool = Fields<{
  readonly external_web_access: boolean;
  readonly search_context_size: "low" | "medium" | "high";
  readonly filters: Fields<{ readonly allowed_domains: readonly string[] }>;
}>;
export const SearchTool: Schema<SearchTool> = looseObject({
  external_web_access: flag,
  search_context_size: nullish(picklist(["low", "medium", "high"])),
  filters: nullish(looseObject({ allowed_domains: nullish(array(string())) })),
});

export type CodeTool = Fields<{
  readonly container: string | Fields<{ readonly file_ids: readonly string[] }>;
}>;
export const CodeTool: Schema<CodeTool> = looseObject({
  container: nullish(union([string(), looseObject({ file_ids: nullish(array(string())) })])),
});

export type ToolChoiceObject = { readonly type: string } & Fields<{
  readonly name: string;
  readonly namespace: string;
  readonly mode: "auto" | "required";
  readonly tools: readonly Typed[];
}>;
export const ToolChoiceObject: Schema<ToolChoiceObject> = looseObject({
  type: string(),
  name: text,
  namespace: text,
  mode: nullish(picklist(["auto", "required"])),
  tools: nullish(array(typed)),
});

/** A part of a content: what of it is text is read. */
export type ContentPart = Fields<{
  readonly type: string;
  readonly text: string;
  readonly refusal: string;
}>;
const Part: Schema<ContentPart> = looseObject({ type: text, text, refusal: text });

type Called = {
  readonly call_id: string;
  readonly name: string;
  readonly namespace?: string | null | undefined;
};
const called = { call_id: string(), name: string(), namespace: text };

type Result = { readonly call_id: string; readonly output: string | readonly ContentPart[] };
const Result: Schema<Result> = looseObject({
  call_id: string(),
  output: union([string(), array(Part)]),
});

/** Items that mean something here, by their type. */
export type Items = {
  readonly message: {
    readonly role: "user" | "assistant" | "system" | "developer";
  } & Fields<{
    readonly content: string | readonly ContentPart[];
    readonly phase: "commentary" | "final_answer";
  }>;
  readonly reasoning: Fields<{
    readonly content: readonly ContentPart[];
    readonly summary: readonly ContentPart[];
    readonly encrypted_content: string;
  }>;
  readonly function_call: Called & { readonly arguments: string };
  readonly function_call_output: Result;
  readonly custom_tool_call: Called & { readonly input: string };
  readonly custom_tool_call_output: Result;
  readonly web_search_call: object;
  readonly code_interpreter_call: object;
  readonly compaction: { readonly encrypted_content: string };
};

export type ItemType = keyof Items;

export const ITEMS: { readonly [Type in ItemType]: Schema<Items[Type]> } = {
  message: looseObject({
    role: picklist(["user", "assistant", "system", "developer"]),
    content: nullish(union([string(), array(Part)])),
    phase: nullish(picklist(["commentary", "final_answer"])),
  }),
  reasoning: looseObject({
    content: nullish(array(Part)),
    summary: nullish(array(Part)),
    encrypted_content: text,
  }),
  function_call: looseObject({ ...called, arguments: string() }),
  function_call_output: Result,
  custom_tool_call: looseObject({ ...called, input: string() }),
  custom_tool_call_output: Result,
  web_search_call: looseObject({}),
  code_interpreter_call: looseObject({}),
  compaction: looseObject({ encrypted_content: string() }),
};
