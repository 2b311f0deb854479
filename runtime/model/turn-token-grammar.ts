/**
 * What a model may write in a turn, as a grammar over special tokens and texts: for servers that keep grammars
 * themselves. It allows everything that `TurnMatcher` allows, but for content types with `<` in them. With headers that
 * are free it says what a body is behind the headers that models write for it.
 */
import {
  CHANNELS,
  CONTENT_TYPES,
  type MessageHeader,
  RECIPIENT_PREFIX,
  type Tokenizer,
} from "../../harmony/index.ts";
import {
  type Grammar,
  GrammarBuilder,
  type SpecialToken,
  type TokenGrammar,
  type TokenRule,
  type TokenSymbol,
} from "../../inference/index.ts";
import type { TurnGrammars } from "./turn-grammars.ts";

type Begin = readonly (SpecialToken | string)[];

/** More beginnings than these cost a server more than they save. */
const MOST_BEGINNINGS = 256;
const ROLE = "assistant";
const TO = ` ${RECIPIENT_PREFIX}`;

export class TurnTokenGrammar {
  readonly #grammars: TurnGrammars;
  readonly #special: Readonly<
    Record<"channel" | "constrain" | "message" | "start" | "end" | "call" | "return", SpecialToken>
  >;
  readonly #rules: TokenRule[] = [];
  readonly #roots = new Map<number, TokenGrammar>();
  readonly #bodies = new Map<Grammar, number>();
  /** The rest of a message without a form, and what follows it. */
  readonly #free: number;
  readonly #header: number;
  /** Behind `<|start|>`. */
  readonly #role: number;
  readonly #behindAnswer: number;
  readonly #behindCall: number;
  readonly #behindMessage: number;
  readonly #hasFreeHeaders: boolean;

  constructor(tokenizer: Tokenizer, grammars: TurnGrammars, hasFreeHeaders: boolean) {
    const { special } = tokenizer;
    const token = (id: number): SpecialToken => ({ id, text: tokenizer.decode([id]) });
    this.#special = {
      channel: token(special.channel),
      constrain: token(special.constrain),
      message: token(special.message),
      start: token(special.start),
      end: token(special.end),
      call: token(special.call),
      return: token(special.return),
    };
    this.#grammars = grammars;
    this.#hasFreeHeaders = hasFreeHeaders;
    const { start, end, call, return: returned } = this.#special;
    this.#header = this.#declare();
    this.#free = this.#declare();
    this.#role = this.#rule([[{ literal: ROLE }, { rule: this.#header }]]);
    this.#behindMessage = hasFreeHeaders
      ? this.#free
      : this.#rule([[], [{ token: start }, { rule: this.#role }]]);
    this.#behindAnswer = this.#rule([
      [],
      [{ token: returned }],
      [{ token: end }, ...(hasFreeHeaders ? [] : [{ rule: this.#behindMessage }])],
    ]);
    this.#behindCall = this.#rule([[], [{ token: call }]]);
    if (hasFreeHeaders) {
      this.#rules[this.#free] = this.#freeTurn();
      this.#rules[this.#header] = { type: "alternatives", options: [[{ rule: this.#free }]] };
    } else {
      this.#rules[this.#free] = {
        type: "free",
        until: [{ begin: [end], rule: this.#behindMessage }],
        loops: false,
      };
      this.#rules[this.#header] = { type: "alternatives", options: this.#headers() };
    }
  }

  /** @param isBegun  behind `<|start|>assistant`, not behind `<|start|>` */
  atHeader(isBegun: boolean): TokenGrammar {
    if (this.#hasFreeHeaders) return this.#from(this.#free);
    return this.#from(isBegun ? this.#header : this.#role);
  }

  /** At the beginning of a body. */
  atBody(header: MessageHeader): TokenGrammar {
    return this.#from(this.#body(header));
  }

  /** In what has no form. */
  inFreeText(): TokenGrammar {
    return this.#from(this.#free);
  }

  /** Behind `<|end|>`. */
  betweenMessages(): TokenGrammar {
    return this.#from(this.#behindMessage);
  }

  #from(root: number): TokenGrammar {
    const grammar = this.#roots.get(root) ?? { rules: this.#rules, root };
    this.#roots.set(root, grammar);
    return grammar;
  }

  #headers(): readonly (readonly TokenSymbol[])[] {
    const { channel, message } = this.#special;
    const end = (header: MessageHeader): readonly TokenSymbol[] => [
      { token: message },
      { rule: this.#body(header) },
    ];
    const type = this.#rule(this.#types(false));
    const addressedType = this.#rule(this.#types(true));
    const channelName = this.#rule(CHANNELS.map((name) => [{ literal: name }]));
    const { constrain } = this.#special;
    // A blank behind `<|constrain|>` makes a header that cannot be read: what follows is free.
    const unread = this.#rule([
      [
        { rule: this.#rule([[], [{ literal: " " }]]) },
        { token: constrain },
        { text: typeGrammar(" ") },
      ],
    ]);
    const plain = CHANNELS.flatMap((name): readonly (readonly TokenSymbol[])[] => [
      [...[{ token: channel }, { literal: name }, { rule: type }], ...end(headerOf(name, null))],
      [
        ...[{ token: channel }, { literal: name }, { rule: unread }],
        ...[{ token: message }, { rule: this.#free }],
      ],
    ]);
    const recipients = this.#recipients();
    if (recipients.length === 0) return plain;
    const behindName = (header: MessageHeader): number =>
      this.#rule([
        [{ rule: addressedType }, ...end(header)],
        [{ rule: unread }, { token: message }, { rule: this.#free }],
      ]);
    const named = recipients.map(({ symbol, header }) => ({ symbol, rule: behindName(header) }));
    const channelOrNot = this.#rule([[], [{ token: channel }, { rule: channelName }]]);
    const behindChannel = this.#rule(named.map(({ symbol, rule }) => [symbol, { rule }]));
    const behindRole = this.#rule(
      named.map(({ symbol, rule }) => [symbol, { rule: channelOrNot }, { rule }]),
    );
    return [
      ...plain,
      [{ token: channel }, { rule: channelName }, { literal: TO }, { rule: behindChannel }],
      [{ literal: TO }, { rule: behindRole }],
    ];
  }

  #recipients(): readonly { readonly symbol: TokenSymbol; readonly header: MessageHeader }[] {
    const { recipients } = this.#grammars;
    if (recipients === null) {
      return [{ symbol: { text: nameGrammar() }, header: headerOf("commentary", "?") }];
    }
    return recipients.map((name) => ({
      symbol: { literal: name },
      header: headerOf("commentary", name),
    }));
  }

  /** What may stand between the channel or the recipient and `<|message|>`. */
  #types(isAddressed: boolean): readonly (readonly TokenSymbol[])[] {
    const { constrain } = this.#special;
    const type: TokenSymbol = { text: typeGrammar("") };
    const words = isAddressed ? CONTENT_TYPES : [];
    return [
      [],
      [{ literal: " " }],
      [{ token: constrain }, type],
      [{ literal: " " }, { token: constrain }, type],
      ...words.flatMap((word) => [[{ literal: ` ${word}` }], [{ literal: ` ${word} ` }]]),
    ];
  }

  /** Any messages; those that have a form are known by how they begin. */
  #freeTurn(): TokenRule {
    const { channel, constrain, message } = this.#special;
    const types: readonly Begin[] = [[], [" ", constrain, "json"], [constrain, "json"], [" json"]];
    const until: { readonly begin: Begin; readonly rule: number }[] = [];
    const add = (header: MessageHeader, ...heads: readonly Begin[]): void => {
      const rule = this.#body(header);
      if (rule === this.#free) return;
      for (const head of heads) {
        for (const type of types) until.push({ begin: joined([...head, ...type, message]), rule });
      }
    };
    add(headerOf("final", null), [channel, "final"]);
    for (const name of this.#grammars.recipients ?? []) {
      const to = `${TO}${name}`;
      const heads = [
        [channel, `commentary${to}`],
        [to, channel, "commentary"],
      ] as const;
      add(headerOf("commentary", name), ...heads);
    }
    return { type: "free", until: until.slice(0, MOST_BEGINNINGS), loops: true };
  }

  /** The rest of a message, and what follows it. */
  #body(header: MessageHeader): number {
    const grammar = this.#grammars.bodyGrammar(header);
    if (grammar === null) return this.#free;
    const known = this.#bodies.get(grammar);
    if (known !== undefined) return known;
    const behind = header.recipient === null ? this.#behindAnswer : this.#behindCall;
    const rule = this.#rule([[{ text: grammar }, { rule: behind }]]);
    this.#bodies.set(grammar, rule);
    return rule;
  }

  #declare(): number {
    return this.#rules.push({ type: "alternatives", options: [] }) - 1;
  }

  #rule(options: readonly (readonly TokenSymbol[])[]): number {
    return this.#rules.push({ type: "alternatives", options }) - 1;
  }
}

function headerOf(channel: string, recipient: string | null): MessageHeader {
  return { role: "assistant", channel, recipient, contentType: null };
}

/** Texts that stand beside each other as one. */
function joined(begin: Begin): Begin {
  const parts: (SpecialToken | string)[] = [];
  for (const part of begin) {
    const last = parts.at(-1);
    if (typeof part === "string" && typeof last === "string") parts[parts.length - 1] = last + part;
    else parts.push(part);
  }
  return parts;
}

/** Any name. */
function nameGrammar(): Grammar {
  const ranges = ["$$", "-.", "09", "AZ", "__", "az"].map(rangeOf);
  const builder = new GrammarBuilder();
  const item = { type: "set", ranges } as const;
  return builder.build(
    builder.rule([[builder.terminal({ type: "repeat", item, min: 1, max: null })]]),
  );
}

/** A content type behind a text, and perhaps a blank behind it. */
function typeGrammar(before: string): Grammar {
  const ranges = ["\0\b", "\x0e\x1f", "!;", "=\u{10ffff}"].map(rangeOf);
  const builder = new GrammarBuilder();
  const text = builder.terminal({
    type: "repeat",
    item: { type: "set", ranges },
    min: 1,
    max: null,
  });
  const blank = builder.rule([[], [builder.text(" ")]]);
  return builder.build(builder.rule([[builder.text(before), text, blank]]));
}

function rangeOf(ends: string): readonly [number, number] {
  const [from = "", to = ""] = [...ends];
  return [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0];
}
