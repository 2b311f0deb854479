/**
 * Harmony, the format gpt-oss speaks: messages into token ids and back. Pure: no I/O, no clock; the
 * vocabulary comes from `harmony/vocabulary/index.ts` or from a model's own `tokenizer.json`.
 */
export { browserNamespace, pythonNamespace } from "./builtin-tools.ts";
export { type PackedTokens, packTokens, unpackTokens } from "./byte-vocabulary.ts";
export { conversationFromJson, messageFromJson, roleFromJson } from "./conversation-json.ts";
export {
  ConversationError,
  HarmonyError,
  HarmonyParseError,
  InvalidUtf8Error,
  RenderError,
  UnknownTokenError,
  VocabularyError,
} from "./errors.ts";
export { HeaderWatch } from "./header-watch.ts";
export { type ByteLevelLists, tokenizerFromHfJson, tokenizerFromLists } from "./hf-tokenizer.ts";
export type {
  Issue,
  IssueCode,
  MessageHeader,
  ParsedMessage,
  ParserEvent,
  Terminator,
} from "./issues.ts";
export type {
  Content,
  DeveloperContent,
  JsonSchema,
  Message,
  ReasoningEffort,
  ResponseFormat,
  Role,
  SystemContent,
  TextContent,
  ToolNamespace,
  ToolSignature,
} from "./message.ts";
export { normaliseSchema } from "./normalise-schema.ts";
export { HarmonyParser, type ParserOptions } from "./parser.ts";
export {
  conversationSegments,
  type DropPolicy,
  defaultSystemContent,
  encodeSegments,
  type HeaderStyle,
  keptMessages,
  MODEL_HEADER_STYLE,
  messageSegments,
  REFERENCE_HEADER_STYLE,
  REFERENCE_RENDERING,
  type RenderOptions,
  renderConversation,
  renderForCompletion,
  renderForTraining,
  renderMessage,
  type Segment,
  segmentsToText,
  trainingSegments,
} from "./render.ts";
export { o200kHarmonySpecialTokens, SPECIAL_TEXT, type SpecialIds } from "./special-tokens.ts";
export { parseTiktokenRanks } from "./tiktoken.ts";
export { createTokenizer, Tokenizer, type TokenizerOptions } from "./tokenizer.ts";
export { schemaToType } from "./tool-signature.ts";
