/** Opens what a chat works with. Loaded behind the first prompt, since it brings the library with it. */
import { extname, resolve } from "node:path";
import { inspectModel } from "../../../inference/index.ts";
import { openModelOf } from "../../environment.ts";
import { UsageError } from "../../errors.ts";
import {
  Agent,
  conversationOf,
  exportJsonLines,
  exportMarkdown,
  FootnoteWriter,
  type LanguageModel,
  resolveModelName,
  sourcesOf,
  Thread,
} from "../../index.ts";
import { readAttachments, withAttachments } from "../attachments.ts";
import type { CommandContext } from "../command-context.ts";
import { modelConfiguration } from "../model-configuration.ts";
import { modelOffer, offerFacts } from "../models/offer.ts";
import { openRunEnvironment, turnOptionsOf } from "../open-run.ts";
import { resumedThread } from "../resumed-thread.ts";
import { checkWritable, writeWhole } from "../write-file.ts";
import type { ChatArguments } from "./chat-arguments.ts";
import type { OpenedChat, Teller } from "./chat-session.ts";

/** @throws UsageError, ToolsError, ModelError, InferenceError; what was opened is closed again */
export async function openChat(
  args: ChatArguments,
  context: CommandContext,
  { progress, note }: Teller,
): Promise<OpenedChat> {
  progress("opening the tools and the model");
  const resumed = await resumedThread(args, context);
  const environment = await openRunEnvironment(args, context, {
    keepThreads: !args.ephemeral,
    onPluginLog: note,
    onNote: note,
    onLoading: progress,
  });
  const { home, tools, python, briefing, threads: store } = environment;
  if (args.model.model === undefined && args.model.engine.length === 0) {
    const offer = modelOffer(offerFacts(context.env));
    if (offer !== null) note(offer);
  }
  let configuration = modelConfiguration(args.model, { note, progress });
  let model: LanguageModel = environment.model;
  try {
    const thread =
      resumed === undefined
        ? Thread.create({ store, folder: resolve(".") })
        : await Thread.open(store, resumed);
    // Starts while the person types; most conversations need it.
    void python?.warmUp();
    return {
      model,
      tools,
      thread,
      options: { ...turnOptionsOf(args, briefing), policy: environment.policy },
      footnotes: (current) => new FootnoteWriter(() => sourcesOf(current().state)),
      makeAgent: (options) => new Agent(options),
      turnsOf: conversationOf,
      changeModel: async (path) => {
        // What is wrong with the name is said before anything is closed.
        inspectModel(resolveModelName(path)?.path);
        const next = { ...configuration, engines: [], path };
        // Two large models at once would not fit into most machines.
        await model.close();
        try {
          model = await openModelOf(next, home, note);
          configuration = next;
          return { model };
        } catch (error) {
          model = await openModelOf(configuration, home, note);
          return { model, error };
        }
      },
      save: (thread, path) => saveThread(thread, path),
      attach: async (paths) => {
        const attachments = await readAttachments(paths, note);
        return {
          names: attachments.map(({ name }) => name),
          addTo: (question) => withAttachments(question, attachments),
        };
      },
      close: async () => {
        await model.close();
        await environment.close();
      },
    };
  } catch (error) {
    await environment.close();
    throw error;
  }
}

/** By the ending of the file: the log itself, else Markdown. @throws UsageError, RunError */
async function saveThread(thread: Thread, path: string): Promise<void> {
  const ending = extname(path).toLowerCase();
  if (![".md", ".markdown", ".jsonl", ".ndjson"].includes(ending)) {
    throw new UsageError(
      `${path} has the ending ${JSON.stringify(ending)}; accepted: .md for Markdown, .jsonl for the log. ` +
        "chorale sessions export writes more forms.",
    );
  }
  await checkWritable(path, "/save");
  const entries = await thread.entries();
  const text = /^\.md$|^\.markdown$/.test(ending)
    ? exportMarkdown(entries)
    : exportJsonLines(entries);
  await writeWhole(path, text, "/save");
}
