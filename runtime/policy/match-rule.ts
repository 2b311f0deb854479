/** Whether a rule applies to a call. */
import {
  type HostPattern,
  matchPattern,
  namespaceOf,
  parseHostPattern,
} from "../../tools/index.ts";
import { type Effects, effectsOf, originOf } from "./effects.ts";
import { addressesIn, coversHost } from "./hosts.ts";
import {
  coversPath,
  type NamedPath,
  openPathPattern,
  type PathPattern,
  type PathPlace,
  pathsIn,
} from "./paths.ts";
import type { PolicyCall } from "./policy.ts";
import type { ArgumentPattern, PolicyRule } from "./rules.ts";
import { type FoundTexts, spellingsOf, textsIn, textsOfValues, valuesAt } from "./strings.ts";
import { fitsWildcard } from "./wildcards.ts";

/** A rule whose patterns have been read. */
export type OpenRule = {
  readonly name: string;
  readonly rule: PolicyRule;
  readonly hosts: readonly HostPattern[];
  readonly paths: readonly PathPattern[];
};

/** @throws HostPatternError */
export async function openRule(
  rule: PolicyRule,
  name: string,
  place: PathPlace,
): Promise<OpenRule> {
  return {
    name,
    rule,
    hosts: (rule.hosts ?? []).map(parseHostPattern),
    paths: await Promise.all((rule.paths ?? []).map((path) => openPathPattern(path, place))),
  };
}

/** A call with what rules ask about it, found out once. */
export class CallFacts {
  readonly call: PolicyCall;
  readonly effects: Effects;
  readonly place: PathPlace;
  #texts: FoundTexts | undefined;
  readonly #paths = new Map<string, Promise<readonly NamedPath[]>>();

  constructor(call: PolicyCall, place: PathPlace) {
    this.call = call;
    this.effects = effectsOf(call.tool, call.name);
    this.place = place;
  }

  /** The texts at the pointers; without pointers, all texts. */
  texts(pointers: readonly string[] | undefined): FoundTexts {
    if (pointers === undefined) {
      this.#texts ??= textsIn(this.call.arguments);
      return this.#texts;
    }
    const found = pointers.map((pointer) => valuesAt(pointer, this.call.arguments));
    const texts = textsOfValues(found.flatMap(({ values }) => values));
    return {
      // What a rule points at is what it says it is; the name of the argument does not matter.
      texts: (texts ?? []).map((text) => ({ text, key: null, isCommand: false })),
      isComplete: texts !== null && found.every(({ isComplete }) => isComplete),
    };
  }

  /** The paths in `texts(pointers)`, each as the places that it may lead to. */
  paths(
    pointers: readonly string[] | undefined,
    isCareful: boolean,
  ): Promise<readonly NamedPath[]> {
    const key = JSON.stringify([pointers, isCareful]);
    const { texts } = this.texts(pointers);
    const named = pointers === undefined ? texts : texts.map((one) => ({ ...one, key: "path" }));
    const found = this.#paths.get(key) ?? pathsIn(named, isCareful, this.place);
    this.#paths.set(key, found);
    return found;
  }
}

/** A pattern took too long, or the arguments hold more than is looked at: a rule that denies or asks then applies. */
export async function appliesTo(open: OpenRule, facts: CallFacts): Promise<boolean> {
  const { rule } = open;
  if (!toolFits(rule, facts)) return false;
  const { taint } = facts.call;
  if (rule.taint === "tainted" && taint === null) return false;
  if (rule.taint === "clean" && taint !== null) return false;
  const isCareful = rule.action !== "allow";
  for (const [pointer, pattern] of Object.entries(rule.arguments ?? {})) {
    if (!(await argumentFits(pointer, pattern, facts, isCareful))) return false;
  }
  if (rule.hosts !== undefined && !hostsFit(open, facts, isCareful)) return false;
  return rule.paths === undefined || (await pathsFit(open, facts, isCareful));
}

/** Names of tools that the model was trained with: a function of that name is another tool. */
const TRAINED: ReadonlySet<string> = new Set(["python", "browser", "container", "bash"]);

function toolFits(rule: PolicyRule, { call, effects }: CallFacts): boolean {
  const is = (wanted: boolean | undefined, found: boolean): boolean =>
    wanted === undefined || wanted === found;
  if (!is(rule.readOnly, effects.isReadOnly)) return false;
  if (!is(rule.destructive, effects.isDestructive)) return false;
  if (!is(rule.openWorld, effects.isOpenWorld)) return false;
  const { origin, tools } = rule;
  if (origin !== undefined && !origin.includes(originOf(call.tool, call.name))) return false;
  if (tools === undefined) return true;
  const names = [call.name, call.tool.recipient].flatMap((name) => {
    const bare = name.replace(/^functions\./, "");
    return TRAINED.has(namespaceOf(bare)) ? [name] : [name, bare];
  });
  return tools.some((pattern) => names.some((name) => fitsWildcard(pattern, name)));
}

async function argumentFits(
  pointer: string,
  pattern: ArgumentPattern,
  { call }: CallFacts,
  isCareful: boolean,
): Promise<boolean> {
  const { values, isComplete } = valuesAt(pointer, call.arguments);
  if (!isComplete) return isCareful;
  if (values.length === 0) return false;
  const texts = textsOfValues(values);
  if (texts === null) return isCareful;
  const spelled = texts.map(spellingsOf);
  const fits =
    "glob" in pattern
      ? spelled.flat().map((text) => fitsWildcard(pattern.glob, text))
      : await matchPattern(pattern.pattern, spelled.flat());
  if (fits === null) return isCareful;
  return isCareful ? fits.includes(true) : !fits.includes(false);
}

function hostsFit(open: OpenRule, facts: CallFacts, isCareful: boolean): boolean {
  const { hostsAt } = open.rule;
  const { texts, isComplete } = facts.texts(hostsAt);
  if (!isComplete) return isCareful;
  const named = hostsAt === undefined ? texts : texts.map((one) => ({ ...one, key: "host" }));
  const addresses = addressesIn(named, isCareful);
  const isListed = (url: URL): boolean =>
    open.hosts.some((pattern) => coversHost(pattern, url, isCareful));
  if (isCareful) return addresses.some(({ readings }) => readings.some(isListed));
  return (
    addresses.length > 0 &&
    addresses.every(({ readings, isClear }) => isClear && readings.every(isListed))
  );
}

async function pathsFit(open: OpenRule, facts: CallFacts, isCareful: boolean): Promise<boolean> {
  const { pathsAt } = open.rule;
  if (!facts.texts(pathsAt).isComplete) return isCareful;
  const named = await facts.paths(pathsAt, isCareful);
  const isWithin = (place: readonly string[]): boolean =>
    open.paths.some((pattern) => coversPath(pattern, place, isCareful));
  if (isCareful) return named.some((places) => places.some(isWithin));
  return named.length > 0 && named.every((places) => places.length > 0 && places.every(isWithin));
}
