/**
 * Watches a model write, id by id, and tells at which id a header stops being one that the format
 * has. The parser makes the best of a damaged header once it has all of it; whoever can take an id
 * back and sample another needs to know of the first wrong one, before it is read.
 *
 * Accepted is what models write when all is well:
 * `assistant[ to=R]<|channel|>C[ to=R][ ][<|constrain|>]T<|message|>`, and between two messages
 * nothing. Whether R is a tool that exists is not looked at: a name that was meant must not become
 * another one. Content is never judged.
 */

import { SPECIAL_TEXT, type SpecialName } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Kind } from "./message-reader.ts";

const ROLE = "assistant";
const CHANNELS: readonly string[] = ["analysis", "commentary", "final"];
const TYPES: readonly string[] = ["json", "code", "python", "text"];
/** The assistant addressing itself or the user: it is not how that is said. */
const NOBODY: readonly string[] = ["assistant", "user", "all"];
/** The two special tokens inside of a header, as characters that its text cannot have. */
const CHANNEL = "\uE000";
const CONSTRAIN = "\uE001";

/** `open`: it can still become a header; `complete`: `<|message|>` may follow, more text as well. */
type Verdict = "wrong" | "open" | "complete";

export class HeaderWatch {
  readonly #tokenizer: Tokenizer;
  readonly #kinds: ReadonlyMap<number, Kind>;
  readonly #knownTools: readonly string[];
  /** `lost`: in a header that went wrong. */
  #where: "between" | "header" | "content" | "lost" = "header";
  #text: string = ROLE;

  /**
   * Begins behind `<|start|>assistant`.
   * @param knownTools declared tools, as `HarmonyParser` takes them
   */
  constructor(tokenizer: Tokenizer, knownTools: Iterable<string> = []) {
    this.#tokenizer = tokenizer;
    this.#knownTools = [...knownTools].map((name) => name.replace(/^functions\./, ""));
    const { endOfText, ...named } = tokenizer.special;
    const kinds = new Map<number, Kind>();
    for (const [name, id] of Object.entries(named)) kinds.set(id, name as SpecialName);
    if (endOfText !== null) kinds.set(endOfText, "endOfText");
    this.#kinds = kinds;
  }

  /** Outside of headers: in content, or behind the end of a message. */
  get isOutside(): boolean {
    return this.#where === "content" || this.#where === "between";
  }

  /** Whether the header, or what is between messages, is still right with this id. */
  accepts(id: number): boolean {
    switch (this.#where) {
      case "content":
      case "lost":
        return true;
      case "between":
        return this.#kinds.get(id) === "start";
      case "header":
        return this.#acceptsInHeader(id);
    }
  }

  /** Goes on behind an id, whether it was right or not. */
  take(id: number): void {
    const kind = this.#kinds.get(id);
    switch (kind) {
      case "start":
        this.#where = "header";
        this.#text = "";
        return;
      case "message":
        this.#where = "content";
        return;
      case "end":
      case "call":
      case "return":
      case "endOfText":
        this.#where = "between";
        return;
      case "channel":
        // Inside of content it begins the next message.
        if (this.#where === "content") {
          this.#where = "header";
          this.#text = ROLE;
        }
    }
    if (this.#where === "content" || this.#where === "lost") return;
    if (this.accepts(id)) this.#text += this.#textOf(id, kind);
    else this.#where = "lost";
  }

  /** What an id is that is not accepted, and where: for people. */
  describe(id: number): string {
    const found = JSON.stringify(this.#tokenizer.decodeLossy([id]));
    if (this.#where !== "header") return `${found} between messages`;
    const header = `${SPECIAL_TEXT.start}${this.#text}`
      .replaceAll(CHANNEL, SPECIAL_TEXT.channel)
      .replaceAll(CONSTRAIN, SPECIAL_TEXT.constrain);
    return `${found} after ${JSON.stringify(header)}`;
  }

  #acceptsInHeader(id: number): boolean {
    const kind = this.#kinds.get(id);
    if (kind === "message") return this.#judge(this.#text) === "complete";
    const text = this.#textOf(id, kind);
    return text !== "" && this.#judge(this.#text + text) !== "wrong";
  }

  /** What an id adds to a header; nothing for one that cannot stand in it. */
  #textOf(id: number, kind: Kind | undefined): string {
    if (kind === "channel") return CHANNEL;
    if (kind === "constrain") return CONSTRAIN;
    if (kind !== undefined) return "";
    const text = this.#tokenizer.decodeLossy([id]);
    // Neither forged marks, nor halves of characters.
    return /[\uE000\uE001\uFFFD]/.test(text) ? "" : text;
  }

  #judge(header: string): Verdict {
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
        const isNobody = recipient === "" || NOBODY.includes(recipient);
        if (rest === "") {
          if (isNobody) return this.#mayBecomeTool(recipient) ? "open" : "wrong";
          return "complete";
        }
        if (isNobody) return "wrong";
        isAddressed = true;
      }
    }
    return this.#judgeType(rest, isAddressed);
  }

  /** `assistant` is nobody, but may be the beginning of the tool `assistant_notes`. */
  #mayBecomeTool(recipient: string): boolean {
    return recipient === "" || this.#knownTools.some((name) => name.startsWith(recipient));
  }

  /** What may stand at the end of a header: a space, a content type; as a bare word only a call's. */
  #judgeType(rest: string, isAddressed: boolean): Verdict {
    if (rest === " ") return "complete";
    const constrained = /^ ?\uE001 ?([^\s\uE000\uE001]*) ?$/.exec(rest);
    if (constrained !== null) {
      const [, type = ""] = constrained;
      // A tool's name is a recipient in the wrong place, unless the word goes on.
      const isTool = this.#knownTools.includes(type.replace(/^functions\./, ""));
      return type === "" || type.startsWith("to=") || isTool ? "open" : "complete";
    }
    const word = rest.replace(/^ /, "");
    if (word === rest || !isAddressed) return "wrong";
    if (TYPES.some((type) => word === type || word === `${type} `)) return "complete";
    return TYPES.some((type) => type.startsWith(word)) ? "open" : "wrong";
  }
}
