/**
 * Which ids the model may sample in a turn: in a header those that the format has, with names of declared tools; in
 * the body of a call those of the tool's arguments; in the answer those of its output format. Reasoning, and what
 * is said on the way, is free. Which of them a body is follows from the ids of its own header, never from a text.
 */
import {
  HeaderMatcher,
  type MessageHeader,
  readHeader,
  type Tokenizer,
} from "../../harmony/index.ts";
import type {
  GrammarMatcher,
  TokenEngine,
  TokenGrammar,
  TokenMatcher,
} from "../../inference/index.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";
import type { ToolChoice, TurnSettings } from "../context.ts";
import { structuralIds } from "./sampleable-ids.ts";
import { type TurnGrammars, turnGrammars } from "./turn-grammars.ts";
import { TurnTokenGrammar } from "./turn-token-grammar.ts";

/** @returns undefined where nothing is to be constrained, or the engine cannot do it */
export function turnMatcher(
  { capabilities, vocabSize }: TokenEngine,
  tokenizer: Tokenizer,
  tools: DeclaredTools,
  settings: TurnSettings,
  toolChoice: ToolChoice,
): TurnMatcher | undefined {
  if (!capabilities.matchers) return undefined;
  const { constrainHeaders, constrainContent = false } = settings;
  if (!constrainHeaders && !constrainContent) return undefined;
  const headers = constrainHeaders ? new HeaderMatcher(tokenizer, tools.names, vocabSize) : null;
  const grammars = turnGrammars({ tokenizer, vocabSize, tools, settings, toolChoice });
  return new TurnMatcher(tokenizer, vocabSize, headers, grammars);
}

/** Where the output stands. */
type Place = {
  readonly at: "header" | "content" | "between";
  /** Ids of the header so far. */
  readonly header: readonly number[];
  /** The header is that of the first message: the prompt has begun it. */
  readonly isBegun: boolean;
  readonly isFinal: boolean;
  /**
   * What the text here has to be, up to the next special token: that of a header, which may name a tool, or the
   * body of a message. null: it is free.
   */
  readonly stretch: GrammarMatcher | null;
};

/** A header is short; what is longer is none. */
const MAX_HEADER = 64;

export class TurnMatcher implements TokenMatcher {
  readonly #tokenizer: Tokenizer;
  readonly #headers: HeaderMatcher | null;
  readonly #grammars: TurnGrammars;
  /** Behind an answer: another message begins, or the turn ends. */
  readonly #behindAnswer: Uint32Array;
  readonly #structural: readonly number[];
  readonly #scratch: Uint32Array;
  /** Made when it is first asked for: only servers do. */
  #tokenGrammar: TurnTokenGrammar | undefined;
  #place: Place;
  /** Before each accepted id: the place, and whether its stretch took the id. */
  readonly #earlier: { readonly place: Place; readonly isOfStretch: boolean }[] = [];

  constructor(
    tokenizer: Tokenizer,
    vocabSize: number,
    headers: HeaderMatcher | null,
    grammars: TurnGrammars,
  ) {
    this.#tokenizer = tokenizer;
    this.#headers = headers;
    this.#grammars = grammars;
    this.#structural = structuralIds(tokenizer);
    this.#behindAnswer = new Uint32Array(Math.ceil(vocabSize / 32));
    this.#scratch = new Uint32Array(Math.ceil(vocabSize / 32));
    const { start, return: returnId } = tokenizer.special;
    for (const id of [start, returnId]) allow(this.#behindAnswer, id);
    this.#place = this.#beginning(true);
  }

  /** The constrained body that is being written; null where what is written is free. */
  get body(): GrammarMatcher | null {
    return this.#place.at === "content" ? this.#place.stretch : null;
  }

  /** Whether an answer is being written. */
  get isInAnswer(): boolean {
    return this.#place.at === "content" && this.#place.isFinal;
  }

  /** null inside of a header, and inside of a body that has a form: a grammar begins at the beginning. */
  grammar(): TokenGrammar | null {
    const { at, header, isBegun, stretch } = this.#place;
    this.#tokenGrammar ??= new TurnTokenGrammar(
      this.#tokenizer,
      this.#grammars,
      this.#headers === null,
    );
    switch (at) {
      case "between":
        return this.#tokenGrammar.betweenMessages();
      case "header":
        return header.length > 0 && this.#headers !== null
          ? null
          : this.#tokenGrammar.atHeader(isBegun);
      case "content": {
        if (stretch === null) return this.#tokenGrammar.inFreeText();
        const read = stretch.length > 0 ? null : this.#headerOf(this.#place);
        return read === null ? null : this.#tokenGrammar.atBody(read);
      }
    }
  }

  accept(id: number): void {
    this.#headers?.accept(id);
    const place = this.#place;
    const { stretch } = place;
    const isText = stretch !== null && !this.#structural.includes(id);
    const isOfStretch = isText && stretch.allows(id);
    if (isOfStretch) stretch.accept(id);
    this.#earlier.push({ place, isOfStretch });
    const next = this.#behind(id);
    // An id that was put there although the grammar does not have it: what follows is free.
    this.#place = isText && !isOfStretch ? { ...next, stretch: null } : next;
  }

  rollback(count: number): void {
    this.#headers?.rollback(count);
    for (let left = count; left > 0; left--) {
      const before = this.#earlier.pop();
      if (before === undefined) return;
      this.#place = before.place;
      if (before.isOfStretch) before.place.stretch?.rollback(1);
    }
  }

  mask(): Uint32Array | null {
    const { at, isFinal, stretch } = this.#place;
    if (at === "content" && stretch !== null) return this.#bodyMask(stretch, isFinal);
    const mask = this.#headers?.mask() ?? null;
    if (mask === null) return null;
    if (at === "between" && isFinal) return this.#behindAnswer;
    return at === "header" && stretch !== null ? this.#headerMask(mask, stretch) : mask;
  }

  #bodyMask(body: GrammarMatcher, isFinal: boolean): Uint32Array {
    const mask = body.mask();
    if (!body.isAccepting) return mask;
    this.#scratch.set(mask);
    const { call, end, return: returnId } = this.#tokenizer.special;
    for (const id of isFinal ? [returnId, end] : [call]) allow(this.#scratch, id);
    return this.#scratch;
  }

  #headerMask(mask: Uint32Array, text: GrammarMatcher): Uint32Array {
    const ofText = text.mask();
    for (let word = 0; word < mask.length; word++) {
      this.#scratch[word] = (mask[word] ?? 0) & (ofText[word] ?? 0);
    }
    if (text.isAccepting) {
      for (const id of this.#structural) if (allows(mask, id)) allow(this.#scratch, id);
    }
    return this.#scratch;
  }

  #beginning(isBegun: boolean): Place {
    return {
      at: "header",
      header: [],
      isBegun,
      isFinal: false,
      stretch: this.#grammars.headerText(),
    };
  }

  #behind(id: number): Place {
    const { start, message, end, call, return: returnId } = this.#tokenizer.special;
    const place = this.#place;
    switch (id) {
      case start:
        return this.#beginning(false);
      case message:
        return this.#content(place);
      case end:
      case call:
      case returnId:
        return { ...place, at: "between", stretch: null };
    }
    if (place.at !== "header" || place.header.length >= MAX_HEADER) return place;
    const isMark = this.#structural.includes(id);
    const stretch = isMark ? this.#grammars.headerText() : place.stretch;
    return { ...place, header: [...place.header, id], stretch };
  }

  #headerOf({ header, isBegun }: Place): MessageHeader | null {
    const read = readHeader(this.#tokenizer, header, isBegun);
    // Behind a channel and a blank the reference reads a content type as the recipient.
    const isType = read?.recipient?.startsWith(
      this.#tokenizer.decode([this.#tokenizer.special.constrain]),
    );
    return read !== null && isType === true ? { ...read, recipient: null } : read;
  }

  #content(place: Place): Place {
    const header = this.#headerOf(place);
    const isFinal = header?.channel === "final" && !header.recipient;
    const stretch = header === null ? null : this.#grammars.body(header);
    return { ...place, at: "content", isFinal, stretch };
  }
}

function allow(mask: Uint32Array, id: number): void {
  mask[id >>> 5] = (mask[id >>> 5] ?? 0) | (1 << (id & 31));
}

function allows(mask: Uint32Array, id: number): boolean {
  return ((mask[id >>> 5] ?? 0) & (1 << (id & 31))) !== 0;
}
