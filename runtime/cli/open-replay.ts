/** What a replay works with: the model, and the tools that are compared with the recorded ones. */

import type { Tool } from "../../tools/index.ts";
import { openTools } from "../environment.ts";
import { type HarmonyModel, loadModel, loadRemoteModel } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import type { AgentArguments, ToolArguments, WebArguments } from "./flags.ts";
import { modelConfiguration } from "./model-configuration.ts";
import type { RunSettings } from "./open-run.ts";
import { pluginConfigurations } from "./plugins.ts";
import { webConfiguration } from "./web-configuration.ts";

export type ReplayArguments = RunSettings & {
  readonly agent: AgentArguments;
  readonly thread: string | undefined;
  readonly until: number | undefined;
  /** `CALL`, `CALL=TEXT` or `CALL=@FILE`. */
  readonly edit: readonly string[];
  readonly live: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
};

export type ReplayTools = AsyncDisposable & { readonly list: readonly Tool[] };

/** @throws ToolsError for what cannot be loaded */
export async function openReplayTools(
  args: ToolArguments & WebArguments & Pick<AgentArguments, "docs">,
  { env, output }: CommandContext,
): Promise<ReplayTools> {
  const opened = await openTools({
    env,
    toolModules: args.tool,
    plugins: await pluginConfigurations(args),
    documents: args.docs,
    web: webConfiguration(args),
    onPluginLog: (text) => output.watchLines("log", text, "result"),
  });
  return { list: opened.tools, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** The model of a replay; the store of prefixes is left alone. @throws as `loadModel` and `loadRemoteModel` */
export async function openReplayModel(
  { model }: RunSettings,
  { output, env, signal }: CommandContext,
): Promise<HarmonyModel> {
  const onNote = (sentence: string): void => output.note(sentence);
  const {
    path,
    engines = [],
    engineKeyFile: keyFile,
    prefixCacheBytes: _bytes,
    ...options
  } = modelConfiguration(model, {
    note: onNote,
    progress: output.isLive ? (text) => output.progress(text) : null,
  });
  if (engines.length === 0) return loadModel(path, options);
  const { contextLength } = options;
  return loadRemoteModel(engines, {
    vocabularyOf: path,
    keyFile,
    contextLength,
    env,
    signal,
    onNote,
  });
}
