/** Definitions and arguments by their SHA-256, which does not depend on the order of their keys. */
import { hash } from "node:crypto";
import type { Tool } from "../../tools/index.ts";

/** Punctuation between values that are still to be written. */
type Mark = { readonly mark: string };

/**
 * JSON with the keys of every object in order. Not recursive: a model may nest as deep as it likes.
 *
 * @param maxUnits once there are more UTF-16 units, the text breaks off
 */
export function canonicalJson(value: unknown, maxUnits: number = Number.POSITIVE_INFINITY): string {
  const parts: string[] = [];
  let units = 0;
  const left: ({ readonly value: unknown } | Mark)[] = [{ value }];
  const push = (text: string): void => {
    parts.push(text);
    units += text.length;
  };
  for (let next = left.pop(); next !== undefined && units <= maxUnits; next = left.pop()) {
    if ("mark" in next) push(next.mark);
    else if (Array.isArray(next.value)) {
      push("[");
      left.push({ mark: "]" });
      for (let at = next.value.length - 1; at >= 0; at--) {
        left.push({ value: next.value[at] as unknown });
        if (at > 0) left.push({ mark: "," });
      }
    } else if (typeof next.value === "object" && next.value !== null) {
      const members = Object.entries(next.value)
        .filter(([, member]) => member !== undefined)
        .sort(([a], [b]) => (a < b ? 1 : -1));
      push("{");
      left.push({ mark: "}" });
      for (const [at, [key, member]] of members.entries()) {
        left.push({ value: member as unknown }, { mark: `${JSON.stringify(key)}:` });
        if (at < members.length - 1) left.push({ mark: "," });
      }
    } else push(JSON.stringify(next.value) ?? "null");
  }
  return parts.join("");
}

/** SHA-256 in hexadecimal. */
export function hashOf(value: unknown): string {
  return hash("sha256", canonicalJson(value), "hex");
}

/**
 * SHA-256 of everything that a tool says about itself: what the model is told, and the hints that rules go by. A
 * tool that changes any of it is another tool.
 */
export function fingerprintOf(tool: Tool): string {
  const { description, descriptionSuffix, inputSchema, annotations } = tool;
  return hashOf([description, descriptionSuffix ?? null, inputSchema, annotations ?? {}]);
}
