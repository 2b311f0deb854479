/**
 * Chorale as a library: open a model, give it tools, run a prompt to its answer.
 *
 * @example
 * await using model = await loadModel();
 * await using python = createPythonTool();
 * const { output } = await runAgent({ model, prompt: "What is 12 ** 34?", tools: [python] });
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
  type ToolModuleOptions,
  type ToolOutput,
} from "../tools/index.ts";
export {
  Agent,
  type AgentOptions,
  type RunAgentOptions,
  type RunOverrides,
  runAgent,
} from "./agent/agent.ts";
export type { AgentRun } from "./agent/agent-run.ts";
export type { Compacted } from "./agent/compact.ts";
export {
  type DecideOptions,
  type Decision,
  type DecisionAnswers,
  type DecisionQuestion,
  decide,
  decideAll,
} from "./agent/decide.ts";
export { describeOutput, type OutputDescription, type OutputOptions } from "./agent/output.ts";
export { type PromptCost, type PromptPart, promptCost } from "./agent/prompt-cost.ts";
export { type ReplayOptions, replayThread } from "./agent/replay/replay.ts";
export type { ReplayCondition, ReplayDifference, ReplayReport } from "./agent/replay/report.ts";
export type { RunResult } from "./agent/run-result.ts";
export { type Step, step } from "./agent/step.ts";
export type { TextOutput } from "./agent/text-output.ts";
export type { ApprovalDecision, ApprovalRequest, ApprovalRule } from "./calls/approval.ts";
export { type DeclaredTool, DeclaredTools, type DeferredTools } from "./calls/declared-tools.ts";
export {
  CitationScanner,
  type CitedKind,
  type CitedPage,
  type CitedPlace,
  type CitedSources,
  citedSources,
  FootnoteWriter,
  findCitations,
  resolveCitations,
  type ScannedPiece,
  type VerifiedCitations,
  verifyCitations,
  type WrittenCitation,
  withFootnotes,
} from "./citations/index.ts";
export type {
  BudgetName,
  BudgetState,
  CallExecution,
  MessageKind,
  ModelMessage,
  Notice,
  OutputFormat,
  ResolvedCall,
  StepFinish,
  StepOutcome,
  StepTiming,
  StepUsage,
  SystemSettings,
  TextFormat,
  ToolChoice,
  ToolPin,
  TranscriptMessage,
  TurnSettings,
  UnderstoodMessage,
} from "./context.ts";
export {
  type Environment,
  type EnvironmentOptions,
  type ModelConfiguration,
  openEnvironment,
  type PluginConfiguration,
  type PolicyConfiguration,
  type PythonConfiguration,
  type WebConfiguration,
} from "./environment.ts";
export {
  type InterruptedBy,
  InterruptedError,
  InvalidOutputError,
  ModelError,
  RunError,
  type RunErrorCode,
  type RunErrorDetails,
  UsageError,
} from "./errors.ts";
export type {
  AgentMessageItem,
  Annotation,
  BrokenCitation,
  CitationSupport,
  CodeExecutionItem,
  DeniedCall,
  ErrorItem,
  EventListener,
  ExpertUsage,
  Item,
  ItemStatus,
  PendingCall,
  ReasoningItem,
  RunEvent,
  RunStatus,
  Timing,
  ToolCallItem,
  UrlCitation,
  Usage,
  WithCut,
  WithEnding,
  WithIssues,
} from "./events.ts";
export type { Home } from "./home.ts";
export { homePath } from "./home.ts";
export type { McpConfiguration, McpServersOption } from "./mcp-servers.ts";
export { type ChatApiModelOptions, openChatApiModel } from "./model/chat-api/chat-api-model.ts";
export type { ChatProtocolName } from "./model/chat-api/protocol.ts";
export type { Completion, CompletionRequest, SampledToken } from "./model/complete.ts";
export { type ConvertModelOptions, convertModel } from "./model/convert-model.ts";
export { HarmonyModel, type HarmonyModelOptions } from "./model/harmony-model.ts";
export type {
  LanguageModel,
  ModelEvent,
  ModelRequest,
  ModelStep,
  SampledCount,
  ScoredAnswers,
  ScoreRequest,
} from "./model/language-model.ts";
export {
  checkPromptLength,
  type LoadModelOptions,
  loadModel,
  loadTokenizer,
} from "./model/load-model.ts";
export {
  listModels,
  modelStore,
  type PullModelOptions,
  pullModel,
  resolveModelName,
} from "./model/model-names.ts";
export {
  loadRemoteModel,
  type RemoteModel,
  type RemoteModelOptions,
} from "./model/remote-model.ts";
export {
  type ScriptedMessage,
  ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedStep,
} from "./model/scripted-model.ts";
export type { InputMessage, RunInput, TurnOptions } from "./options.ts";
export type { PolicyDocument } from "./policy/check-rules.ts";
export type { PolicyOrigin } from "./policy/effects.ts";
export { PolicyError, PolicyStoreError } from "./policy/errors.ts";
export { FilePolicyStore } from "./policy/file-store.ts";
export type { PolicyPlaces } from "./policy/open-policy.ts";
export type {
  AnswerSubject,
  Policy,
  PolicyAction,
  PolicyCall,
  PolicyDecision,
  RememberedAnswer,
  Taint,
} from "./policy/policy.ts";
export { parsePolicy, readPolicyFile } from "./policy/policy-file.ts";
export { createPolicy, type PolicyOptions } from "./policy/rule-policy.ts";
export {
  type ArgumentPattern,
  DEFAULT_RULES,
  type Otherwise,
  type PolicyRule,
} from "./policy/rules.ts";
export {
  MemoryPolicyStore,
  type PolicyStore,
  type ToolSnapshot,
  type TrustedTool,
} from "./policy/store.ts";
export type { ResearchNote } from "./research/notes.ts";
export { type ResearchOptions, type ResearchRun, research } from "./research/research.ts";
export type { ResearchProgress } from "./research/research-model.ts";
export { annotationsOf, sourcesOf } from "./thread/annotate.ts";
export { type ConversationTurn, conversationOf } from "./thread/conversation.ts";
export { callNamed, type ForkPoint, forkAtStep } from "./thread/edited-fork.ts";
export {
  type Approval,
  type Budget,
  type CallResult,
  type CallStarted,
  type CallStatus,
  type Compaction,
  type CutBack,
  type Denial,
  type Ended,
  type ErrorFacts,
  type LogEntry,
  type LogRecord,
  type Problem,
  type Sampled,
  type Steered,
  THREAD_LOG_VERSION,
  type ThreadStarted,
  type Titled,
  type TurnStatus,
  type UserInput,
} from "./thread/entry.ts";
export {
  AmbiguousThreadError,
  ThreadConflictError,
  ThreadExportError,
  ThreadFencedError,
  ThreadImportError,
  ThreadLogError,
  ThreadNotFoundError,
  ThreadStoreError,
} from "./thread/errors.ts";
export { findThread, lastThread, shortIds } from "./thread/find.ts";
export { fold } from "./thread/fold.ts";
export {
  exportHarmony,
  type HarmonyExport,
  type HarmonyExportOptions,
  type HarmonyImport,
  messagesOfHarmony,
} from "./thread/harmony-text.ts";
export {
  entriesOfJsonLines,
  exportJsonLines,
  type Imported,
  type ImportOptions,
  importLog,
  logOfMessages,
} from "./thread/import.ts";
export { exportMarkdown, messagesOfMarkdown } from "./thread/markdown.ts";
export {
  type FencedThreadStore,
  type PostgresStoreOptions,
  PostgresThreadStore,
} from "./thread/postgres-store.ts";
export type { ThreadMatch } from "./thread/search.ts";
export { type SqliteStoreOptions, SqliteThreadStore } from "./thread/sqlite-store.ts";
export {
  type MadeCall,
  type OpenCall,
  type Question,
  type ThreadState,
  type ToldBudget,
  type ToolState,
  type TurnStart,
  type TurnState,
  type TurnUse,
  toolStatesOf,
} from "./thread/state.ts";
export { MemoryThreadStore, type ThreadQuery, type ThreadStore } from "./thread/store.ts";
export type { ThreadSummary } from "./thread/summary.ts";
export {
  type ClientResult,
  type ForkOptions,
  Thread,
  type ThreadOptions,
} from "./thread/thread.ts";
