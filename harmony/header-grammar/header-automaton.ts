/**
 * The headers that models write when all is well, character by character:
 *
 *     assistant[ to=R]<|channel|>C[ to=R][ ][<|constrain|>]T
 *     assistant to=R[ ][<|constrain|>]T
 *
 * A recipient R is any name: whether there is such a tool is not looked at, since a name that was meant
 * must not become another one. A type T without `<|constrain|>` is only a call's.
 */
import {
  CHANNELS,
  CONTENT_TYPES,
  FUNCTIONS_PREFIX,
  NO_TOOLS,
  RECIPIENT_PREFIX,
} from "../header-grammar.ts";

/** In place of the two special tokens of a header. */
export const CHANNEL_MARK = -1;
export const CONSTRAIN_MARK = -2;

const ROLE = "assistant";
const TO = ` ${RECIPIENT_PREFIX}`;

/**
 * What a header can be whose text so far ends here. `wrong`: none; with more text it may still be one, if
 * no token ends here. `open`: one with more text. `complete`: one as it is, or with more text.
 */
export type HeaderStatus = "wrong" | "open" | "complete";

/** How far a header has come. Equal keys can go on in the same ways. */
type Place =
  /** So many characters of the role. */
  | { readonly at: "role"; readonly length: number }
  /** So many characters of ` to=`. */
  | { readonly at: "to"; readonly length: number; readonly behind: "role" | "channel" }
  /** In a recipient; `name` while it may be one that is no tool, else null. */
  | { readonly at: "recipient"; readonly name: string | null; readonly behind: "role" | "channel" }
  | { readonly at: "channel"; readonly text: string; readonly isAddressed: boolean }
  /** Behind the channel or, with `hasGap`, behind a blank that a type or a recipient may follow. */
  | { readonly at: "end"; readonly isAddressed: boolean; readonly hasGap: boolean }
  /** In a type without `<|constrain|>`. */
  | { readonly at: "word"; readonly text: string }
  /** In a type behind `<|constrain|>`; `text` while it may be a tool or a recipient, else null. */
  | { readonly at: "type"; readonly text: string | null; readonly hasGap: boolean }
  /** Behind a blank that nothing may follow. */
  | { readonly at: "closed" };

/** Places that many characters lead to, made once: a name or a type that can be none but that. */
const FREE_TYPE: Place = { at: "type", text: null, hasGap: false };
const FREE_NAME = {
  role: { at: "recipient", name: null, behind: "role" },
  channel: { at: "recipient", name: null, behind: "channel" },
} as const satisfies Record<string, Place>;

export class HeaderAutomaton {
  /** The state behind `<|start|>`. */
  readonly start: number;
  /** The state behind `<|start|>assistant`. */
  readonly behindRole: number;
  /** Whether characters beyond ASCII are all the same: no tool has one in its name. */
  readonly isAscii: boolean;
  readonly #places: Place[] = [];
  readonly #states = new Map<string, number>();
  readonly #ofPlace = new WeakMap<Place, number>();
  readonly #statuses: HeaderStatus[] = [];
  /** By state, the next state for each character; UNKNOWN until it was asked for. */
  readonly #next: Int32Array[] = [];
  /** Names that a recipient may become although it begins as one that is no tool. */
  readonly #toolNames: readonly string[];
  /** What a content type must not be: a tool that stands in its place. */
  readonly #notTypes: ReadonlySet<string>;
  /** Beginnings of the above, and of `to=`. */
  readonly #beginnings: ReadonlySet<string>;

  /** @param tools declared tools, with or without `functions.` */
  constructor(tools: Iterable<string>) {
    this.#toolNames = [...tools].map((name) =>
      name.startsWith(FUNCTIONS_PREFIX) ? name.slice(FUNCTIONS_PREFIX.length) : name,
    );
    this.#notTypes = new Set(
      this.#toolNames.flatMap((name) =>
        name.startsWith(FUNCTIONS_PREFIX)
          ? [`${FUNCTIONS_PREFIX}${name}`]
          : [name, `${FUNCTIONS_PREFIX}${name}`],
      ),
    );
    this.isAscii = this.#toolNames.every((name) => /^[\0-\x7f]*$/.test(name));
    this.#beginnings = beginningsOf([...this.#notTypes, RECIPIENT_PREFIX]);
    this.start = this.#stateOf({ at: "role", length: 0 });
    this.behindRole = this.#stateOf({ at: "role", length: ROLE.length });
  }

  status(state: number): HeaderStatus {
    return this.#statuses[state] ?? "wrong";
  }

  /**
   * The state behind one more character, or mark.
   * @param unit a UTF-16 unit that is not white space beyond ASCII, or CHANNEL_MARK, CONSTRAIN_MARK
   * @returns NOWHERE if no header goes on so
   */
  next(state: number, unit: number): number {
    if (unit < 0 || (unit > 0x7f && !this.isAscii)) return this.#step(state, unit);
    const known = this.#next[state];
    if (known === undefined) return NOWHERE;
    const at = unit > 0x7f ? BEYOND_ASCII : unit;
    let next = known[at]!;
    if (next === UNKNOWN) {
      next = this.#step(state, unit);
      known[at] = next;
    }
    return next;
  }

  #step(state: number, unit: number): number {
    const place = this.#places[state];
    const next = place === undefined ? null : this.#placeBehind(place, unit);
    return next === null ? NOWHERE : this.#stateOf(next);
  }

  #stateOf(place: Place): number {
    const known = this.#ofPlace.get(place);
    if (known !== undefined) return known;
    const key = JSON.stringify(place);
    const state = this.#states.get(key) ?? this.#newState(place);
    this.#states.set(key, state);
    this.#ofPlace.set(place, state);
    return state;
  }

  #newState(place: Place): number {
    const state = this.#places.length;
    this.#places.push(place);
    this.#statuses.push(this.#statusOf(place));
    this.#next.push(new Int32Array(BEYOND_ASCII + 1).fill(UNKNOWN));
    return state;
  }

  #statusOf(place: Place): HeaderStatus {
    switch (place.at) {
      case "role":
      case "channel":
        return "open";
      case "to":
        // A blank alone behind the role is none of the ways to go on.
        return place.length === 1 && place.behind === "role" ? "wrong" : "open";
      case "recipient": {
        const { name } = place;
        if (name === null || (name !== "" && !NO_TOOLS.includes(name))) return "complete";
        return this.#toolNames.some((tool) => tool.startsWith(name)) || name === ""
          ? "open"
          : "wrong";
      }
      case "end":
      case "closed":
        return "complete";
      case "word":
        return CONTENT_TYPES.includes(place.text) ? "complete" : "open";
      case "type":
        return place.text === "" || (place.text !== null && this.#notTypes.has(place.text))
          ? "open"
          : "complete";
    }
  }

  #placeBehind(place: Place, unit: number): Place | null {
    const char = unit < 0 ? "" : String.fromCharCode(unit);
    switch (place.at) {
      case "role":
        if (place.length < ROLE.length) {
          return char === ROLE[place.length] ? { at: "role", length: place.length + 1 } : null;
        }
        if (unit === CHANNEL_MARK) return { at: "channel", text: "", isAddressed: false };
        return char === " " ? { at: "to", length: 1, behind: "role" } : null;
      case "to":
        if (char !== TO[place.length]) return null;
        return place.length + 1 < TO.length
          ? { ...place, length: place.length + 1 }
          : { at: "recipient", name: "", behind: place.behind };
      case "recipient":
        return this.#behindRecipient(place, unit, char);
      case "channel": {
        const text = place.text + char;
        const channel = CHANNELS.find((name) => name.startsWith(text));
        if (char === "" || channel === undefined) return null;
        const { isAddressed } = place;
        return text === channel
          ? { at: "end", isAddressed, hasGap: false }
          : { at: "channel", text, isAddressed };
      }
      case "end":
        return this.#behindEnd(place, unit, char);
      case "word":
        return this.#inWord(place.text, char);
      case "type":
        return this.#inType(place, unit, char);
      case "closed":
        return null;
    }
  }

  #behindRecipient(
    place: Extract<Place, { at: "recipient" }>,
    unit: number,
    char: string,
  ): Place | null {
    const { name, behind } = place;
    if (/[\w$.-]/.test(char)) {
      const longer = name === null ? null : name + char;
      const mayBeNone = longer !== null && NO_TOOLS.some((none) => none.startsWith(longer));
      return mayBeNone ? { at: "recipient", name: longer, behind } : FREE_NAME[behind];
    }
    if (name === "" || (name !== null && NO_TOOLS.includes(name))) return null;
    if (unit === CHANNEL_MARK && behind === "role") {
      return { at: "channel", text: "", isAddressed: true };
    }
    return this.#behindEnd({ at: "end", isAddressed: true, hasGap: false }, unit, char);
  }

  #behindEnd(place: Extract<Place, { at: "end" }>, unit: number, char: string): Place | null {
    const { isAddressed, hasGap } = place;
    if (unit === CONSTRAIN_MARK) return { at: "type", text: "", hasGap: false };
    if (!hasGap) return char === " " ? { at: "end", isAddressed, hasGap: true } : null;
    if (isAddressed) return this.#inWord("", char);
    return char === TO[1] ? { at: "to", length: 2, behind: "channel" } : null;
  }

  #inWord(text: string, char: string): Place | null {
    if (char === " " && CONTENT_TYPES.includes(text)) return { at: "closed" };
    const longer = text + char;
    return char !== "" && CONTENT_TYPES.some((type) => type.startsWith(longer))
      ? { at: "word", text: longer }
      : null;
  }

  #inType(place: Extract<Place, { at: "type" }>, unit: number, char: string): Place | null {
    const { text, hasGap } = place;
    if (unit < 0) return null;
    if (char === " ") {
      if (text === "") return hasGap ? null : { at: "type", text, hasGap: true };
      return text !== null && this.#notTypes.has(text) ? null : { at: "closed" };
    }
    if (/\s/.test(char)) return null;
    const longer = text === null ? null : text + char;
    // A recipient in the place of the type never becomes one.
    if (longer === RECIPIENT_PREFIX) return null;
    const mayBeNone = longer !== null && this.#beginnings.has(longer);
    return mayBeNone ? { at: "type", text: longer, hasGap: false } : FREE_TYPE;
  }
}

/** No header goes on so. */
export const NOWHERE = -1;
const UNKNOWN = -2;
/** One place for all characters beyond ASCII. */
const BEYOND_ASCII = 0x80;

function beginningsOf(words: readonly string[]): ReadonlySet<string> {
  const beginnings = new Set<string>();
  for (const word of words) {
    for (let length = 1; length <= word.length; length++) beginnings.add(word.slice(0, length));
  }
  return beginnings;
}
