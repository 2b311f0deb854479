/**
 * The settings of a job: the flags of `chorale run` that are not at their defaults, as data. The worker reads them as it
 * reads a configuration, and takes what a job does not say from its own flags.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../errors.ts";
import { camelCase, type Flag, readFlag } from "../command/flag.ts";
import { runSettings } from "../commands/run.ts";
import { textsOf } from "../config-file.ts";
import type { AgentArguments, ModelArguments } from "../flags.ts";

export type RunArguments = AgentArguments & ModelArguments;

/** What the answer must be is read when the job is submitted; the others are about a terminal. */
const OTHERS: ReadonlySet<string> = new Set([
  ...["schema", "xsd", "root", "choice", "regex", "grammar"],
  ...["color", "quiet", "verbose"],
]);

const FLAGS: Readonly<Record<string, Flag>> = Object.fromEntries(
  Object.entries(runSettings).filter(([name]) => !OTHERS.has(name)),
);

/** Paths become whole ones: a worker runs elsewhere. */
export function settingsOf(args: RunArguments): Readonly<Record<string, unknown>> {
  const given = args as Readonly<Record<string, unknown>>;
  const found = Object.entries(FLAGS).flatMap(([name, flag]) => {
    const value = given[camelCase(name)];
    const isGiven =
      value !== undefined && value !== false && !(Array.isArray(value) && isEmptyList(value, flag));
    return isGiven ? [[name, wholePaths(name, flag, value)] as const] : [];
  });
  return Object.fromEntries(found);
}

/** A list of names that is empty was given as `none`. */
const isEmptyList = (value: readonly unknown[], flag: Flag): boolean =>
  value.length === 0 && flag.type !== "names";

function wholePaths(name: string, { completes }: Flag, value: unknown): unknown {
  if (completes !== "file" && completes !== "folder") return value;
  const whole = (text: string): string => {
    if (/^[a-z][a-z0-9+]*:\/\//.test(text)) return text;
    // What is no file here is the name of a model or of a package.
    const isName = (name === "model" || name === "plugin") && !existsSync(text);
    return isName ? text : resolve(text);
  };
  return Array.isArray(value) ? value.map(whole) : whole(String(value));
}

/**
 * The arguments of a job's run.
 * @param own those of the worker
 * @param settings what the database holds for the job
 * @throws UsageError for a setting that this version does not know, or a value that it does not accept
 */
export function argumentsOf(
  own: RunArguments,
  settings: Readonly<Record<string, unknown>>,
): RunArguments {
  const read = Object.entries(settings).map(([name, value]) => {
    const flag = FLAGS[name];
    if (flag === undefined || !Object.hasOwn(FLAGS, name)) {
      throw new UsageError(
        `The job has the setting ${JSON.stringify(name.slice(0, 60))}, which this Chorale does not know; see ` +
          "chorale run --help for those that there are.",
      );
    }
    const place = `${name} of the job`;
    const list = textsOf(value, place) ?? [];
    const texts = flag.type === "names" ? [list.length === 0 ? "none" : list.join(",")] : list;
    return [camelCase(name), readFlag(flag, texts, place)] as const;
  });
  return { ...own, ...Object.fromEntries(read) };
}

/** Settings of a turn: jobs that differ in these alone share a model and its tools. */
const OF_A_TURN: ReadonlySet<string> = new Set([
  ...["instructions", "system", "effort", "max-steps", "max-tokens", "max-reasoning-tokens"],
  ...["max-seconds", "max-tool-calls", "max-output-bytes", "tool-token-budget", "no-compaction"],
  ...["max-retries", "verify-citations", "free-headers", "free-content", "on-limit"],
  ...["temperature", "top-p", "top-k", "min-p", "repeat-penalty", "repeat-last-n"],
  ...["presence-penalty", "frequency-penalty", "seed"],
  // Every job has a Python of its own.
  ...["file", "artifacts", "packages"],
]);

/** Equal for jobs that can share what is open. */
export function placeKey(settings: Readonly<Record<string, unknown>>): string {
  const shared = Object.entries(settings).filter(([name]) => !OF_A_TURN.has(name));
  return JSON.stringify(shared.sort(([a], [b]) => (a < b ? -1 : 1)));
}
