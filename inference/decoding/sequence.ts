/** What main thread and workers share about sequences that are decoded together. */

import type { Sampling, TokenLogprobs } from "../engine.ts";
import type { MaskCells } from "./mask-channel.ts";

/** Whether drafts are checked: where they are expected to pay, or wherever there are some. */
export type Speculation = boolean | "always";

/** One session's part of a decode command. Plain data, posted to every worker. */
export type DecodeSequence = {
  readonly session: number;
  /** Position of the last id of the timeline, which is not computed yet. */
  readonly start: number;
  readonly maxTokens: number;
  readonly stopIds: ReadonlySet<number>;
  readonly sampling: Sampling;
  readonly sampleableIds: Uint32Array | undefined;
  /** Where the masks of a matcher come from. */
  readonly masks: MaskCells | undefined;
  /** So many likeliest ids are reported with each id; undefined: no log probabilities. */
  readonly logprobs: number | undefined;
  readonly speculation: Speculation;
  /** For measurements: the ids that come; the logits are computed, but decide nothing. */
  readonly forcedIds: readonly number[] | undefined;
};

/** From the leading thread, in order. */
export type DecodeReport =
  | {
      readonly type: "token";
      /** Index in the command. */
      readonly sequence: number;
      readonly id: number;
      /** It is the next one of the last draft, whose masks came with that: no other is waited for. */
      readonly isDrafted: boolean;
      readonly logprobs: TokenLogprobs | undefined;
    }
  | {
      /** What a matcher is to look at before it is computed; the answer comes by the mask channel. */
      readonly type: "draft";
      readonly sequence: number;
      readonly ids: readonly number[];
    }
  | {
      /** The numbers of a sequence are broken: see `BrokenNumbersError`. */
      readonly type: "broken";
      readonly sequence: number;
      readonly position: number;
    }
  | {
      /** No further token of this sequence comes from this command. */
      readonly type: "sequence-ended";
      readonly sequence: number;
      readonly counts: DecodeCounts;
    };

/** What decoding took. */
export type DecodeCounts = {
  /** Passes through the model. */
  readonly forwards: number;
  /** Ids proposed by drafts. */
  readonly drafted: number;
  /** Proposed ids that came. */
  readonly accepted: number;
  /** Ids for which bounds of the logits were enough, and the logits that these took. */
  readonly screened: number;
  readonly computedLogits: number;
};

/** Before anything was decoded. */
export const NO_COUNTS: DecodeCounts = {
  forwards: 0,
  drafted: 0,
  accepted: 0,
  screened: 0,
  computedLogits: 0,
};
