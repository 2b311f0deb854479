/** Reading as the reference implementation does: its results, its misreadings, its error texts. */
import { HarmonyParseError } from "../errors.ts";
import type { Role } from "../message.ts";
import { SPECIAL_TEXT } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { parseHeader } from "./header.ts";
import { type HeaderPart, type Kind, MessageReader } from "./message-reader.ts";

/** The reference has no bound. No header that can be read is that long. */
const MAX_HEADER_TOKENS = 65_536;

/** All its methods throw HarmonyParseError; the reader then waits for the next `<|start|>`. */
export class StrictReader extends MessageReader {
  constructor(
    tokenizer: Tokenizer,
    role: Role | null,
    maxHeaderTokens: number = MAX_HEADER_TOKENS,
  ) {
    super(tokenizer, { role, maxHeaderTokens, endOfText: false, holdAfterUnknown: true });
  }

  override finish(): void {
    if (this.where === "header") {
      throw new HarmonyParseError("Unexpected EOS while waiting for message header to complete");
    }
    if (this.where === "content") this.endContent(null);
  }

  protected override readSpecial(id: number, kind: Kind): void {
    switch (this.where) {
      case "between":
        if (kind !== "start") throw this.#unexpected(id);
        this.leaveHeader("header");
        return;
      case "header": {
        if (kind !== "message") {
          this.addToHeader(id);
          return;
        }
        const text = this.#headerText(this.leaveHeader("between"));
        const header = parseHeader(text, this.presetRole);
        // Not before: after a header that could not be read, the next one has the preset role.
        this.presetRole = null;
        this.startContent(header);
        return;
      }
      case "content":
        if (kind === "end" || kind === "call" || kind === "return") this.endContent(kind);
        else {
          const text = this.decoder.push(id);
          if (text !== null) this.addContent(text);
        }
    }
  }

  protected override readBetween(part: HeaderPart): void {
    throw this.#unexpected(typeof part === "number" ? part : (this.tokenizer.encode(part)[0] ?? 0));
  }

  protected override headerTooLong(limit: number): void {
    this.leaveHeader("between");
    throw new HarmonyParseError(
      `message header is longer than ${limit} tokens without ${SPECIAL_TEXT.message}`,
    );
  }

  #headerText(parts: readonly HeaderPart[]): string {
    let text = "";
    let ids: number[] = [];
    const flush = (): void => {
      try {
        text += this.tokenizer.decode(ids);
      } catch {
        throw new HarmonyParseError("could not decode header");
      }
      ids = [];
    };
    for (const part of parts) {
      if (typeof part === "number") ids.push(part);
      else {
        flush();
        text += part;
      }
    }
    flush();
    return text;
  }

  #unexpected(id: number): HarmonyParseError {
    return new HarmonyParseError(
      `Unexpected token ${id} while expecting start token ${this.tokenizer.special.start}`,
    );
  }
}
