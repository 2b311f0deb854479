/** Opens what a chat works with. Loaded behind the first prompt, since it brings the library with it. */
import { inspectModel } from "../../../inference/index.ts";
import { type BrowserTools, folderNotes } from "../../../tools/index.ts";
import { type ModelConfiguration, openEnvironment, openModelOf } from "../../environment.ts";
import { Agent, type LanguageModel, Thread } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { samplingOf } from "../flags.ts";
import { mcpServersFor } from "../mcp/sources.ts";
import { packageVersion } from "../package-version.ts";
import { missingNote, pluginConfigurations } from "../plugins.ts";
import { memoryNote, watchLoading } from "../watch-loading.ts";
import type { ChatArguments } from "./chat-arguments.ts";
import type { OpenedChat, Teller } from "./chat-session.ts";

/** @throws UsageError, ToolsError, ModelError, InferenceError; what was opened is closed again */
export async function openChat(
  given: ChatArguments,
  { env }: CommandContext,
  { progress, note }: Teller,
): Promise<OpenedChat> {
  const { model: path, context: contextLength, threads, memory, precision, prefixStore } = given;
  let configuration: ModelConfiguration = {
    path,
    contextLength,
    threads,
    memoryLimit: memory,
    precision,
    prefixCacheBytes: prefixStore === undefined ? undefined : prefixStore * 2 ** 30,
    onMemory: (needs) => {
      const sentence = memoryNote(needs);
      if (sentence !== null) note(sentence);
    },
    onProgress: watchLoading({ note, progress }),
  };
  progress("opening the tools and the model");
  const environment = await openEnvironment({
    env,
    model: configuration,
    python: { files: given.file, artifacts: given.artifacts, packages: given.packages },
    toolModules: given.tool,
    plugins: await pluginConfigurations(given),
    mcpServers: mcpServersFor(given, env, note),
    mcp: { version: packageVersion() },
    documents: given.docs,
    keepThreads: !given.ephemeral,
    onNote: note,
    onPluginLog: note,
  });
  const { home, tools, python, browser, briefing } = environment;
  let model: LanguageModel = environment.model;
  for (const plugin of environment.plugins) {
    const missing = missingNote(plugin);
    if (missing !== null) note(missing);
  }
  if (browser?.summary !== undefined) for (const line of folderNotes(browser.summary)) note(line);
  if (path === undefined) note(embeddedModelNote(model));
  // Starts while the person types; most conversations need it.
  void python?.warmUp();
  return {
    model,
    tools,
    store: environment.threads,
    options: {
      instructions: [given.instructions, briefing].filter((text) => text).join("\n\n") || undefined,
      system: given.system === undefined ? undefined : { identity: given.system },
      effort: given.effort,
      sampling: samplingOf(given),
      maxSteps: given.maxSteps,
      maxTokens: given.maxTokens,
      maxReasoningTokens: given.maxReasoningTokens,
      maxRetries: given.maxRetries,
      constrainHeaders: given.freeHeaders ? false : undefined,
    },
    normaliseCitations: citationsOf(browser),
    library: { Agent, Thread },
    changeModel: async (path) => {
      // What is wrong with the name is said before anything is closed.
      inspectModel(path);
      const next = { ...configuration, path };
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
    close: async () => {
      await model.close();
      await environment.close();
    },
  };
}

function citationsOf(browser: BrowserTools | undefined): ((text: string) => string) | null {
  return browser === undefined ? null : (text) => browser.normaliseCitations(text).text;
}

/** The demo model's answers should not pass for those of a large model. */
function embeddedModelNote({ contextLength }: LanguageModel): string {
  return (
    `No --model given, so the small embedded demo model answers (${contextLength} tokens of context; ` +
    "arithmetic, text, dates, declared functions, extraction)."
  );
}
