/** What the flags of a run stand for: the environment that is opened for it, and the agent. */
import { folderNotes, type Tool } from "../../tools/index.ts";
import { type Environment, type EnvironmentOptions, openEnvironment } from "../environment.ts";
import { Agent, type LanguageModel, type OutputOptions, type TurnOptions } from "../index.ts";
import { packageVersion } from "../version.ts";
import type { CommandContext } from "./command-context.ts";
import { type AgentArguments, type ModelArguments, type OutputFlag, samplingOf } from "./flags.ts";
import { mcpServersFor } from "./mcp/sources.ts";
import { modelConfiguration } from "./model-configuration.ts";
import { missingNote, pluginConfigurations } from "./plugins.ts";
import { webConfiguration, webNote } from "./web-configuration.ts";

export type RunSettings = {
  readonly agent: Omit<AgentArguments, OutputFlag>;
  readonly model: ModelArguments;
};

/**
 * Opens the model and its tools, and tells what is to be known of them.
 * @param changes what a command has otherwise
 * @throws ToolsError, UsageError, ModelError, InferenceError, ThreadStoreError
 */
export async function openRunEnvironment(
  { agent, model: given }: RunSettings,
  { output, env, signal }: CommandContext,
  changes: EnvironmentOptions & {
    /** Gets how far the loading of the model has come. */
    readonly onLoading?: (text: string) => void;
  } = {},
): Promise<Environment> {
  const { onLoading, ...others } = changes;
  const note = changes.onNote ?? ((sentence: string): void => output.note(sentence));
  const loading =
    onLoading ?? (output.isLive ? (text: string): void => output.progress(text) : null);
  const web = webConfiguration(agent);
  const languageModel = changes.languageModel ?? (await sharedModel(given, env, signal, note));
  const environment = await openEnvironment({
    env,
    python: { files: agent.file, artifacts: agent.artifacts, packages: agent.packages },
    toolModules: agent.tool,
    plugins: await pluginConfigurations(agent),
    mcpServers: mcpServersFor(agent, env, note),
    mcp: { version: packageVersion() },
    documents: agent.docs,
    web,
    policy: { file: agent.policy },
    onPluginLog: (text) => output.watchLines("log", text, "result"),
    ...others,
    languageModel: languageModel ?? undefined,
    onNote: note,
    onProgress: loading ?? undefined,
    model: {
      ...modelConfiguration(given, { note, progress: loading }),
      ...changes.model,
    },
  });
  for (const plugin of environment.plugins) {
    const missing = missingNote(plugin);
    if (missing !== null) note(missing);
  }
  const { browser } = environment;
  if (browser?.summary !== undefined) for (const line of folderNotes(browser.summary)) note(line);
  if (web !== undefined) note(webNote(web));
  if (given.model === undefined && given.engine.length === 0)
    note(embeddedModelNote(environment.model));
  return environment;
}

/**
 * The model in a server of this user that has it in memory. Flags that say how it is to be loaded or computed are
 * for this process.
 */
async function sharedModel(
  given: ModelArguments,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onNote: (sentence: string) => void,
): Promise<LanguageModel | null> {
  const { threads, precision, experts, context, memory, prefixStore } = given;
  if (given.engine.length > 0) return null;
  const ownWay = [threads, precision, experts, context, memory, prefixStore];
  if (given.noServer || ownWay.some((value) => value !== undefined)) return null;
  // A command without a server pays for one look into a folder.
  const { findSharedModel } = await import("../server/shared/find-shared-model.ts");
  return findSharedModel({ model: given.model, env, signal, onNote });
}

/** @param briefing where the user's files are; see `Environment` */
export function agentOf(
  settings: RunSettings,
  {
    model,
    tools,
    policy,
    briefing,
  }: Pick<Environment, "model" | "policy" | "briefing"> & {
    tools: readonly Tool[];
  },
  output: OutputOptions | undefined,
): Agent {
  return new Agent({ ...turnOptionsOf(settings, briefing), model, tools, policy, output });
}

/** What the flags say about each turn. */
export function turnOptionsOf(
  { agent: given, model }: RunSettings,
  briefing: string | undefined,
): TurnOptions {
  return {
    instructions:
      briefing === undefined ? given.instructions : joined(given.instructions, briefing),
    system: given.system === undefined ? undefined : { identity: given.system },
    effort: given.effort,
    sampling: samplingOf(model),
    maxSteps: given.maxSteps,
    maxTokens: given.maxTokens,
    maxReasoningTokens: given.maxReasoningTokens,
    maxSeconds: given.maxSeconds,
    maxToolCalls: given.maxToolCalls,
    maxOutputBytes: given.maxOutputBytes,
    toolTokenBudget: given.toolTokenBudget,
    compaction: given.noCompaction ? false : undefined,
    maxRetries: given.maxRetries,
    verifyCitations: given.verifyCitations,
    constrainHeaders: given.freeHeaders ? false : undefined,
    constrainContent: given.freeContent ? false : undefined,
    onLimit: given.onLimit,
  };
}

const joined = (instructions: string | undefined, briefing: string): string =>
  instructions === undefined ? briefing : `${instructions}\n\n${briefing}`;

/** The demo model's answers should not pass for those of a large model. */
function embeddedModelNote({ contextLength }: Pick<LanguageModel, "contextLength">): string {
  return (
    `no --model given, so the small embedded demo model answers (${contextLength} tokens of ` +
    "context; arithmetic, text, dates, declared functions, extraction)."
  );
}
