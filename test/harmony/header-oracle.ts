/**
 * Which headers the format has, said over the whole text of a header instead of character by character:
 * what the automaton is held against.
 */

/** The two special tokens inside of a header, as characters. */
export const CHANNEL = "\uE000";
export const CONSTRAIN = "\uE001";

const ROLE = "assistant";
const CHANNELS = ["analysis", "commentary", "final"];
const TYPES = ["json", "code", "python", "text"];
const NO_TOOLS = ["assistant", "user", "all"];

/** @param header what stands behind `<|start|>` */
export function headerStatus(
  header: string,
  tools: readonly string[],
): "wrong" | "open" | "complete" {
  const names = tools.map((name) => name.replace(/^functions\./, ""));
  if (ROLE.startsWith(header)) return "open";
  if (!header.startsWith(ROLE)) return "wrong";
  let rest = header.slice(ROLE.length);
  let isAddressed = false;
  for (const piece of ["recipient", "channel", "recipient"] as const) {
    if (piece === "recipient" && isAddressed) continue;
    if (rest.startsWith(CHANNEL)) {
      if (piece === "recipient") continue;
      const value = rest.slice(1);
      const channel = CHANNELS.find((name) => value.startsWith(name));
      if (channel === undefined) {
        return CHANNELS.some((name) => name.startsWith(value)) ? "open" : "wrong";
      }
      rest = value.slice(channel.length);
      if (rest === "") return "complete";
    } else if (piece === "channel" && !isAddressed) {
      return "wrong";
    } else if (piece === "recipient") {
      if (rest !== " " && " to=".startsWith(rest)) return "open";
      const match = /^ to=([\w$.-]*)/.exec(rest);
      if (match === null) continue;
      const [text, recipient = ""] = match;
      rest = rest.slice(text.length);
      const isNone = recipient === "" || NO_TOOLS.includes(recipient);
      if (rest === "") {
        if (!isNone) return "complete";
        return recipient === "" || names.some((name) => name.startsWith(recipient))
          ? "open"
          : "wrong";
      }
      if (isNone) return "wrong";
      isAddressed = true;
    }
  }
  if (rest === " ") return "complete";
  const constrained = /^ ?\uE001( ?)([^\s\uE000\uE001]*)( ?)$/.exec(rest);
  if (constrained !== null) {
    const [, before = "", type = "", behind = ""] = constrained;
    // From these no header comes any more.
    if (type === "" && before + behind === "  ") return "wrong";
    if (type.startsWith("to=")) return "wrong";
    const isTool = names.includes(type.replace(/^functions\./, ""));
    if (isTool && behind !== "") return "wrong";
    return type === "" || isTool ? "open" : "complete";
  }
  const word = rest.replace(/^ /, "");
  if (word === rest || !isAddressed) return "wrong";
  if (TYPES.some((type) => word === type || word === `${type} `)) return "complete";
  return TYPES.some((type) => type.startsWith(word)) ? "open" : "wrong";
}
