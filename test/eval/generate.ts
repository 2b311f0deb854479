/** The held-out tasks: the same for the same seed, in the order of the families. */
import { arithmetic } from "./families/arithmetic.ts";
import { dates } from "./families/dates.ts";
import { documents } from "./families/documents.ts";
import type { Draft } from "./families/draft.ts";
import { everyday } from "./families/everyday.ts";
import { files } from "./families/files.ts";
import { followUp } from "./families/follow-up.ts";
import { functionCall, noTool } from "./families/function.ts";
import { outside } from "./families/outside.ts";
import { recovery, twoStep } from "./families/sequences.ts";
import { smallTalk } from "./families/small-talk.ts";
import { json, xml } from "./families/structured.ts";
import { text } from "./families/text.ts";
import { Random } from "./random.ts";
import { FAMILIES, type Family, type Task } from "./task.ts";

/** Tasks of each family, out of `DEFAULT_COUNT`. */
const SHARES: Readonly<Record<Family, number>> = {
  arithmetic: 50,
  text: 50,
  dates: 50,
  function: 50,
  no_tool: 50,
  documents: 40,
  json: 50,
  xml: 50,
  recovery: 30,
  two_step: 30,
  outside: 50,
  follow_up: 40,
  files: 30,
  small_talk: 20,
  everyday: 30,
};

export const DEFAULT_COUNT: number = Object.values(SHARES).reduce((sum, each) => sum + each, 0);

const GENERATORS: Readonly<Record<Family, (random: Random) => Draft>> = {
  arithmetic,
  text,
  dates,
  function: functionCall,
  no_tool: noTool,
  documents,
  json,
  xml,
  recovery,
  two_step: twoStep,
  outside,
  follow_up: followUp,
  files,
  small_talk: smallTalk,
  everyday,
};

/** About `count` tasks, at least one of every family. */
export function generateTasks(seed: number, count: number = DEFAULT_COUNT): readonly Task[] {
  return FAMILIES.flatMap((family) => {
    const random = new Random(seed, family);
    const length = Math.max(1, Math.round((SHARES[family] * count) / DEFAULT_COUNT));
    return Array.from({ length }, (_, index): Task => {
      const draft = GENERATORS[family](random);
      const effort = random.pick([undefined, undefined, "low", "medium", "high"] as const);
      return {
        id: `${family}-${String(index + 1).padStart(3, "0")}`,
        family,
        ...draft,
        ...(effort && { effort }),
      };
    });
  });
}
