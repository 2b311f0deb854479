/**
 * Whether a server is sent the grammar of what may come, in one generation. One that refuses a grammar, or was sent
 * several and did not keep them, is sent none any more: the masks hold in any case.
 */
import type { TokenMatcher } from "../../engine.ts";
import { RemoteEngineError } from "../../errors.ts";
import { PassingFailure } from "../http.ts";
import type { Replica } from "../replica.ts";
import type { GrammarRecord } from "./grammar-record.ts";
import type { ServerGrammar } from "./notation.ts";
import { writeGrammar } from "./server-grammar.ts";

/** So many requests that did not keep their grammars, if they are not the fewer ones, are enough. */
const MOST_MISSES = 3;
/** Requests in a row that failed with a grammar and were answered without it. */
const MOST_REFUSALS = 3;

/** A request with a grammar that failed before a token came. */
type Suspicion = {
  readonly replica: Replica;
  readonly text: string;
  readonly message: string;
  /** The server said that the request is wrong. */
  readonly isRefusal: boolean;
};

export class GrammarUse {
  readonly #matcher: TokenMatcher | undefined;
  readonly #onNote: (sentence: string) => void;
  #suspicion: Suspicion | null = null;

  constructor(matcher: TokenMatcher | undefined, onNote: (sentence: string) => void) {
    this.#matcher = matcher;
    this.#onNote = onNote;
  }

  /** What may come from here on; null where the server is sent nothing. */
  of(replica: Replica): ServerGrammar | null {
    const { name, capabilities, grammarRecord } = replica;
    const { refusals, refused } = grammarRecord;
    if (capabilities.grammars === null || this.#suspicion?.replica === replica) return null;
    if (isIgnoring(grammarRecord) || refusals >= MOST_REFUSALS) return null;
    const described = this.#matcher?.grammar?.() ?? null;
    if (described === null) return null;
    const written = writeGrammar(described, capabilities.grammars);
    if (written.grammar === null) {
      this.#say(replica, `A grammar is not sent to ${name}: ${written.reason}. ${KEPT_HERE}`);
      return null;
    }
    if (refused.has(written.grammar.text)) return null;
    for (const left of written.leftOut) {
      this.#say(replica, `A grammar that is sent to ${name} does not say ${left}. ${KEPT_HERE}`);
    }
    return written.grammar;
  }

  /** An answer has ended, and all its ids were allowed. */
  kept({ grammarRecord }: Replica): void {
    grammarRecord.kept++;
    grammarRecord.refusals = 0;
  }

  /** An id came that is not allowed. */
  missed(replica: Replica): void {
    replica.grammarRecord.misses++;
    if (!isIgnoring(replica.grammarRecord)) return;
    this.#say(replica, `${replica.name} does not keep the grammars that it is sent. ${KEPT_HERE}`);
  }

  /**
   * A request has failed before a token came. The next one goes without the grammar.
   * @returns whether that is to be at once
   */
  failed(replica: Replica, { text }: ServerGrammar, error: unknown): boolean {
    const isRefusal =
      RemoteEngineError.isInstance(error) && error.code === "CHORALE_ENGINE_REFUSED";
    if (!isRefusal && !(error instanceof PassingFailure)) return false;
    this.#suspicion = { replica, text, message: error.message.replace(/\.$/, ""), isRefusal };
    return isRefusal;
  }

  /** The first token of a request has come. */
  answers(replica: Replica, grammar: ServerGrammar | null): void {
    const suspicion = this.#suspicion;
    if (grammar !== null || suspicion?.replica !== replica) return;
    this.#suspicion = null;
    const { grammarRecord } = replica;
    grammarRecord.refusals++;
    if (suspicion.isRefusal) {
      if (grammarRecord.refused.size < MOST_KEPT) grammarRecord.refused.add(suspicion.text);
    } else if (grammarRecord.refusals < MOST_REFUSALS) return;
    this.#say(
      replica,
      `${replica.name} fails with a grammar (${suspicion.message}), and answers without it. ${KEPT_HERE}`,
    );
  }

  #say({ grammarRecord }: Replica, sentence: string): void {
    if (grammarRecord.said.has(sentence) || grammarRecord.said.size >= MOST_KEPT) return;
    grammarRecord.said.add(sentence);
    this.#onNote(sentence);
  }
}

function isIgnoring({ misses, kept }: GrammarRecord): boolean {
  return misses >= MOST_MISSES && misses >= kept;
}

const KEPT_HERE = "It is kept here, token by token.";
/** Texts and sentences of one server. */
const MOST_KEPT = 64;
