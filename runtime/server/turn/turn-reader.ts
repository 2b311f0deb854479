/** Makes items with ids of their own of what a run tells, and keeps back what may not be told yet. */
import { prepareCall } from "../../../tools/index.ts";
import type { CitedSources, Item, PendingCall, RunEvent } from "../../index.ts";
import { newId } from "../ids.ts";
import { CitationLinks } from "./citation-links.ts";
import type { ClientTool, ClientTools } from "./client-tools.ts";
import type { OutputItem, TurnEvent } from "./items.ts";
import { StopStrings } from "./stop-strings.ts";
import { UsageCount } from "./usage-count.ts";

export type TurnReaderOptions = {
  readonly tools: ClientTools;
  /** Recipients of tools that are carried out here. */
  readonly serverTools: ReadonlySet<string>;
  readonly emit: (event: TurnEvent) => Promise<void>;
  /** The client has the beginning of the answer already. */
  readonly answerPrefix: string;
  readonly stopStrings: readonly string[];
  /** Called once, when a stop string has come: nothing behind it is told. */
  readonly onStopString: () => void;
  /** Whether arguments of calls are told while they are written: nothing will be wrong with them. */
  readonly tellsCallsLive: boolean;
  /** The same of an answer. */
  readonly tellsAnswerLive: boolean;
  /** The pages that were shown, which what is said may cite; null: citations are left as they are. */
  readonly sources: (() => CitedSources) | null;
};

/** A call that cannot be given to the client, and what the model reads about it. */
export type RefusedCall = { readonly callId: string; readonly text: string };

type Open = {
  /** What was told of it so far. */
  item: OutputItem;
  readonly stop: StopStrings | null;
  readonly links: CitationLinks | null;
  /** It is told once it is whole; a tool once its arguments are. */
  isHeld: boolean;
};

export class TurnReader {
  /** Those that are complete, in the order in which they were completed. */
  readonly items: OutputItem[] = [];
  readonly usage: UsageCount = new UsageCount();
  /** The stop string that came. */
  stopString: string | null = null;
  readonly #options: TurnReaderOptions;
  /** By the id that the run gives them. */
  readonly #open = new Map<string, Open>();
  /** Answers that are told once one of them is accepted. */
  #held: Open | null = null;
  #thoughts: string[] = [];
  /** Characters of the answer that are not told. */
  #known: number;
  #isStepOver = false;

  constructor(options: TurnReaderOptions) {
    this.#options = options;
    this.#known = options.answerPrefix.length;
  }

  /** What was thought in the last step. */
  get reasoning(): string {
    return this.#thoughts.join("\n\n");
  }

  async take(event: RunEvent): Promise<void> {
    if (event.type === "generation.completed") this.usage.add(event);
    if (this.stopString !== null) return;
    switch (event.type) {
      case "prefill.progress":
        return this.#options.emit({ type: "prefill", done: event.done, total: event.total });
      case "item.started":
        return this.#started(event.item);
      case "item.delta":
        return this.#delta(event.item_id, event.text);
      case "item.updated":
        return this.#updated(event.item);
      case "item.completed":
        return this.#completed(event.item);
      case "generation.completed":
        this.#isStepOver = true;
    }
  }

  /**
   * Tells the calls that the client is to carry out.
   * @param mayRefuse whether the model gets another chance where its arguments are not valid
   * @returns those that are to go back to the model; then none was told
   */
  async readCalls(
    pending: readonly PendingCall[],
    mayRefuse: boolean,
  ): Promise<readonly RefusedCall[]> {
    const read = await Promise.all(pending.map((call) => this.#read(call)));
    if (mayRefuse && read.some(({ problem }) => problem !== null)) {
      for (const { call_id } of pending) this.#open.delete(call_id);
      return read.map(({ callId, problem }) => ({
        callId,
        text: problem ?? "Not carried out: another call of this step has to be sent again first.",
      }));
    }
    for (const { callId, text } of read) {
      const open = this.#open.get(callId);
      if (open?.item.type !== "call") continue;
      this.#open.delete(callId);
      if (open.isHeld) await this.#tell(open.item);
      const told = open.isHeld ? "" : open.item.arguments;
      if (text.startsWith(told) && text.length > told.length) {
        await this.#emitDelta(open.item.id, text.slice(told.length));
      }
      await this.#complete({ ...open.item, arguments: text });
    }
    return [];
  }

  /**
   * Completes what the end of the run has cut off.
   * @param isAccepted the run has its answer
   */
  async finish(isAccepted: boolean): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held !== null && (isAccepted || this.stopString !== null)) await this.#tellWhole(held);
    for (const [id, open] of this.#open) {
      this.#open.delete(id);
      const isCall = open.item.type === "call";
      if (open.isHeld && (isCall || !("text" in open.item) || open.item.text === "")) continue;
      await this.#endMessage(open);
      if (open.isHeld) await this.#tellWhole(open);
      else await this.#complete(open.item);
    }
  }

  async #started(item: Item): Promise<void> {
    if (this.#isStepOver) this.#thoughts = [];
    this.#isStepOver = false;
    const { tellsCallsLive, tellsAnswerLive } = this.#options;
    switch (item.type) {
      case "reasoning":
        return this.#begin(item.id, { type: "reasoning", id: newId("rs_"), text: "" }, false);
      case "agent_message": {
        const { phase } = item;
        const isHeld = phase === "final_answer" && !tellsAnswerLive;
        return this.#begin(
          item.id,
          { type: "message", id: newId("msg_"), phase, text: "" },
          isHeld,
        );
      }
      case "tool_call": {
        const tool = this.#options.tools.get(item.tool);
        if (tool === undefined) return this.#beginServerCall(item.id, item.tool);
        const { name, namespace = null, isCustom = false } = tool;
        const ids = { id: newId("fc_"), callId: newId("call_") };
        const call = { type: "call", ...ids, name, namespace, arguments: "" } as const;
        return this.#begin(item.id, call, isCustom || !tellsCallsLive);
      }
      case "code_execution":
        return this.#beginServerCall(item.id, "python");
    }
  }

  /** A tool that does not exist is the model's own affair: it is told so, and goes on. */
  async #beginServerCall(runId: string, tool: string): Promise<void> {
    if (!this.#options.serverTools.has(tool)) return;
    await this.#begin(
      runId,
      {
        type: "tool",
        id: newId(tool.startsWith("browser.") ? "ws_" : tool === "python" ? "ci_" : "tl_"),
        callId: newId("call_"),
        tool,
        arguments: "",
        result: null,
        status: "in_progress",
      },
      true,
    );
  }

  async #begin(runId: string, item: OutputItem, isHeld: boolean): Promise<void> {
    const { stopStrings, sources } = this.#options;
    const isMessage = item.type === "message";
    const stop = isMessage ? new StopStrings(stopStrings) : null;
    const links = isMessage && sources !== null ? new CitationLinks(sources) : null;
    this.#open.set(runId, { item, stop, links, isHeld });
    if (!isHeld) await this.#tell(item);
  }

  async #delta(runId: string, text: string): Promise<void> {
    const open = this.#open.get(runId);
    if (open === undefined || open.item.type === "tool") return;
    const said = open.stop === null ? text : open.stop.push(this.#unknown(open.item, text));
    const given = open.links === null ? said : open.links.push(said);
    this.#append(open, given);
    if (given !== "" && !open.isHeld) await this.#emitDelta(open.item.id, given);
    if (open.stop?.found) await this.#stopped(runId, open, open.stop.found);
  }

  #unknown(item: OutputItem, text: string): string {
    if (this.#known === 0 || item.type !== "message" || item.phase !== "final_answer") return text;
    const known = Math.min(this.#known, text.length);
    this.#known -= known;
    return text.slice(known);
  }

  #append(open: Open, text: string): void {
    const { item } = open;
    if (item.type === "call") open.item = { ...item, arguments: item.arguments + text };
    else if (item.type !== "tool") open.item = { ...item, text: item.text + text };
  }

  async #stopped(runId: string, open: Open, found: string): Promise<void> {
    this.stopString = found;
    this.#open.delete(runId);
    await this.#endMessage(open);
    if (open.isHeld) await this.#tellWhole(open);
    else await this.#complete(open.item);
    this.#options.onStopString();
  }

  /** Tells what was held back of a text that is over, and notes what it cites. */
  async #endMessage(open: Open): Promise<void> {
    const rest = open.stop?.flush() ?? "";
    const last = open.links === null ? rest : open.links.push(rest) + open.links.end();
    this.#append(open, last);
    if (last !== "" && !open.isHeld) await this.#emitDelta(open.item.id, last);
    const citations = open.links?.citations ?? [];
    if (open.item.type === "message" && citations.length > 0) {
      open.item = { ...open.item, citations };
    }
  }

  async #updated(item: Item): Promise<void> {
    const open = this.#open.get(item.id);
    if (open?.item.type !== "tool") return;
    open.item = { ...open.item, arguments: bodyOf(item) };
    if (!open.isHeld) return;
    open.isHeld = false;
    await this.#options.emit({ type: "item.started", item: open.item });
  }

  async #completed(item: Item): Promise<void> {
    const open = this.#open.get(item.id);
    if (open === undefined) return;
    const { item: told } = open;
    switch (told.type) {
      case "call":
        // Not executed: the step was cut off in the middle of it, which `finish` tells.
        return;
      case "tool":
        this.#open.delete(item.id);
        // Not executed: the step was cut off in the middle of it.
        if (open.isHeld) return;
        return this.#complete({ ...told, arguments: bodyOf(item), ...outcomeOf(item) });
      case "reasoning":
        this.#open.delete(item.id);
        this.#thoughts.push(told.text);
        return this.#complete(told);
      case "message": {
        this.#open.delete(item.id);
        await this.#endMessage(open);
        if (open.isHeld) {
          this.#held = open;
          return;
        }
        return this.#complete(open.item);
      }
    }
  }

  async #read(
    call: PendingCall,
  ): Promise<{ readonly callId: string; readonly text: string; readonly problem: string | null }> {
    const { call_id: callId, arguments: raw } = call;
    const declared = this.#options.tools.get(call.tool) as ClientTool;
    if (declared.isCustom) {
      // Kept to its format, the text is already what the tool takes.
      const isExact = this.#options.tellsCallsLive && declared.format !== undefined;
      return { callId, text: isExact ? raw : customText(raw), problem: null };
    }
    const text = raw.trim() === "" ? "{}" : raw;
    const isTold = this.#open.get(callId)?.isHeld === false;
    if (isTold) return { callId, text, problem: null };
    const tool = this.#options.tools.tools.find(({ recipient }) => recipient === call.tool);
    if (tool === undefined) return { callId, text, problem: null };
    const prepared = await prepareCall(tool, text);
    if (!prepared.ok) return { callId, text, problem: prepared.message };
    const isMended = prepared.issues.length > 0;
    return { callId, text: isMended ? JSON.stringify(prepared.arguments) : text, problem: null };
  }

  async #tellWhole({ item }: Open): Promise<void> {
    await this.#tell("text" in item ? { ...item, text: "" } : item);
    if ("text" in item && item.text !== "") await this.#emitDelta(item.id, item.text);
    await this.#complete(item);
  }

  async #tell(item: OutputItem): Promise<void> {
    const begun = item.type === "call" ? { ...item, arguments: "" } : item;
    await this.#options.emit({ type: "item.started", item: begun });
  }

  async #emitDelta(id: string, text: string): Promise<void> {
    await this.#options.emit({ type: "item.delta", id, text });
  }

  async #complete(item: OutputItem): Promise<void> {
    this.items.push(item);
    await this.#options.emit({ type: "item.completed", item });
  }
}

function bodyOf(item: Item): string {
  if (item.type === "code_execution") return item.code;
  return item.type === "tool_call" ? item.arguments : "";
}

function outcomeOf(item: Item): Pick<Extract<OutputItem, { type: "tool" }>, "result" | "status"> {
  if (item.type === "code_execution") {
    const { output: text, artifacts } = item;
    const status = item.status === "completed" ? "completed" : "failed";
    return { status, result: artifacts === undefined ? { text } : { text, data: { artifacts } } };
  }
  if (item.type !== "tool_call") return { status: "failed", result: null };
  if (item.result !== undefined) return { status: "completed", result: item.result };
  return { status: "failed", result: { text: item.error?.message ?? "" } };
}

/** The model writes the text of a custom tool as it is, as a JSON string, or as the only argument of a call. */
function customText(raw: string): string {
  try {
    const value: unknown = JSON.parse(raw);
    if (typeof value === "string") return value;
    if (typeof value !== "object" || value === null) return raw;
    const [only, ...others] = Object.values(value);
    return typeof only === "string" && others.length === 0 ? only : raw;
  } catch {
    return raw;
  }
}
