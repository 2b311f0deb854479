/** The part of jsonc-parser that is used, so that the build can bundle it. */
export { applyEdits, modify, type ParseError, parse, printParseErrorCode } from "jsonc-parser";
