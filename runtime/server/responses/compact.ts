/** A conversation made shorter: what the user said stays, and a summary by the model stands for the rest. */
import { newId } from "../ids.ts";
import type { ConversationItem } from "../turn/items.ts";
import { turnResult } from "../turn/run-turn.ts";
import type { ResponsesRequest } from "./request.ts";
import {
  type BeginTurn,
  type ReadConversation,
  type Responses,
  turnRequest,
} from "./response-run.ts";
import { usageOf } from "./response-writer.ts";
import type { CompactionItem, WireUsage } from "./wire.ts";

export type CompactedResponse = {
  readonly id: string;
  readonly object: "response.compaction";
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly output: readonly object[];
  readonly usage: WireUsage;
};

const REQUEST =
  "Summarise our conversation so far, so that it can go on without the messages themselves. Keep what I asked " +
  "for and decided, facts and figures with their sources, names of files and identifiers, what was tried and what " +
  "came of it, and what is still open. Write nothing else.";

/** @throws ServerError, RunError; what the turn failed with */
export async function compact(
  { seal }: Responses,
  request: ResponsesRequest,
  { before, input, items }: ReadConversation,
  begin: BeginTurn,
  signal: AbortSignal,
): Promise<CompactedResponse> {
  const asked: readonly ConversationItem[] = [...items, { type: "user", text: REQUEST }];
  const plain = { ...turnRequest(request, asked, { tools: [] }), clientTools: [], output: null };
  const turn = await begin({ ...plain, toolChoice: "auto", effort: "low", signal });
  const { items: said, usage, finish, error } = await turnResult(turn);
  if (finish === "failed" || finish === "cancelled") throw error;
  const summary = said
    .map((item) => (item.type === "message" && item.phase === "final_answer" ? item.text : ""))
    .join("");
  const compaction: CompactionItem = {
    type: "compaction",
    id: newId("cmp_"),
    encrypted_content: seal.seal(summary),
  };
  const kept = [...before, ...input].flatMap(({ item }) => (item["role"] === "user" ? [item] : []));
  return {
    id: newId("resp_"),
    object: "response.compaction",
    created_at: Math.floor(Date.now() / 1000),
    output: [...kept, compaction],
    usage: usageOf(usage),
  };
}
