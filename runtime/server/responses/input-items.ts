/**
 * The items of an input: what is kept of them, and what they are in the conversation of a turn. Types that are not
 * known are left out, since clients send what other servers gave them.
 */
import { invalidField, ServerError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { ConversationItem } from "../turn/items.ts";
import { checkBody } from "../wire/check.ts";
import { type ContentPart, ITEMS, type Items, type ItemType } from "./body.ts";
import type { StoredItem } from "./response-store.ts";

/** What an input refers to. */
export type ItemSource = {
  /** null: it is not kept here. */
  readonly item: (id: string) => StoredItem | null;
  /** null: it was sealed elsewhere. */
  readonly openSeal: (content: string) => string | null;
};

/** A call that was carried out here, as it is kept with its item. */
export type HiddenCall = {
  readonly tool: string;
  readonly arguments: string;
  readonly result: string;
};

const PREFIXES: Readonly<Record<ItemType, string>> = {
  message: "msg_",
  reasoning: "rs_",
  function_call: "fc_",
  function_call_output: "fco_",
  custom_tool_call: "ctc_",
  custom_tool_call_output: "ctco_",
  web_search_call: "ws_",
  code_interpreter_call: "ci_",
  compaction: "cmp_",
};

export type ReadInput = {
  readonly items: readonly StoredItem[];
  /** Types that were left out. */
  readonly skipped: readonly string[];
};

/**
 * The items of an input, checked, each with an id.
 * @throws ServerError that names the field; 404 for a reference to an item that is not kept
 */
export function readItems(input: string | readonly object[], source: ItemSource): ReadInput {
  const given = typeof input === "string" ? [{ role: "user", content: input }] : input;
  const items: StoredItem[] = [];
  const skipped: string[] = [];
  for (const [at, one] of given.entries()) {
    const where = `input[${at}]`;
    const fields = one as Readonly<Record<string, unknown>>;
    const type = typeOf(fields, where);
    if (type === "item_reference") {
      const found = referred(fields["id"], where, source);
      if (found !== null) items.push(found);
      continue;
    }
    if (!isItemType(type)) {
      skipped.push(type);
      continue;
    }
    const item = type === "message" ? message(fields, where) : checked(type, fields, where);
    const known = typeof fields["id"] === "string" ? fields["id"] : null;
    // What is known of an item beside what the client sees of it.
    const hidden = known === null ? undefined : source.item(known)?.hidden;
    const id = known ?? newId(PREFIXES[type]);
    items.push({ id, item: { ...item, type, id }, ...(hidden !== undefined && { hidden }) });
  }
  return { items, skipped };
}

function isItemType(type: string): type is ItemType {
  return Object.hasOwn(PREFIXES, type);
}

/** Clients leave the type of a message out. */
function typeOf(item: Readonly<Record<string, unknown>>, where: string): string {
  const { type, role, id } = item;
  if (typeof type === "string") return type;
  if (type === undefined || type === null) {
    if (role !== undefined) return "message";
    if (typeof id === "string" && Object.keys(item).length === 1) return "item_reference";
  }
  throw invalidField(`${where}.type`, `The item ${where} has no type.`);
}

/** null: a thought that is gone is done without. */
function referred(id: unknown, where: string, source: ItemSource): StoredItem | null {
  if (typeof id !== "string")
    throw invalidField(`${where}.id`, `The reference ${where} has no id.`);
  const found = source.item(id);
  if (found !== null || id.startsWith("rs_")) return found;
  throw new ServerError("CHORALE_NOT_FOUND", `Item with id '${id}' not found.`, {
    status: 404,
    param: `${where}.id`,
  });
}

function checked<Type extends ItemType>(type: Type, item: object, where: string): Items[Type] {
  return checkBody<Items[Type]>(ITEMS[type], item, where);
}

const TEXT_PARTS: ReadonlySet<string> = new Set(["input_text", "output_text", "text", "refusal"]);

/** With its content as parts. Texts alone: the models of this server read no images. */
function message(fields: object, where: string): object {
  const { content, ...rest } = checked("message", fields, where);
  const type = rest.role === "assistant" ? "output_text" : "input_text";
  const parts = typeof content === "string" ? [{ text: content }] : (content ?? []);
  return {
    status: "completed",
    ...rest,
    content: parts.map((part, at) => {
      const kind = "type" in part && typeof part.type === "string" ? part.type : type;
      if (TEXT_PARTS.has(kind)) return { ...part, type: kind };
      throw invalidField(
        `${where}.content[${at}].type`,
        `Content of the type '${kind}' cannot be read by this model; accepted: text.`,
      );
    }),
  };
}

/** What the items are in the conversation of a turn. */
export function conversationOf(
  items: readonly StoredItem[],
  source: ItemSource,
): readonly ConversationItem[] {
  return items.flatMap((stored) => conversationItems(stored, source));
}

function conversationItems(
  { id, item, hidden }: StoredItem,
  source: ItemSource,
): readonly ConversationItem[] {
  const type = item["type"];
  switch (type) {
    case "message":
      return [messageOf(checked(type, item, id))];
    case "reasoning":
      return [{ type: "reasoning", text: traceOf(checked(type, item, id), id, source) }];
    case "function_call": {
      const { call_id: callId, arguments: args, ...call } = checked(type, item, id);
      return [{ type: "call", callId, name: call.name, namespace: spaceOf(call), arguments: args }];
    }
    case "custom_tool_call": {
      const { call_id: callId, input, ...call } = checked(type, item, id);
      return [
        { type: "call", callId, name: call.name, namespace: spaceOf(call), arguments: input },
      ];
    }
    case "function_call_output":
    case "custom_tool_call_output": {
      const { call_id: callId, output } = checked(type, item, id);
      return [{ type: "result", callId, text: outputText(output) }];
    }
    case "web_search_call":
    case "code_interpreter_call":
      return hidden === undefined ? [] : hiddenCall(id, JSON.parse(hidden) as HiddenCall);
    case "compaction":
      return [{ type: "user", text: summaryOf(checked(type, item, id), source) }];
    default:
      return [];
  }
}

function spaceOf({ namespace }: { readonly namespace?: string | null | undefined }): string | null {
  return namespace ?? null;
}

function messageOf({ role, content, phase }: Items["message"]): ConversationItem {
  const text = typeof content === "string" ? content : textsOf(content).join("\n");
  return role === "assistant"
    ? { type: "assistant", text, phase: phase ?? null }
    : { type: role, text };
}

function textsOf(parts: readonly ContentPart[] | null | undefined): readonly string[] {
  return (parts ?? []).map(({ text, refusal }) => text ?? refusal ?? "");
}

/** A result may hold what the model cannot read; it is told so, and the conversation goes on. */
function outputText(output: string | readonly ContentPart[]): string {
  if (typeof output === "string") return output;
  return output
    .map(({ type, text }) =>
      typeof text === "string"
        ? text
        : `[The result has a part of the type ${type}, which cannot be shown to you.]`,
    )
    .join("\n");
}

/** The trace itself, else as it was sealed here, else as it is kept here, else its summary, which mirrors it. */
function traceOf(item: Items["reasoning"], id: string, source: ItemSource): string {
  const content = textsOf(item.content).join("\n");
  if (content !== "") return content;
  const opened = item.encrypted_content ? source.openSeal(item.encrypted_content) : null;
  if (opened !== null) return opened;
  const kept = source.item(id)?.item;
  const trace =
    kept?.["type"] === "reasoning"
      ? textsOf(checked("reasoning", kept, id).content).join("\n")
      : "";
  return trace === "" ? textsOf(item.summary).join("\n") : trace;
}

function summaryOf(item: Items["compaction"], source: ItemSource): string {
  const summary = source.openSeal(item.encrypted_content);
  if (summary !== null) return `What was said before, in short:\n\n${summary}`;
  throw invalidField(
    "input",
    "The encrypted_content of a compaction item was not made by this server; send the conversation itself.",
  );
}

function hiddenCall(id: string, call: HiddenCall): readonly ConversationItem[] {
  return [
    { type: "call", callId: id, name: call.tool, isServerTool: true, arguments: call.arguments },
    { type: "result", callId: id, text: call.result },
  ];
}
