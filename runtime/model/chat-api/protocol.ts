/** How one chat API is asked, and how its answer is read. */
import type { TurnSettings } from "../../context.ts";
import type { ChatEntry } from "./conversation.ts";
import type { ChatFunction, ChatToolChoice } from "./tool-names.ts";

export type ChatRequest = {
  readonly model: string;
  readonly entries: readonly ChatEntry[];
  readonly functions: readonly ChatFunction[];
  readonly choice: ChatToolChoice;
  readonly settings: TurnSettings;
  readonly maxTokens: number | null;
  /** JSON Schema of the answer; null: it is free, or said in words. */
  readonly schema: { readonly schema: unknown } | null;
  /** Whether the model reasons, and takes an effort. */
  readonly reasons: boolean;
  /** Threads with the same text are likely to begin alike. */
  readonly cacheKey: string;
};

export type ChatDelta =
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "text"; readonly text: string }
  /** Pieces of one call have the same key. */
  | {
      readonly type: "call";
      readonly key: string;
      readonly name?: string;
      readonly arguments?: string;
    }
  | {
      readonly type: "usage";
      readonly inputTokens: number;
      readonly cachedTokens: number;
      readonly outputTokens: number;
      readonly reasoningTokens: number;
    }
  | { readonly type: "end"; readonly reason: "stop" | "length" };

export type ChatProtocolName = "chat" | "responses" | "ollama";

export interface ChatProtocol {
  /** Behind the base of the server. */
  readonly path: string;
  /** Server-sent events, or a JSON object on each line. */
  readonly framing: "events" | "lines";
  body(request: ChatRequest): object;
  /** For one answer. @param context the entries that it answers */
  reader(): ChatReader;
}

export interface ChatReader {
  /** @throws ModelError for an error within the answer */
  read(piece: ChatFields): readonly ChatDelta[];
  /** What the answer was, for a protocol that keeps something of it. */
  ended?(outcome: ChatOutcome): void;
}

/** What an answer came to: by it, the reasoning that led to it is found again. */
export type ChatOutcome = {
  readonly text: string | null;
  readonly call: { readonly name: string; readonly arguments: string } | null;
};

/** A JSON object of a server, of which nothing is known. */
export type ChatFields = { readonly [name: string]: unknown };

export function fieldsOf(value: unknown): ChatFields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as ChatFields)
    : {};
}

export function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function countIn(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Only what differs from 1 is sent: models that reason refuse any temperature of their own. */
export function samplingFields({ sampling }: TurnSettings): {
  temperature?: number;
  top_p?: number;
} {
  const { temperature, topP } = sampling;
  return {
    ...(temperature !== 1 && { temperature }),
    ...(topP !== 1 && { top_p: topP }),
  };
}

/** @throws ModelError */
export function errorText(error: unknown): string {
  const text = textIn(error) || textIn(fieldsOf(error)["message"]) || JSON.stringify(error);
  return text.replace(/\s+/g, " ").slice(0, 300).replace(/\.$/, "");
}
