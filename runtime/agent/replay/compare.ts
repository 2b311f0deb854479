/** A step that was sampled again, beside the one of the record. */
import type { Sampled } from "../../thread/entry.ts";
import type { ReplayDifference } from "./report.ts";

type Found = Pick<ReplayDifference, "what" | "message" | "recorded" | "replayed" | "token">;

/** Ids around a difference that are shown. */
const SHOWN_IDS = 12;
const MOST_CHARACTERS = 400;

/** Whether the record's step was ended by something that a replay does not have: a person, a clock, a failure. */
export function wasCutFromOutside({ finish }: Sampled): boolean {
  return finish === "cancelled" || finish === "budget" || finish === "failed";
}

/** @param decode for people; absent: ids are shown as numbers */
export function compareSteps(
  recorded: Sampled,
  replayed: Sampled,
  decode: (ids: readonly number[]) => string,
): Found | null {
  if (isOtherPrompt(recorded, replayed)) {
    return {
      what: "prompt",
      message: "The model reads another prompt than was recorded.",
      recorded: `${recorded.usage.inputTokens} tokens (${recorded.promptHash ?? "no hash"})`,
      replayed: `${replayed.usage.inputTokens} tokens (${replayed.promptHash ?? "no hash"})`,
    };
  }
  const isCut = wasCutFromOutside(recorded);
  const length = isCut ? recorded.ids.length : Math.max(recorded.ids.length, replayed.ids.length);
  for (let at = 0; at < length; at++) {
    if (recorded.ids[at] === replayed.ids[at]) continue;
    const from = Math.max(0, at - SHOWN_IDS);
    const shown = (ids: readonly number[]): string => {
      const before = decode(ids.slice(from, at));
      const rest = decode(ids.slice(at, at + SHOWN_IDS));
      return `${from > 0 ? "…" : ""}${before}⟦${rest}⟧${at + SHOWN_IDS < ids.length ? "…" : ""}`;
    };
    return {
      what: "tokens",
      token: at,
      message: `The model reads the same and writes another token at ${at}.`,
      recorded: shown(recorded.ids),
      replayed: shown(replayed.ids),
    };
  }
  return isCut ? null : otherUnderstanding(recorded, replayed);
}

function isOtherPrompt(recorded: Sampled, replayed: Sampled): boolean {
  if (recorded.promptHash !== undefined && replayed.promptHash !== undefined) {
    return recorded.promptHash !== replayed.promptHash;
  }
  return recorded.usage.inputTokens !== replayed.usage.inputTokens;
}

/** The first field that differs, of those that follow from the ids. */
function otherUnderstanding(recorded: Sampled, replayed: Sampled): Found | null {
  const fields = ["messages", "notices", "isClean", "outcome", "finish"] as const;
  for (const field of fields) {
    const place = firstDifference(recorded[field], replayed[field], field);
    if (place === null) continue;
    return {
      what: "understanding",
      message: `The model writes the same, and ${place.path} of it is understood otherwise.`,
      recorded: shortJson(place.one),
      replayed: shortJson(place.other),
    };
  }
  return null;
}

export type Place = { readonly path: string; readonly one: unknown; readonly other: unknown };

/** Where two JSON values differ first, depth first; null: nowhere. Absent and undefined are the same. */
export function firstDifference(one: unknown, other: unknown, path: string): Place | null {
  if (Object.is(one, other)) return null;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return { path, one, other };
  }
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  for (const key of keys) {
    const inner = Array.isArray(one) ? `${path}[${key}]` : `${path}.${key}`;
    const found = firstDifference(
      (one as Record<string, unknown>)[key],
      (other as Record<string, unknown>)[key],
      inner,
    );
    if (found !== null) return found;
  }
  return null;
}

export function shortJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
