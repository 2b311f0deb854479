/**
 * The chat as the command starts it, with a model that says what a script tells it: `chat-program.ts SCRIPT`. A
 * pause in the script lasts until the file of the gate exists, so that a test can look at the screen meanwhile.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OpenedChat } from "../../../runtime/cli/chat/chat-session.ts";
import { chatInTerminal } from "../../../runtime/cli/chat/chat-terminal.ts";
import { ChatHistory } from "../../../runtime/cli/chat/history.ts";
import { Agent, conversationOf, SqliteThreadStore, Thread } from "../../../runtime/index.ts";
import { scripts } from "./chat-scripts.ts";

const [name = "", folder = "", resume] = process.argv.slice(2);

/** A pause of the script: until the test opens it, or the run is stopped. */
const gate = async (number: number, signal: AbortSignal): Promise<void> => {
  writeFileSync(join(folder, `waits-${number}`), "");
  while (!existsSync(join(folder, `gate-${number}`))) {
    signal.throwIfAborted();
    await new Promise((done) => setTimeout(done, 10));
  }
};

const store = new SqliteThreadStore(join(folder, "threads.sqlite"));
const { model, tools } = scripts(name, gate);
const [last] = resume === undefined ? [] : await store.list({ limit: 1 });
const thread =
  last === undefined ? Thread.create({ store }) : await Thread.open(store, last.threadId);
await chatInTerminal({
  open: async (): Promise<OpenedChat> => ({
    model,
    tools,
    thread,
    options: { effort: "low", date: "2026-01-31" },
    footnotes: () => null,
    makeAgent: (options) => new Agent(options),
    turnsOf: conversationOf,
    changeModel: async () => ({ model }),
    save: async () => {},
    attach: async () => ({ names: [], addTo: (question) => question }),
    close: () => store.close(),
  }),
  history: async () => new ChatHistory(folder),
  isColored: process.env["NO_COLOR"] === undefined,
  signal: new AbortController().signal,
  onLeft: () => void setTimeout(() => process.exit(0), 500).unref(),
});
