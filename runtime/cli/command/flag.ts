/**
 * What a flag is: one plain value that says its help and what it accepts, and by that the type that a command gets.
 * The command line, the environment, the configuration, shell completion and help are all made from it.
 */
import { UsageError } from "../../errors.ts";

/** What a shell offers where a value stands. */
export type Completes =
  | "file"
  | "folder"
  | "profile"
  | "thread"
  | "setting"
  /** Of the setting that the place before names. */
  | "value";

export type Flag = {
  readonly describe: string;
  /** One letter. */
  readonly short?: string;
  /** Older names that are still taken. */
  readonly also?: readonly string[];
  readonly completes?: Completes;
  /** What a command gets where the flag is not given. */
  readonly default?: string | number;
} & (
  | { readonly type: "switch" }
  /** With `list` it may be repeated. */
  | { readonly type: "text"; readonly placeholder: string; readonly list?: true }
  /** Names with commas between them, or `none` for an empty list. */
  | { readonly type: "names"; readonly placeholder: string }
  | { readonly type: "choice"; readonly words: readonly string[] }
  /** Both bounds are accepted. */
  | {
      readonly type: "number" | "integer";
      readonly placeholder: string;
      readonly min: number;
      readonly max: number;
    }
  /** `8G`, `1.5GiB`, `500M`, plain bytes: powers of 1,024. */
  | { readonly type: "bytes"; readonly placeholder: string }
  /** `90`, `90s`, `5m`, `1h30m`, `250ms`; the value is in milliseconds. */
  | { readonly type: "duration"; readonly placeholder: string }
);

export type Flags = Readonly<Record<string, Flag>>;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type Given<F> = F extends { readonly type: "choice"; readonly words: readonly (infer Word)[] }
  ? Word
  : F extends { readonly type: "number" | "integer" | "bytes" | "duration" }
    ? number
    : F extends { readonly type: "names" }
      ? readonly string[]
      : string;

type ValueOf<F> = F extends { readonly type: "switch" }
  ? boolean
  : F extends { readonly list: true }
    ? readonly string[]
    : F extends { readonly default: string | number }
      ? Given<F>
      : Given<F> | undefined;

/** What a command gets for its flags: `top-p` is `topP`. A list that is not given is empty. */
export type ArgumentsOf<F extends Flags> = {
  readonly [Name in keyof F as CamelCase<Name & string>]: ValueOf<F[Name]>;
};

/** `top-p` → `topP` */
export const camelCase = (name: string): string =>
  name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** What stands for the value in help and messages; null: the flag takes none. */
export function placeholderOf(flag: Flag): string | null {
  if (flag.type === "switch") return null;
  return flag.type === "choice" ? flag.words.join("|") : flag.placeholder;
}

export const isList = (flag: Flag): boolean => flag.type === "text" && flag.list === true;

/**
 * The value that a command gets.
 *
 * @param texts every value that was given; none: the flag is absent
 * @param name how the place is called where they were given, like `--seed`
 * @throws UsageError naming the place, what was given, and what would be accepted
 */
export function readFlag(flag: Flag, texts: readonly string[], name: string): unknown {
  if (texts.includes("")) throw new UsageError(`${name} needs a value.`);
  if (isList(flag)) return texts;
  if (texts.length > 1) {
    throw new UsageError(`${name} is given ${texts.length} times; give it once.`);
  }
  const [text] = texts;
  if (text === undefined) return flag.type === "switch" ? false : flag.default;
  switch (flag.type) {
    case "switch":
      return wordOf(["true", "false"], text, name) === "true";
    case "text":
      return text;
    case "choice":
      return wordOf(flag.words, text, name);
    case "names":
      return namesOf(text, name);
    case "number":
    case "integer":
      return numberOf(flag, text, name);
    case "bytes":
      return bytesOf(text, name);
    case "duration":
      return durationOf(text, name);
  }
}

function wordOf(words: readonly string[], text: string, name: string): string {
  if (words.includes(text)) return text;
  throw new UsageError(`${name} is ${JSON.stringify(text)}; accepted: ${words.join(", ")}.`);
}

function namesOf(text: string, name: string): readonly string[] {
  if (text === "none") return [];
  const list = text.split(",").map((item) => item.trim());
  if (!list.includes("")) return list;
  throw new UsageError(
    `${name} is ${JSON.stringify(text)}; accepted: names with commas between them, or none.`,
  );
}

function numberOf(
  { type, min, max }: { readonly type: string; readonly min: number; readonly max: number },
  text: string,
  name: string,
): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(
      `${name} is ${JSON.stringify(text)}; accepted: a number from ${min} to ${max}.`,
    );
  }
  if (type === "number" || Number.isInteger(value)) return value;
  throw new UsageError(`${name} is ${value}; accepted: a whole number.`);
}

function bytesOf(text: string, name: string): number {
  const [, size, unit = ""] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Math.floor(Number(size) * 1024 ** " KMGT".indexOf(unit.toUpperCase() || " "));
  if (bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER) return bytes;
  throw new UsageError(
    `${name} is ${JSON.stringify(text)}; accepted: bytes, or a number with K, M, G or T, like 8G.`,
  );
}

/** What a timer of Node can wait for: 24 days. */
const LONGEST_DURATION_MS = 2 ** 31 - 1;
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function durationOf(text: string, name: string): number {
  const isPlain = /^\d+(\.\d+)?$/.test(text);
  const isDuration = isPlain || /^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text);
  const parts = isPlain ? [[text, text, "s"]] : text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
  let total = isDuration ? 0 : Number.NaN;
  for (const [, amount, unit = ""] of parts) total += Number(amount) * (UNIT_MS[unit] ?? 0);
  const ms = Math.round(total);
  if (ms >= 1 && ms <= LONGEST_DURATION_MS) return ms;
  throw new UsageError(
    `${name} is ${JSON.stringify(text)}; accepted: seconds, or a time like 90s, 5m, 1h30m, up to 24d.`,
  );
}
