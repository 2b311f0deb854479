/**
 * Harmony, the format gpt-oss speaks: messages into token ids and back. Pure: no I/O, no clock; the
 * vocabulary comes from `harmony/vocabulary/index.ts` or from a model's own `tokenizer.json`.
 */
export { type PackedTokens, packTokens, unpackTokens } from "./byte-vocabulary.ts";
export {
  ConversationError,
  HarmonyError,
  HarmonyParseError,
  InvalidUtf8Error,
  RenderError,
  UnknownTokenError,
  VocabularyError,
} from "./errors.ts";
export { tokenizerFromHfJson } from "./hf-tokenizer.ts";
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
export { o200kHarmonySpecialTokens, SPECIAL_TEXT, type SpecialIds } from "./special-tokens.ts";
export { parseTiktokenRanks } from "./tiktoken.ts";
export { createTokenizer, Tokenizer, type TokenizerOptions } from "./tokenizer.ts";
