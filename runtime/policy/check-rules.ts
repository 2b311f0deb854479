/** From what a file or a program holds to rules, with a sentence for everything that is none. */
import { nearestNames, parseHostPattern } from "../../tools/index.ts";
import { messageOf } from "../errors.ts";
import { ORIGINS } from "./effects.ts";
import type { PolicyAction } from "./policy.ts";
import { type ArgumentPattern, DEFAULT_RULES, type Otherwise, type PolicyRule } from "./rules.ts";

export type PolicyDocument = {
  readonly rules: readonly PolicyRule[];
  readonly otherwise: Otherwise;
};

/** What is wrong, and where: names and indexes from the outermost value on. */
export class RuleProblem extends Error {
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], problem: string) {
    super(`${placeName(path)} ${problem}`);
    this.path = path;
  }
}

type Path = readonly (string | number)[];

const ACTIONS: readonly PolicyAction[] = ["allow", "ask", "deny"];
const TAINTS = ["any", "tainted", "clean"] as const;
const OTHERWISE: readonly Otherwise[] = ["default", ...ACTIONS];
const VERSION = 1;
const MAX_RULES = 1_000;
const MAX_TEXT = 1_000;

/** Names that decisions have which no rule made. */
const RESERVED: ReadonlySet<string> = new Set([
  ...DEFAULT_RULES.flatMap(({ name }) => name ?? []),
  ...["tool", "trusted-server", "tainted", "changed-tool", "undecided", "otherwise"],
  ...["answer-session", "answer-always", "no_approver", "caller", "user"],
]);

type Check<T> = (value: unknown, path: Path) => T;

/** The keys of a rule, and what each must be. */
const RULE_KEYS: { readonly [Key in keyof PolicyRule]-?: Check<PolicyRule[Key]> } = {
  name: ruleName,
  action: (value, path) => oneOf(value, path, ACTIONS),
  tools: (value, path) => texts(value, path),
  origin: (value, path) =>
    list(value).map((item, at) => oneOf(item, itemPath(value, path, at), ORIGINS)),
  readOnly: flag,
  destructive: flag,
  openWorld: flag,
  arguments: argumentPatterns,
  hosts: (value, path) => texts(value, path, hostProblem),
  hostsAt: (value, path) => texts(value, path, pointerProblem),
  paths: (value, path) => texts(value, path, pathProblem),
  pathsAt: (value, path) => texts(value, path, pointerProblem),
  taint: (value, path) => oneOf(value, path, TAINTS),
  reason: (value, path) => text(value, path),
};

/** @throws RuleProblem for the first thing that is wrong */
export function checkDocument(value: unknown): PolicyDocument {
  const document = object(value, []);
  onlyKeys(document, [], ["version", "rules", "otherwise"]);
  const { version, rules, otherwise } = document;
  if (version !== undefined && version !== VERSION) {
    throw new RuleProblem(["version"], `is ${shown(version)}; accepted: ${VERSION}.`);
  }
  if (rules !== undefined && !Array.isArray(rules)) {
    throw new RuleProblem(["rules"], `is ${shown(rules)}; accepted: a list of rules.`);
  }
  if (rules === undefined && otherwise === undefined) {
    throw new RuleProblem([], "has no rules; accepted: an object with the list `rules`.");
  }
  if ((rules ?? []).length > MAX_RULES) {
    throw new RuleProblem(["rules"], `has more than ${MAX_RULES} rules.`);
  }
  const checked = (rules ?? []).map((rule: unknown, at: number) => checkRule(rule, ["rules", at]));
  checkNames(checked);
  return {
    rules: checked,
    otherwise: otherwise === undefined ? "default" : oneOf(otherwise, ["otherwise"], OTHERWISE),
  };
}

function checkRule(value: unknown, path: Path): PolicyRule {
  const rule = object(value, path);
  onlyKeys(rule, path, Object.keys(RULE_KEYS));
  if (rule["action"] === undefined) {
    throw new RuleProblem(path, `has no action; accepted: ${ACTIONS.join(", ")}.`);
  }
  const entries = Object.entries(rule).filter(([, found]) => found !== undefined);
  const checked = Object.fromEntries(
    entries.map(([key, found]) => [
      key,
      (RULE_KEYS[key as keyof PolicyRule] as Check<unknown>)(found, [...path, key]),
    ]),
  ) as PolicyRule;
  for (const [at, of] of [
    ["hostsAt", "hosts"],
    ["pathsAt", "paths"],
  ] as const) {
    if (checked[at] !== undefined && checked[of] === undefined) {
      throw new RuleProblem([...path, at], `says where ${of} are, and the rule has no ${of}.`);
    }
  }
  return checked;
}

function checkNames(rules: readonly PolicyRule[]): void {
  const seen = new Map<string, number>();
  for (const [at, { name }] of rules.entries()) {
    if (name === undefined) continue;
    const other = seen.get(name);
    if (other !== undefined) {
      throw new RuleProblem(
        ["rules", at, "name"],
        `is ${shown(name)}, as that of rules[${other}].`,
      );
    }
    seen.set(name, at);
  }
}

function ruleName(value: unknown, path: Path): string {
  const name = text(value, path);
  if (RESERVED.has(name) || /^rule \d+$/.test(name)) {
    throw new RuleProblem(
      path,
      `is ${shown(name)}, which is the name of a decision without a rule; take another.`,
    );
  }
  if (name.length > 80 || /\p{Cc}/u.test(name)) {
    throw new RuleProblem(
      path,
      "must have at most 80 characters, none of them a control character.",
    );
  }
  return name;
}

function argumentPatterns(value: unknown, path: Path): Record<string, ArgumentPattern> {
  const entries = Object.entries(object(value, path)).map(([pointer, found]) => {
    const problem = pointerProblem(pointer);
    if (problem !== null) throw new RuleProblem([...path, pointer], problem);
    return [pointer, argumentPattern(found, [...path, pointer])] as const;
  });
  if (entries.length === 0) throw new RuleProblem(path, "names no argument.");
  return Object.fromEntries(entries);
}

const PATTERN_WORDS = "a text with * and ?, { glob }, or { pattern } with a regular expression";

function argumentPattern(value: unknown, path: Path): ArgumentPattern {
  if (typeof value === "string") return { glob: text(value, path, true) };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RuleProblem(path, `is ${shown(value)}; accepted: ${PATTERN_WORDS}.`);
  }
  const found = value as Record<string, unknown>;
  onlyKeys(found, path, ["glob", "pattern"]);
  const { glob, pattern } = found;
  if ((glob === undefined) === (pattern === undefined)) {
    throw new RuleProblem(path, `needs one of glob and pattern; accepted: ${PATTERN_WORDS}.`);
  }
  if (glob !== undefined) return { glob: text(glob, [...path, "glob"], true) };
  const source = text(pattern, [...path, "pattern"]);
  try {
    new RegExp(source, "u");
  } catch (error) {
    throw new RuleProblem([...path, "pattern"], `is no regular expression: ${messageOf(error)}.`);
  }
  return { pattern: source };
}

function hostProblem(host: string): string | null {
  try {
    parseHostPattern(host);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function pathProblem(path: string): string | null {
  if (path.includes("\0")) return "has a NUL character, which no path has.";
  return null;
}

function pointerProblem(pointer: string): string | null {
  return /^(?:\/(?:[^~/]|~[01])*)*$/.test(pointer)
    ? null
    : `${shown(pointer)} is no JSON pointer; accepted: "" for all of the arguments, or names behind slashes, like /path or /files/*/name.`;
}

/** @param problemOf what is wrong with one of the texts, as the end of a sentence */
function texts(
  value: unknown,
  path: Path,
  problemOf: (text: string) => string | null = () => null,
): readonly string[] {
  const items = list(value).map((item, at) => {
    const place = itemPath(value, path, at);
    const found = text(item, place, problemOf === pointerProblem);
    const problem = problemOf(found);
    if (problem !== null) throw new RuleProblem(place, problem);
    return found;
  });
  if (items.length === 0) throw new RuleProblem(path, "is an empty list; leave the key out.");
  return items;
}

/** One value stands for a list of it. */
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const itemPath = (value: unknown, path: Path, at: number): Path =>
  Array.isArray(value) ? [...path, at] : path;

function text(value: unknown, path: Path, mayBeEmpty = false): string {
  if (typeof value === "string" && (mayBeEmpty || value !== "") && value.length <= MAX_TEXT) {
    return value;
  }
  const accepted = `a text of ${mayBeEmpty ? "at most" : "1 to"} ${MAX_TEXT} characters`;
  throw new RuleProblem(path, `is ${shown(value)}; accepted: ${accepted}.`);
}

function flag(value: unknown, path: Path): boolean {
  if (typeof value === "boolean") return value;
  throw new RuleProblem(path, `is ${shown(value)}; accepted: true, false.`);
}

function oneOf<T extends string>(value: unknown, path: Path, accepted: readonly T[]): T {
  const found = accepted.find((word) => word === value);
  if (found !== undefined) return found;
  throw new RuleProblem(path, `is ${shown(value)}; accepted: ${accepted.join(", ")}.`);
}

function object(value: unknown, path: Path): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new RuleProblem(path, `is ${shown(value)}; accepted: an object.`);
}

function onlyKeys(found: object, path: Path, accepted: readonly string[]): void {
  const unknown = Object.keys(found).find((key) => !accepted.includes(key));
  if (unknown === undefined) return;
  const [near] = nearestNames(unknown, accepted);
  throw new RuleProblem(
    [...path, unknown],
    `is no key here${near === undefined ? "" : ` (meant: ${near}?)`}; accepted: ${accepted.join(", ")}.`,
  );
}

function placeName(path: Path): string {
  if (path.length === 0) return "it";
  return path.reduce<string>((name, part) => {
    if (typeof part === "number") return `${name}[${part}]`;
    return name === "" ? part : `${name}.${part}`;
  }, "");
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}
