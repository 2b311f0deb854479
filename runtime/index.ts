/**
 * Chorale as a library: open a model, give it tools, run a prompt to its answer.
 *
 * @example
 * const model = await loadModel();
 * const python = createPythonTool();
 * const { output } = await runAgent({ ...model, prompt: "What is 12 ** 34?", tools: [python] });
 */

export type { Message, ReasoningEffort, Tokenizer } from "../harmony/index.ts";
export { loadO200kHarmony } from "../harmony/vocabulary/index.ts";
export {
  type Sampling,
  ScriptedEngine,
  type ScriptedReply,
  type TokenEngine,
} from "../inference/index.ts";
export {
  createBrowserTools,
  createPythonTool,
  defineTool,
  type Grant,
  type IsolatedToolDefinition,
  loadPlugin,
  loadToolModule,
  openPythonPackages,
  type Plugin,
  type PluginOptions,
  type PythonPackages,
  type PythonPackagesOptions,
  PythonWarmPool,
  type PythonWarmPoolOptions,
  parseGrants,
  type Tool,
  type ToolContext,
  type ToolDefinition,
  type ToolOutput,
} from "../tools/index.ts";
export { runAgent } from "./agent.ts";
export {
  ContextFullError,
  HarmonyUnusableError,
  InterruptedError,
  InvalidOutputError,
  ModelError,
  PromptTooLongError,
  RunError,
  TokenLimitError,
  TurnLimitError,
  UsageError,
} from "./errors.ts";
export type {
  EventListener,
  Item,
  RunEvent,
  RunStatus,
  Timing,
  Usage,
} from "./events.ts";
export { EXIT, type ExitCode } from "./exit-codes.ts";
export { homePath } from "./home.ts";
export { type LoadedModel, type LoadModelOptions, loadModel } from "./model.ts";
export type { RunOptions, RunResult } from "./run-options.ts";
