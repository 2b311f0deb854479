/**
 * Inference: token ids in, token ids out.
 *
 * An **engine** is a loaded model. A **session** is one timeline of tokens over it: `sync` makes the
 * timeline equal to a list of ids, computing only what differs from what it already holds;
 * `generate` samples further ids onto its end. A **rewind** forgets everything after a length, so
 * that another continuation can be tried without computing the beginning again. Nothing in this
 * folder knows what the ids mean: which of them stop a generation is the caller's to say.
 */

export { checkTensors, type TensorCheck, type TensorProblem } from "./check-tensors.ts";
export type { GenerationDefaults } from "./checkpoint/generation-config.ts";
export type { ManifestFile, ManifestSource, ModelManifest } from "./checkpoint/manifest.ts";
export type { ListedVocabulary } from "./checkpoint/vocabulary.ts";
export {
  type CompiledGrammar,
  type CompileOptions,
  GrammarCompiler,
  type GrammarLimits,
} from "./constrain/compiler.ts";
export {
  type Grammar,
  GrammarBuilder,
  type GrammarSymbol,
  type Regex,
} from "./constrain/grammar.ts";
export {
  type JsonSchemaGrammar,
  type JsonSchemaGrammarOptions,
  jsonSchemaGrammar,
} from "./constrain/json-schema/json-schema-grammar.ts";
export type { KeywordNote } from "./constrain/json-schema/notes.ts";
export type { SchemaDraft } from "./constrain/json-schema/schema-index.ts";
export {
  type ForcingMatcher,
  generateWithJumps,
  type JumpForwardOptions,
} from "./constrain/jump-forward.ts";
export type { GrammarMatcher, MatcherOptions } from "./constrain/matcher.ts";
export { choiceGrammar, regexGrammar } from "./constrain/pattern.ts";
export { ebnfGrammar } from "./constrain/text-grammar/ebnf.ts";
export { larkGrammar } from "./constrain/text-grammar/lark.ts";
export type { Vocabulary } from "./constrain/token-trie.ts";
export type { XsdSource } from "./constrain/xsd/schema-documents.ts";
export {
  type XsdGrammar,
  type XsdGrammarOptions,
  xsdGrammar,
} from "./constrain/xsd/xsd-grammar.ts";
export {
  ConvertError,
  type Converted,
  type ConvertOptions,
  convertModel,
} from "./convert/convert-model.ts";
export { describeModel, type ModelDescription, type TensorGroup } from "./describe-model.ts";
export type {
  EngineCapabilities,
  EngineStatistics,
  FinishReason,
  GenerateOptions,
  KernelRate,
  KernelTime,
  LogprobOptions,
  Roofline,
  RooflineOptions,
  RooflineSide,
  Sampling,
  Session,
  SessionStatistics,
  SyncOptions,
  SyncResult,
  TokenEngine,
  TokenLogprob,
  TokenLogprobs,
  TokenMatcher,
} from "./engine.ts";
export {
  BrokenNumbersError,
  CheckpointError,
  ContextOverflowError,
  EngineFailedError,
  GrammarError,
  GrammarLimitError,
  InferenceError,
  InsufficientMemoryError,
  InvalidRequestError,
  JsonSchemaConstraintError,
  ModelNotFoundError,
  ModelStoreError,
  type ModelStoreErrorCode,
  RemoteEngineError,
  type RemoteEngineErrorCode,
  ScriptExhaustedError,
  UnsupportedArchitectureError,
} from "./errors.ts";
export { measureBandwidth } from "./local/bandwidth.ts";
export type { LoadProgress } from "./local/load-weights.ts";
export type { EngineEstimate, MemoryNeeds, OpenModelOptions } from "./local/local-engine.ts";
export { availableMemory } from "./local/memory.ts";
export { measurePageCost, type PageCost } from "./local/page-cost.ts";
export type { PrefixCacheOptions } from "./local/prefix-cache.ts";
export type { Precision } from "./model/matrix.ts";
export type { ExpertKind, ResidentPart } from "./model/plan.ts";
export {
  demoModelName,
  demoModelPath,
  inspectModel,
  type ModelFacts,
  type OpenedModel,
  openModel,
} from "./open-model.ts";
export type { GrammarNotation } from "./remote/grammars/notation.ts";
export {
  type EngineAnswer,
  EngineClient,
  type EngineClientOptions,
  type EngineRequest,
  PassingFailure,
} from "./remote/http.ts";
export { eventData, lines } from "./remote/lines.ts";
export type { PromptLogprobsOptions } from "./remote/prompt-logprobs.ts";
export {
  openRemoteEngine,
  type RemoteEngine,
  type RemoteEngineOptions,
  type RemoteServer,
} from "./remote/remote-engine.ts";
export type { RemoteCapabilities } from "./remote/replica.ts";
export { Retries, type RetryOptions } from "./remote/retries.ts";
export { hasId, type TokenBitmask, tokenBitmask } from "./sampling/token-bitmask.ts";
export {
  ScriptedEngine,
  type ScriptedEngineOptions,
  type ScriptedReply,
  type ScriptedRequest,
} from "./scripted/scripted-engine.ts";
export type { ModelKeeper } from "./store/found-models.ts";
export type { HttpGet, HttpRequest, HttpResponse } from "./store/http.ts";
export type { Lock } from "./store/lock.ts";
export {
  type BrokenModel,
  ModelStore,
  type PendingModel,
  type RemovedModel,
  type StoredModel,
} from "./store/model-store.ts";
export { type ModelName, modelNameText, parseModelName } from "./store/names.ts";
export type { PullProgress } from "./store/progress.ts";
export { type Pulled, type PullOptions, pullModel, registryEndpoint } from "./store/pull.ts";
export {
  findStoredModel,
  type LocalModel,
  listLocalModels,
  type ModelPlaces,
  type ResolvedModel,
  resolveModelName,
} from "./store/resolve.ts";
export {
  type FileCheck,
  type VerifyOptions,
  verifyFiles,
  verifyFoundFiles,
} from "./store/verify.ts";
export type { SpecialToken, TokenGrammar, TokenRule, TokenSymbol } from "./token-grammar.ts";
export { type KernelBuild, kernelBuild } from "./wasm/kernels.ts";
