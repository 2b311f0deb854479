/** `chorale models compare`: whether a server says of the same ids what a model of this machine says. */
import type { Tokenizer } from "../../../harmony/index.ts";
import {
  demoModelName,
  type ExpertKind,
  type Precision,
  type TokenLogprob,
} from "../../../inference/index.ts";
import { UsageError } from "../../errors.ts";
import { loadModel, loadRemoteModel, type RemoteModel, resolveModelName } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readTextFile } from "../read-input.ts";
import { visibleText } from "../terminal-text.ts";
import {
  type Agreement,
  agreement,
  type ComparedId,
  comparePlace,
  difference,
  type PlaceComparison,
} from "./compare-places.ts";

export type CompareArguments = {
  readonly name: string | undefined;
  readonly text: readonly string[];
  readonly file: readonly string[];
  readonly tolerance: number;
  readonly top: number;
  readonly engine: readonly string[];
  readonly engineKeyFile: string | undefined;
  readonly threads: number | undefined;
  readonly precision: Precision | undefined;
  readonly experts: ExpertKind | undefined;
  readonly json: boolean;
};

/** A conversation, prose, other scripts and code: what is compared where nothing is given. */
const TEXTS: readonly string[] = [
  "<|start|>user<|message|>What is 12 * 34?<|end|><|start|>assistant<|channel|>analysis<|message|>The user wants 12 * 34.",
  "The first railway between two cities was opened in 1830, and within twenty years most towns had a station.",
  'Die Straße führt über 3 Brücken. 漢字とかな 🙂\n\nfunction add(a, b) { return a + b; } // {"sum": 3}',
];

const MAX_FILE_BYTES = 8 << 20;
/** Differences that are shown. */
const SHOWN = 5;
/** Tokens of text before a place that is shown. */
const TOKENS_BEFORE = 8;

/**
 * Status 1 where they do not agree.
 * @throws UsageError, InferenceError, ModelError; the signal's reason
 */
export async function compareCommand(
  args: CompareArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, env, signal } = context;
  if (args.engine.length === 0) {
    throw new UsageError("No server is named; accepted: --engine with its address.");
  }
  const found = resolveModelName(args.name, env);
  const notes: string[] = [];
  await using remote = await loadRemoteModel(args.engine, {
    vocabularyOf: found?.path ?? demoModelName,
    keyFile: args.engineKeyFile,
    env,
    signal,
    onNote: (note) => notes.push(note),
  });
  for (const note of notes) output.note(note);
  const texts = await readTexts(args, remote);
  const told = await askServer(remote, texts, args.top, context);
  const { threads, precision, experts } = args;
  const contextLength = Math.max(...texts.map(({ length }) => length)) + 1;
  await using local = await loadModel(found?.path, {
    ...{ threads, precision, experts },
    contextLength,
  });
  const { engine } = local;
  if (engine.forEachLogits === undefined) {
    throw new UsageError(`${local.name} tells no logits; accepted: a model of this machine.`);
  }
  const places: PlaceComparison[] = [];
  for (const [text, ids] of texts.entries()) {
    const onRow = (row: Float32Array, place: number): void => {
      places.push(comparePlace(row, told[text]?.[place] ?? [], { text, place }));
    };
    await engine.forEachLogits(ids, onRow, { signal });
  }
  const result = agreement(places, args.tolerance);
  const worst = places
    .flatMap(({ ids }) => ids)
    .sort((a, b) => difference(b) - difference(a))
    .slice(0, SHOWN);
  const names = [
    `${found?.name ?? demoModelName} (${engine.precision ?? "unknown precision"})`,
    remote.name,
  ] as const;
  if (args.json) {
    output.jsonLine({
      ...{ model: names[0], server: names[1], texts: texts.length },
      ...{ ...result, tolerance: args.tolerance },
      worst: worst.map((one) => ({ ...one, token: textOf(remote.tokenizer, [one.id]) })),
      changed: changed(places).map(({ ids, here, there, gap }) => ({
        ...{ text: ids[0]?.text, place: ids[0]?.place, here, there, gap },
      })),
    });
  } else {
    for (const line of report(names, texts, result, worst, places, remote.tokenizer, args)) {
      output.line(visibleText(line));
    }
  }
  return result.agrees ? EXIT.ok : EXIT.failed;
}

async function askServer(
  { engine }: RemoteModel,
  texts: readonly (readonly number[])[],
  top: number,
  { output, signal }: CommandContext,
): Promise<readonly (readonly (readonly TokenLogprob[])[])[]> {
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  const told: (readonly (readonly TokenLogprob[])[])[] = [];
  let before = 0;
  for (const ids of texts) {
    const onProgress = (done: number): void =>
      output.progress(`the server: ${before + done} of ${total} places`);
    told.push(await engine.promptLogprobs(ids, { top, signal, onProgress }));
    before += ids.length;
  }
  return told;
}

/** @throws UsageError for a file that cannot be read, or text without ids */
async function readTexts(
  { text, file }: CompareArguments,
  { tokenizer, engine }: RemoteModel,
): Promise<readonly (readonly number[])[]> {
  const given = text.map((one) => tokenizer.encodeWithSpecials(one));
  for (const path of file) {
    const content = await readTextFile(path, MAX_FILE_BYTES);
    given.push(
      ...(idLists(content, path, engine.vocabSize) ?? [tokenizer.encodeWithSpecials(content)]),
    );
  }
  const texts = given.length > 0 ? given : TEXTS.map((one) => tokenizer.encodeWithSpecials(one));
  if (texts.some(({ length }) => length === 0)) {
    throw new UsageError("A text to compare is empty; accepted: texts of at least one token.");
  }
  return texts;
}

/** @returns null for what is no JSON list. @throws UsageError for a list of something else than ids */
function idLists(content: string, path: string, vocabSize: number): number[][] | null {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return null;
  }
  if (!Array.isArray(value)) return null;
  const lists: unknown[] = value.every((one) => Array.isArray(one)) ? value : [value];
  const isId = (id: unknown): boolean =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  if (lists.every((list) => Array.isArray(list) && list.every(isId))) return lists as number[][];
  throw new UsageError(
    `${path} is a JSON list, but not one of token ids; accepted: [1, 2, …] or [[1, 2, …], …] with ids below ${vocabSize}.`,
  );
}

function changed(places: readonly PlaceComparison[]): readonly PlaceComparison[] {
  return places.filter(({ here, there }) => here !== there);
}

function report(
  [here, there]: readonly [string, string],
  texts: readonly (readonly number[])[],
  result: Agreement,
  worst: readonly ComparedId[],
  places: readonly PlaceComparison[],
  tokenizer: Tokenizer,
  { tolerance }: CompareArguments,
): string[] {
  const shown = (ids: readonly number[]): string => JSON.stringify(textOf(tokenizer, ids));
  const where = ({ text, place }: Pick<ComparedId, "text" | "place">): string => {
    const ids = texts[text] ?? [];
    const before = ids.slice(Math.max(0, place + 1 - TOKENS_BEFORE), place + 1);
    return `text ${text + 1}, behind ${place + 1} ids, ${shown(before)}`;
  };
  const { same, ties, places: count, ids, mean, max, agrees } = result;
  const lines = [
    `here   ${here}`,
    `there  ${there}`,
    `same likeliest id   ${same} of ${count} places${ties > 0 ? `, ${ties} more with a tie` : ""}`,
    `log probabilities   ${short(mean)} apart in the mean, ${short(max)} at most (${ids} ids of at least 0.1 %)`,
  ];
  const others = changed(places).filter(({ ids: [first] }) => first !== undefined);
  if (others.length > 0) lines.push("another likeliest id:");
  for (const one of others.slice(0, SHOWN)) {
    const [first] = one.ids as [ComparedId];
    const gap = Number.isFinite(one.gap) ? `, ${short(one.gap)} apart` : "";
    lines.push(`  ${where(first)}: here ${shown([one.here])}, there ${shown([one.there])}${gap}`);
  }
  if (max > 0) lines.push("farthest apart:");
  for (const one of max > 0 ? worst : []) {
    lines.push(
      `  ${where(one)}: ${shown([one.id])} has ${short(one.here)} here, ${short(one.there)} there`,
    );
  }
  lines.push(
    agrees
      ? `They agree: within ${tolerance}.`
      : `They do not agree: accepted are the same likeliest ids, or two within ${tolerance}, and ${tolerance} in the mean.`,
  );
  return lines;
}

function textOf(tokenizer: Tokenizer, ids: readonly number[]): string {
  try {
    return tokenizer.decode(ids);
  } catch {
    // A server may name ids that the vocabulary does not have.
    return ids.map((id) => `<${id}>`).join("");
  }
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
