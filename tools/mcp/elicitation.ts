/** What a server asks the user in the middle of a call. */
import type { JsonSchema } from "../../harmony/index.ts";
import { untrustedSchema, untrustedText } from "./untrusted-text.ts";

export type ElicitationRequest = {
  readonly server: string;
  /** The server's question: text that is not trusted. */
  readonly message: string;
  /** An object of texts, numbers, booleans and choices, without nested objects. */
  readonly schema: JsonSchema;
};

export type ElicitationAnswer =
  | {
      readonly action: "accept";
      /** What is left out gets the schema's defaults. */
      readonly content: Readonly<Record<string, string | number | boolean | readonly string[]>>;
    }
  /** The user said no. */
  | { readonly action: "decline" }
  /** The user did not answer. */
  | { readonly action: "cancel" };

/** Asks the user. */
export type ElicitationHandler = (
  request: ElicitationRequest,
  options: { readonly signal: AbortSignal },
) => Promise<ElicitationAnswer>;

const MESSAGE_UNITS = 4_000;
/** Questions that wait for an answer at the same time; a server that asks more is declined. */
const MOST_OPEN = 1;

/** The questions of one server. Without a handler all are declined. */
export class Elicitations {
  readonly #server: string;
  readonly #handler: ElicitationHandler | undefined;
  readonly #onWait: (isWaiting: boolean) => void;
  #open = 0;

  /** @param onWait  told when the server begins to wait for its user, and when that is over */
  constructor(
    server: string,
    handler: ElicitationHandler | undefined,
    onWait: (isWaiting: boolean) => void,
  ) {
    this.#server = server;
    this.#handler = handler;
    this.#onWait = onWait;
  }

  async answer(
    params: {
      readonly mode?: string | undefined;
      readonly message: string;
      readonly requestedSchema?: unknown;
    },
    signal: AbortSignal,
  ): Promise<ElicitationAnswer> {
    // A page of the server that a person should visit: this client says that it has none of that.
    if (this.#handler === undefined || params.mode === "url") return { action: "decline" };
    if (this.#open >= MOST_OPEN) return { action: "decline" };
    this.#open++;
    this.#onWait(true);
    try {
      const request: ElicitationRequest = {
        server: this.#server,
        message: untrustedText(params.message, MESSAGE_UNITS),
        schema: untrustedSchema(params.requestedSchema ?? { type: "object" }),
      };
      return await this.#handler(request, { signal });
    } catch {
      // The handler failed, or the schema is beyond all bounds.
      return { action: "cancel" };
    } finally {
      this.#open--;
      this.#onWait(false);
    }
  }
}
