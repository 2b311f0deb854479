/**
 * `bench chat [--keys N]`: from a key to the write that shows it, in the chat itself over a terminal that only
 * takes note: at rest, while tokens stream, and while they stream behind an answer of 10,000 lines and in one.
 */
import { parseArgs } from "node:util";
import { chatInTerminal } from "../../runtime/cli/chat/chat-terminal.ts";
import type { Terminal } from "../../runtime/cli/chat/terminal-library.ts";
import {
  Agent,
  conversationOf,
  ScriptedModel,
  type ScriptedStep,
  Thread,
} from "../../runtime/index.ts";
import type { Bench } from "./bench.ts";
import { rounded } from "./median.ts";

const TOKEN_MS = 2;
const GOAL_MS = 16;
const LINES = 10_000;

/** A terminal of 80 columns and 24 rows that tells when something is written. */
class NotedTerminal implements Terminal {
  readonly columns = 80;
  readonly rows = 24;
  readonly kittyProtocolActive = false;
  onWrite: (data: string) => void = () => {};
  input: (data: string) => void = () => {};

  start(onInput: (data: string) => void): void {
    this.input = onInput;
  }
  write(data: string): void {
    this.onWrite(data);
  }
  stop(): void {}
  async drainInput(): Promise<void> {}
  moveBy(): void {}
  hideCursor(): void {}
  showCursor(): void {}
  clearLine(): void {}
  clearFromCursor(): void {}
  clearScreen(): void {}
  setTitle(): void {}
  setProgress(): void {}
  setProgramStatus(): void {}
}

/** Says its script token by token; of prose each after a pause. */
class StreamingModel extends ScriptedModel {
  override sample: ScriptedModel["sample"] = (request, onEvent) =>
    super.sample(request, async (event) => {
      if (event.type === "delta" && PROSE.includes(event.text)) {
        await new Promise((done) => setTimeout(done, TOKEN_MS));
      }
      await onEvent(event);
    });
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const PROSE = "Some **words** of an answer, `code` too. ";
const prose = (words: number): string => PROSE.repeat(words / 8);
const ANSWERS: Readonly<Record<string, string>> = {
  list: Array.from({ length: LINES }, (_, line) => `${line + 1}. item **${line}**`).join("\n"),
  code: `\`\`\`py\n${Array.from({ length: LINES }, (_, line) => `x${line} = "${line}"`).join("\n")}\n\`\`\``,
  prose: Array.from({ length: LINES }, (_, line) => `line ${line} of the text`).join("\n"),
};

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: { keys: { type: "string", default: "200" } },
  });
  const keys = Number(values.keys);
  const figures: Record<string, object> = {
    at_rest: await measured(keys, []),
    streaming: await measured(keys, [prose(20_000)], ["begin"]),
  };
  for (const [name, answer] of Object.entries(ANSWERS)) {
    figures[`behind_10000_lines_of_${name}`] = await measured(
      keys,
      [answer, prose(20_000)],
      ["whole", "begin"],
    );
    figures[`in_10000_lines_of_${name}`] = await measured(
      keys,
      [`${answer}\n${prose(20_000)}`],
      ["begin"],
    );
  }
  return { keys, token_ms: TOKEN_MS, goal_ms: GOAL_MS, ...figures };
};

/**
 * Milliseconds from a key to its write, over as many keys.
 * @param turns what to wait for of each question before the keys: `whole` its answer, `begin` its first token
 */
async function measured(
  keys: number,
  steps: readonly ScriptedStep[],
  turns: readonly ("whole" | "begin")[] = [],
): Promise<object> {
  const terminal = new NotedTerminal();
  const model = new StreamingModel(steps, { contextLength: 1_000_000 });
  const thread = Thread.create();
  const chat = chatInTerminal({
    terminal,
    open: async () => ({
      model,
      tools: [],
      thread,
      options: {},
      footnotes: () => null,
      makeAgent: (options) => new Agent(options),
      turnsOf: conversationOf,
      changeModel: async () => ({ model }),
      save: async () => {},
      attach: async () => ({ names: [], addTo: (question) => question }),
      close: async () => {},
    }),
    history: null,
    isColored: true,
    signal: new AbortController().signal,
  });
  try {
    await pause(300);
    for (const wanted of turns) {
      terminal.input("q");
      terminal.input("\r");
      const turn = thread.state.turns;
      while (thread.state.turns === turn) await pause(5);
      while (wanted === "whole" && thread.state.turn !== null) await pause(20);
    }
    await pause(300);
    const times: number[] = [];
    for (let key = 0; key < keys; key++) {
      const shown = Promise.withResolvers<void>();
      terminal.onWrite = (data) => {
        // The line of the editor, with one more letter than before.
        if (data.includes(` ${"x".repeat((key % 40) + 1)}`)) shown.resolve();
      };
      const at = performance.now();
      terminal.input("x");
      await shown.promise;
      times.push(performance.now() - at);
      if (key % 40 === 39) terminal.input("\x15");
      // Off the beat of the frames.
      await pause(3 + (key % 17));
    }
    const isStreaming = thread.state.turn !== null;
    times.sort((a, b) => a - b);
    const at = (share: number): number =>
      rounded(times[Math.floor((times.length - 1) * share)] ?? 0);
    return { median_ms: at(0.5), p95_ms: at(0.95), worst_ms: at(1), still_streaming: isStreaming };
  } finally {
    terminal.input("\x15");
    terminal.input("\x03");
    terminal.input("\x04");
    await chat;
  }
}
