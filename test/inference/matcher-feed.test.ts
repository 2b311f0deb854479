import { expect, test } from "vitest";
import { MaskChannel } from "../../inference/decoding/mask-channel.ts";
import { MatcherFeed } from "../../inference/decoding/matcher-feed.ts";
import type { GenerateOptions, TokenMatcher } from "../../inference/engine.ts";

const VOCAB_SIZE = 40;
const OPTIONS = {} as GenerateOptions;

/** Allows everything, and keeps what it has accepted. */
function freeMatcher(accepted: number[]): TokenMatcher {
  return {
    accept: (id) => void accepted.push(id),
    rollback: (count) => void accepted.splice(accepted.length - count),
    mask: () => null,
  };
}

test("an id that equals one of an old draft is answered like any other", () => {
  const accepted: number[] = [];
  const channel = MaskChannel.create(VOCAB_SIZE);
  const feed = new MatcherFeed(freeMatcher(accepted), OPTIONS, VOCAB_SIZE, channel);
  feed.begin();
  channel.ask();
  feed.draft([5, 6]);
  expect(channel.wait(() => true)).toBe(true);
  expect(accepted).toEqual([5, 6]);
  // The next command drafts nothing, and asks for the mask behind the same id.
  channel.ask();
  expect(feed.take(5, false, true)).toBe(true);
  expect(channel.wait(() => true)).toBe(true);
  expect(accepted).toEqual([5]);
});

test("an id of the draft has its mask already", () => {
  const accepted: number[] = [];
  const channel = MaskChannel.create(VOCAB_SIZE);
  const feed = new MatcherFeed(freeMatcher(accepted), OPTIONS, VOCAB_SIZE, channel);
  feed.begin();
  channel.ask();
  feed.draft([5, 6]);
  expect(feed.take(5, true, true)).toBe(true);
  expect(channel.wait(() => true)).toBe(true);
  expect(accepted).toEqual([5, 6]);
  feed.keep();
  feed.end();
  expect(accepted).toEqual([5]);
});
