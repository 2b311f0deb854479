/**
 * `npm run bench -- citations`: how well `--verify-citations` tells citations that support their sentence from those
 * that do not, on the labelled set.
 */
import { resolveCitations } from "../../runtime/citations/index.ts";
import { verifyCitations } from "../../runtime/citations/verify/verify.ts";
import { type LabelledSentence, readLabelled } from "../fixtures/citations/read-labelled.ts";
import { madeSources } from "../runtime/citations/sources.ts";
import type { Bench } from "./bench.ts";

/** Of the sentences that are not supported, those that the check finds are the positives. */
export type CitationScores = {
  readonly found: number;
  readonly missed: number;
  readonly falseAlarms: number;
  readonly accepted: number;
};

/** What the check says of a sentence that cites its lines. */
export function saysSupported({ title, lines, sentence }: LabelledSentence): boolean {
  const sources = madeSources([{ url: "page", title, lines }]);
  const text = `${sentence.replace(/[.]$/, "")}【0†L0-L${lines.length - 1}】.`;
  const { annotations } = verifyCitations(text, resolveCitations(text, sources), sources);
  return annotations.every(
    (each) => each.type === "url_citation" && each.support !== "unsupported",
  );
}

export function scoresOf(labelled: readonly LabelledSentence[]): CitationScores {
  const count = (isSupported: boolean, says: boolean): number =>
    labelled.filter((each) => each.isSupported === isSupported && saysSupported(each) === says)
      .length;
  return {
    found: count(false, false),
    missed: count(false, true),
    falseAlarms: count(true, false),
    accepted: count(true, true),
  };
}

export function precision({ found, falseAlarms }: CitationScores): number {
  return found / (found + falseAlarms);
}

export function recall({ found, missed }: CitationScores): number {
  return found / (found + missed);
}

export function accuracy({ found, accepted, missed, falseAlarms }: CitationScores): number {
  return (found + accepted) / (found + accepted + missed + falseAlarms);
}

const percent = (share: number): string =>
  Number.isNaN(share) ? "–" : `${(share * 100).toFixed(1)} %`;

export const bench: Bench = async () => ({
  labelled: figuresOf("labelled"),
  held_out: figuresOf("held-out"),
});

function figuresOf(set: "labelled" | "held-out"): object {
  const labelled = readLabelled(set);
  console.error(`\n${set.padEnd(18)}    n precision    recall  accuracy`);
  const groups = (key: "kind" | "language"): readonly string[] => [
    ...new Set(labelled.map((each) => each[key])),
  ];
  for (const key of ["kind", "language"] as const) {
    for (const name of groups(key)) {
      print(
        name,
        labelled.filter((each) => each[key] === name),
      );
    }
  }
  print("all", labelled);
  for (const each of labelled) {
    const says = saysSupported(each);
    if (says === each.isSupported) continue;
    console.error(
      `${says ? "missed" : "false alarm"} (${each.kind}, ${each.language}): ${each.sentence}`,
    );
  }
  const passed = labelled.filter(saysSupported);
  const share = (part: readonly LabelledSentence[]): number =>
    part.filter(({ isSupported }) => isSupported).length / part.length;
  console.error(
    `Share of citations that support their sentence: ${percent(share(labelled))} as written, ` +
      `${percent(share(passed))} of those that the check lets pass.`,
  );
  const counts = scoresOf(labelled);
  return {
    sentences: labelled.length,
    ...counts,
    precision: precision(counts),
    recall: recall(counts),
    accuracy: accuracy(counts),
    supporting_share: share(labelled),
    supporting_share_passed: share(passed),
  };
}

function print(name: string, part: readonly LabelledSentence[]): void {
  const counts = scoresOf(part);
  const figures = [precision(counts), recall(counts), accuracy(counts)];
  const columns = figures.map((each) => percent(each).padStart(10)).join("");
  console.error(`${name.padEnd(18)}${String(part.length).padStart(5)}${columns}`);
}
