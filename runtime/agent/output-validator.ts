/** What checks an answer, and what comes of it. */
import type { OutputFormat } from "../context.ts";

export type Answer = {
  readonly text: string;
  /** Parsed, for JSON. */
  readonly value?: unknown;
};

export type ValidatedAnswer =
  | { readonly answer: Answer }
  | {
      /** What is wrong, one line each. */
      readonly problems: readonly string[];
      /** The same as the model is told, with what to do. */
      readonly feedback: string;
    };

export type OutputValidator = {
  /** What the model is told. */
  readonly format: OutputFormat;
  readonly validate: (text: string) => Promise<ValidatedAnswer>;
};
