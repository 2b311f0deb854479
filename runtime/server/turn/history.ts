/**
 * From the items of a request to the conversation as gpt-oss reads it. Analysis stays only inside of the turn that
 * has no answer yet; calls are followed by their results, which are matched by id, by name, or by order.
 */
import type { Message } from "../../../harmony/index.ts";
import type { ClientTools } from "./client-tools.ts";
import type { CallItem, ConversationItem } from "./items.ts";
import { ConversationHash, type ReasoningMemory } from "./reasoning-memory.ts";

export type History = {
  /** The instructions at the beginning; null where there are none. */
  readonly instructions: string | null;
  readonly messages: readonly Message[];
  /** Of everything said so far. */
  readonly hash: ConversationHash;
};

type Result = Extract<ConversationItem, { type: "result" }>;

/** What gpt-oss writes in front of the arguments of a call. */
const JSON_TYPE = "<|constrain|>json";
/** The same of the tools that it was trained with. */
const CODE_TYPE = "code";

export function historyOf(
  given: readonly ConversationItem[],
  tools: ClientTools,
  memory: ReasoningMemory,
): History {
  const items = given.flatMap(withoutThinkTags);
  const results = matchResults(items);
  const lastAnswer = items.findLastIndex((_, at) => isAnswer(items, at));
  const begin = items.findIndex(({ type }) => type !== "system" && type !== "developer");
  const leading = items.slice(0, begin < 0 ? items.length : begin);
  const instructions = leading.flatMap((item) =>
    "text" in item && item.text.trim() !== "" ? [item.text] : [],
  );
  const hash = new ConversationHash();
  for (const text of instructions) hash.add("system", text);
  const messages: Message[] = [];
  /** Thoughts that no call has followed yet. */
  let thoughts: string[] = [];
  let hasThought = false;
  for (const [at, item] of items.entries()) {
    if (at < leading.length) continue;
    switch (item.type) {
      case "system":
      case "developer":
      case "user":
        if (item.text === "" && items.length > leading.length + 1) break;
        messages.push({
          role: item.type === "user" ? "user" : "developer",
          content: [{ type: "text", text: item.text }],
        });
        hash.add(item.type, item.text);
        thoughts = [];
        hasThought = false;
        break;
      case "reasoning":
        if (at > lastAnswer && item.text.trim() !== "") thoughts.push(item.text);
        break;
      case "assistant": {
        if (item.text.trim() === "") break;
        const channel = isAnswer(items, at) ? "final" : "commentary";
        // What was thought before an announcement belongs to the call behind it.
        if (channel === "commentary") hasThought = pushThoughts(messages, thoughts) || hasThought;
        else hash.add("final", item.text);
        thoughts = [];
        messages.push(said(channel, item.text));
        break;
      }
      case "call": {
        const { isServerTool = false } = item;
        const recipient = isServerTool
          ? item.name
          : tools.recipientOf(item.name, item.namespace ?? null);
        const place = hash.placeOf(recipient, item.arguments);
        const remembered = memory.recall(item.callId, place);
        if (at > lastAnswer) {
          hasThought = pushThoughts(messages, thoughts) || hasThought;
          if (!hasThought && remembered !== null && remembered.reasoning !== "") {
            messages.push(said("analysis", remembered.reasoning));
            hasThought = true;
          }
        }
        thoughts = [];
        const contentType = isServerTool ? CODE_TYPE : JSON_TYPE;
        const written = remembered ?? { arguments: item.arguments, contentType };
        // The tools that gpt-oss was trained with are called in its thoughts.
        const channel = isServerTool ? "analysis" : "commentary";
        messages.push({ ...callMessage(recipient, written), channel });
        hash.add("call", recipient, place);
        const result = results.get(item);
        const text = result === undefined ? NO_RESULT : result.text;
        messages.push({ ...resultMessage(recipient, text), channel });
        hash.add("result", text);
        // The next call of the same message was thought of together with this one.
        if (items[at + 1]?.type !== "call") hasThought = false;
        break;
      }
      case "result":
        if (results.has(item)) break;
        // A result of a call that the client has left out.
        messages.push(resultMessage(tools.recipientOf(item.name || "unknown"), item.text));
        hash.add("result", item.text);
        break;
    }
  }
  return {
    instructions: instructions.length === 0 ? null : instructions.join("\n\n"),
    messages,
    hash,
  };
}

/** Where a client has cut a call from its result, the model is told so. */
const NO_RESULT = "[There is no result: the call was not carried out, or its result was not kept.]";

const THINK = /^\s*<think>([\s\S]*?)<\/think>\s*/;

/** Clients without a field for thoughts put them at the head of the text. */
function withoutThinkTags(item: ConversationItem): readonly ConversationItem[] {
  if (item.type !== "assistant") return [item];
  const match = THINK.exec(item.text);
  if (match === null) return [item];
  const text = item.text.slice(match[0].length);
  return [
    { type: "reasoning", text: (match[1] ?? "").trim() },
    { ...item, text },
  ];
}

/** Whether an assistant's text ends a turn. */
function isAnswer(items: readonly ConversationItem[], at: number): boolean {
  const item = items[at];
  if (item?.type !== "assistant" || item.text.trim() === "") return false;
  if (item.phase) return item.phase === "final_answer";
  for (let next = at + 1; next < items.length; next++) {
    const { type } = items[next] as ConversationItem;
    if (type === "call" || type === "result") return false;
    if (type === "user") return true;
  }
  return true;
}

function pushThoughts(messages: Message[], thoughts: readonly string[]): boolean {
  for (const text of thoughts) messages.push(said("analysis", text));
  return thoughts.length > 0;
}

/**
 * The result of each call, and each matched result under itself: by id, else by name, else the first call that has
 * none.
 */
function matchResults(items: readonly ConversationItem[]): ReadonlyMap<ConversationItem, Result> {
  const matched = new Map<ConversationItem, Result>();
  const take = (result: Result, fits: (call: CallItem) => boolean): boolean => {
    const call = open.find(fits);
    if (call === undefined) return false;
    open = open.filter((other) => other !== call);
    matched.set(call, result);
    matched.set(result, result);
    return true;
  };
  let open: CallItem[] = [];
  for (let at = 0; at < items.length; at++) {
    const item = items[at] as ConversationItem;
    if (item.type === "call") open.push(item);
    if (item.type === "user") open = [];
    if (item.type !== "result") continue;
    const run = [item];
    for (let next = items[at + 1]; next?.type === "result"; next = items[++at + 1]) run.push(next);
    // Results with an id first: what is left then is a matter of names, and of order.
    const byId = run.filter(
      (result) => !(result.callId && take(result, ({ callId }) => callId === result.callId)),
    );
    const byName = byId.filter(
      (result) => !(result.name && take(result, ({ name }) => name === result.name)),
    );
    for (const result of byName) take(result, () => true);
  }
  return matched;
}

function said(channel: "analysis" | "commentary" | "final", text: string): Message {
  return { role: "assistant", channel, content: [{ type: "text", text }] };
}

function callMessage(
  recipient: string,
  { arguments: text, contentType }: { arguments: string; contentType: string | null },
): Message {
  return {
    role: "assistant",
    recipient,
    channel: "commentary",
    ...(contentType !== null && { contentType }),
    content: [{ type: "text", text }],
  };
}

function resultMessage(recipient: string, text: string): Message {
  return {
    role: "tool",
    name: recipient,
    recipient: "assistant",
    channel: "commentary",
    content: [{ type: "text", text }],
  };
}
