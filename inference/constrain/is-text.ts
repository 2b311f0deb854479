import type { Regex } from "./grammar.ts";

/** Whether all that it matches is well-formed UTF-8. */
export function isText(regex: Regex): boolean {
  switch (regex.type) {
    case "bytes":
      return isWellFormed(regex.bytes);
    case "concat":
      return regex.parts.every(isText);
    case "alternatives":
      return regex.options.every(isText);
    case "repeat":
      return isText(regex.item);
    default:
      return true;
  }
}

function isWellFormed(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
