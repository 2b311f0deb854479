/**
 * Harmony, the format gpt-oss speaks: messages into token ids and back. Pure: no I/O, no clock; the
 * vocabulary comes from `harmony/vocabulary/index.ts` or from a model's own `tokenizer.json`.
 */

export { conversationFromJson, messageFromJson, roleFromJson } from "./conversation-json.ts";
export {
  type BrandedClass,
  ConversationError,
  HarmonyError,
  HarmonyParseError,
  InvalidUtf8Error,
  RenderError,
  UnknownTokenError,
  VocabularyError,
} from "./errors.ts";
export {
  CHANNELS,
  CONTENT_TYPES,
  type HeaderMark,
  isChannel,
  isContentType,
  type MarkValue,
  markValue,
  RECIPIENT_PREFIX,
  ROLES,
  recipientOf,
} from "./header-grammar.ts";
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
export { finalContentOf } from "./parse/final-content.ts";
export { HeaderMatcher } from "./parse/header-matcher.ts";
export type {
  Issue,
  IssueCode,
  MessageHeader,
  ParsedMessage,
  ParserEvent,
  Terminator,
} from "./parse/issues.ts";
export { HarmonyParser, type ParserOptions } from "./parse/parser.ts";
export { readHeader } from "./parse/read-header.ts";
export { browserNamespace, pythonNamespace } from "./render/builtin-tools.ts";
export { referenceSchemaToType } from "./render/reference-type.ts";
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
} from "./render/render.ts";
export { schemaToType } from "./render/tool-signature.ts";
export { type ByteLevelLists, hfJsonOf, listsOf } from "./tokenizer/byte-level-lists.ts";
export {
  type ByteVocabulary,
  type PackedTokens,
  packTokens,
  unpackTokens,
} from "./tokenizer/byte-vocabulary.ts";
export {
  listsFromHfJson,
  tokenizerFromHfJson,
  tokenizerFromLists,
} from "./tokenizer/hf-tokenizer.ts";
export {
  o200kHarmonySpecialTokens,
  SPECIAL_TEXT,
  type SpecialIds,
  type SpecialName,
} from "./tokenizer/special-tokens.ts";
export { parseTiktokenRanks } from "./tokenizer/tiktoken.ts";
export {
  createTokenizer,
  type PieceEnd,
  Tokenizer,
  type TokenizerOptions,
  type TokenText,
} from "./tokenizer/tokenizer.ts";
