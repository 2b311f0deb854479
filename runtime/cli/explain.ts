/**
 * A raw transcript taken apart: which characters are a start, a role, a recipient, a channel, a content
 * type, content. Nothing is read in another place than where it stands and nothing is left out: the
 * texts of all parts, joined, are the transcript. What the parser makes of it is told beside it, as
 * the issues it found.
 */
import {
  HarmonyParser,
  type Issue,
  isContentType,
  markValue,
  type Role,
  recipientOf,
  type Tokenizer,
} from "../../harmony/index.ts";

export type PartKind =
  | "start"
  | "role"
  | "recipient"
  | "channel"
  | "content type"
  | "message"
  | "content"
  | "end"
  /** Words of a header that mean nothing, and what stands between messages. */
  | "other";

export type TranscriptPart = {
  /** Counts from 1. What stands between two messages goes with the first; 0: in front of all. */
  readonly message: number;
  readonly part: PartKind;
  readonly text: string;
  /** What the parser found wrong when it had read this far. */
  readonly issues: readonly Issue[];
};

export type ExplainOptions = {
  readonly tokenizer: Tokenizer;
  /** The role that the prompt already ended with; null: the transcript has it. */
  readonly role: Role | null;
  readonly knownTools: readonly string[];
};

export function explainTranscript(
  ids: readonly number[],
  options: ExplainOptions,
): readonly TranscriptPart[] {
  const scan = new Scan(options);
  for (const id of ids) scan.push(id);
  return scan.finish();
}

type Mark = { readonly kind: "channel" | "constrain"; readonly text: string };

class Scan {
  readonly #tokenizer: Tokenizer;
  readonly #parser: HarmonyParser;
  readonly #parts: { message: number; part: PartKind; text: string; issues: Issue[] }[] = [];
  readonly #special: ReadonlyMap<number, string>;
  #message: number;
  #where: "between" | "header" | "content";
  /** Whether the header's first word is its role. */
  #roleFollows: boolean;
  /** `<|channel|>` or `<|constrain|>`, whose value follows. */
  #mark: Mark | null = null;
  /** Ordinary tokens since the last special one. */
  #text: number[] = [];
  #issues: Issue[] = [];

  constructor({ tokenizer, role, knownTools }: ExplainOptions) {
    this.#tokenizer = tokenizer;
    this.#parser = new HarmonyParser({ tokenizer, role, knownTools });
    this.#where = role === null ? "between" : "header";
    this.#message = role === null ? 0 : 1;
    this.#roleFollows = false;
    const { endOfText, ...named } = tokenizer.special;
    const special = new Map<number, string>(Object.entries(named).map(([name, id]) => [id, name]));
    if (endOfText !== null) special.set(endOfText, "endOfText");
    this.#special = special;
  }

  push(id: number): void {
    for (const event of this.#parser.push(id)) {
      if (event.type === "issue") this.#issues.push(event.issue);
    }
    const special = this.#special.get(id);
    const literal = this.#where === "content" && (special === "message" || special === "constrain");
    if (special === undefined || literal) this.#text.push(id);
    else this.#boundary(special, this.#tokenizer.decodeLossy([id]));
  }

  finish(): readonly TranscriptPart[] {
    this.#flush(false);
    for (const event of this.#parser.finish()) {
      if (event.type === "issue") this.#issues.push(event.issue);
    }
    this.#attachIssues();
    return this.#parts;
  }

  #boundary(special: string, text: string): void {
    this.#flush(special === "message");
    switch (special) {
      case "start":
        if (this.#parts.at(-1)?.part !== "start") this.#message++;
        this.#add("start", text);
        this.#where = "header";
        this.#roleFollows = true;
        break;
      case "channel":
      case "constrain":
        if (this.#where !== "header") this.#message++;
        this.#where = "header";
        this.#mark = { kind: special, text };
        return;
      case "message":
        if (this.#where === "between") this.#message++;
        this.#add("message", text);
        this.#where = "content";
        break;
      default:
        this.#add("end", text);
        this.#where = "between";
    }
    this.#attachIssues();
  }

  /** Gives the text since the last special token its part. */
  #flush(headerIsComplete: boolean): void {
    const text = this.#text.length === 0 ? "" : this.#tokenizer.decodeLossy(this.#text);
    this.#text = [];
    const rest = this.#mark === null ? text : this.#markedValue(this.#mark, text);
    this.#mark = null;
    if (rest === "") return;
    if (this.#where === "header") this.#words(rest, headerIsComplete);
    else this.#add(this.#where === "content" ? "content" : "other", rest);
  }

  /** The marker with its value as one part; returns what follows. */
  #markedValue({ kind, text: mark }: Mark, text: string): string {
    const { length } = markValue(kind, text, false);
    this.#add(kind === "channel" ? "channel" : "content type", mark + text.slice(0, length));
    return text.slice(length);
  }

  #words(text: string, complete: boolean): void {
    let at = 0;
    for (const { 0: word, index } of text.matchAll(/\s*\S+/g)) {
      const part = this.#partOfWord(word);
      // Where no `<|message|>` says where the content begins, it begins with the first other word.
      if (part === "other" && !complete) {
        this.#add("content", text.slice(index));
        return;
      }
      this.#add(part, word);
      this.#roleFollows = false;
      at = index + word.length;
    }
    const space = text.slice(at);
    const last = this.#parts.at(-1);
    if (space === "") return;
    if (last === undefined) this.#add("other", space);
    else last.text += space;
  }

  #partOfWord(word: string): PartKind {
    const bare = word.trimStart();
    if (recipientOf(bare) !== null) return "recipient";
    if (this.#roleFollows) return "role";
    return isContentType(bare) ? "content type" : "other";
  }

  #add(part: PartKind, text: string): void {
    this.#parts.push({ message: this.#message, part, text, issues: [] });
  }

  #attachIssues(): void {
    this.#parts.at(-1)?.issues.push(...this.#issues);
    this.#issues = [];
  }
}
