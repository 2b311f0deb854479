/**
 * A policy made of rules. Of the rules that apply to a call the strictest decides: deny before ask before allow.
 * Where none of the person's rules applies, the tool's own wish to be asked for comes first, then the default
 * rules. What is allowed is still asked if the tool has changed since it was trusted, or if the call changes
 * something after text of strangers was read. What is asked may have been answered before.
 */
import type { Tool } from "../../tools/index.ts";
import { checkDocument, type PolicyDocument, RuleProblem } from "./check-rules.ts";
import { changesThings, effectsOf, originOf } from "./effects.ts";
import { PolicyError } from "./errors.ts";
import { fingerprintOf, hashOf } from "./fingerprint.ts";
import { appliesTo, CallFacts, type OpenRule, openRule } from "./match-rule.ts";
import { herePlace, type PathPlace } from "./paths.ts";
import type {
  Policy,
  PolicyAction,
  PolicyCall,
  PolicyDecision,
  RememberedAnswer,
} from "./policy.ts";
import { DEFAULT_RULES, type Otherwise, type PolicyRule } from "./rules.ts";
import { MemoryPolicyStore, type PolicyStore } from "./store.ts";
import { describeChange } from "./tool-change.ts";

export type PolicyOptions = {
  readonly rules?: readonly PolicyRule[] | undefined;
  /** Default: the default policy. */
  readonly otherwise?: Otherwise | undefined;
  /** Where answers for always and trusted tools are kept. Default: memory. */
  readonly store?: PolicyStore | undefined;
  /** What relative paths are relative to. Default: the current folder. */
  readonly folder?: string | undefined;
  /** What `~` stands for. Default: the folder of the user. */
  readonly home?: string | undefined;
};

/** A decision may not keep a run waiting: a file system that does not answer must not. */
const LIMIT_MS = 10_000;
const STRICTEST_FIRST: readonly PolicyAction[] = ["deny", "ask", "allow"];

/**
 * @throws PolicyError for rules that are none, naming the rule and what would be accepted
 */
export async function createPolicy(options: PolicyOptions = {}): Promise<Policy> {
  const {
    rules = [],
    otherwise = "default",
    store = new MemoryPolicyStore(),
    folder,
    home,
  } = options;
  const document = checked({ rules, otherwise });
  const here = herePlace();
  const place = { folder: folder ?? here.folder, home: home ?? here.home };
  const open = (list: readonly PolicyRule[]): Promise<readonly OpenRule[]> =>
    Promise.all(list.map((rule, at) => openRule(rule, rule.name ?? `rule ${at + 1}`, place)));
  return new RulePolicy(
    await open(document.rules),
    await open(DEFAULT_RULES),
    document.otherwise,
    store,
    place,
  );
}

function checked(document: unknown): PolicyDocument {
  try {
    return checkDocument(document);
  } catch (error) {
    if (!(error instanceof RuleProblem)) throw error;
    throw new PolicyError(error.message);
  }
}

/** What a run without a policy goes by: a tool that wants to be asked for is, everything else runs. */
export const TOOLS_OWN_POLICY: Policy = {
  async decide(call) {
    if (!(await call.needsApproval())) {
      return { action: "allow", rule: "no-policy", reason: "The run has no policy." };
    }
    return (
      answerAmong(call.answers, call) ?? {
        action: "ask",
        rule: "tool",
        reason: "The tool asks for it.",
      }
    );
  },
  async remember() {},
};

type Ruling = {
  readonly action: PolicyAction;
  readonly rule: string;
  readonly reason: string;
  /** Allowed also where it changes something after strangers' text was read. */
  readonly isAnyTaint: boolean;
};

class RulePolicy implements Policy {
  readonly #rules: readonly OpenRule[];
  readonly #defaults: readonly OpenRule[];
  readonly #otherwise: Otherwise;
  readonly #store: PolicyStore;
  readonly #place: PathPlace;

  constructor(
    rules: readonly OpenRule[],
    defaults: readonly OpenRule[],
    otherwise: Otherwise,
    store: PolicyStore,
    place: PathPlace,
  ) {
    this.#rules = rules;
    this.#defaults = defaults;
    this.#otherwise = otherwise;
    this.#store = store;
    this.#place = place;
  }

  async decide(call: PolicyCall): Promise<PolicyDecision> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<PolicyDecision>((resolve) => {
      timer = setTimeout(() => resolve(undecided("it took too long")), LIMIT_MS);
    });
    try {
      return await Promise.race([this.#decide(call), late]);
    } catch (error) {
      return undecided(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  async remember(answer: RememberedAnswer, tool: Tool, name: string): Promise<void> {
    await this.#store.remember(answer);
    if (answer.decision === "allow") await this.#store.trust(tool, name);
  }

  async #decide(call: PolicyCall): Promise<PolicyDecision> {
    const facts = new CallFacts(call, this.#place);
    const ruling =
      (await strictest(this.#rules, facts)) ?? (await this.#decideOtherwise(call, facts));
    if (ruling.action === "deny") return decisionOf(ruling);
    const guarded =
      ruling.action === "allow" ? await this.#guard(ruling, facts) : decisionOf(ruling);
    if (guarded.action === "allow") return guarded;
    return (await this.#answered(call)) ?? guarded;
  }

  /** What is decided about a call to which no rule of the person applies. */
  async #decideOtherwise(call: PolicyCall, facts: CallFacts): Promise<Ruling> {
    if (this.#otherwise === "deny") return otherwise("deny");
    if (await call.needsApproval()) {
      return { action: "ask", rule: "tool", reason: wishOf(call), isAnyTaint: false };
    }
    if (this.#otherwise !== "default") return otherwise(this.#otherwise);
    if (call.tool.needsApproval === false && originOf(call.tool, call.name) === "mcp") {
      return {
        action: "allow",
        rule: "trusted-server",
        reason: "The configuration trusts the server.",
        isAnyTaint: !changesThings(facts.effects),
      };
    }
    return (await strictest(this.#defaults, facts)) ?? otherwise("ask");
  }

  /** An allowed call, as long as nothing speaks against it. */
  async #guard(ruling: Ruling, facts: CallFacts): Promise<PolicyDecision> {
    const { call, effects } = facts;
    const trusted = await this.#store.trusted(call.name);
    if (trusted !== null && trusted.fingerprint !== fingerprintOf(call.tool)) {
      return {
        action: "ask",
        rule: "changed-tool",
        reason: "The tool has changed since it was trusted.",
        change: describeChange(trusted.definition, call.tool),
      };
    }
    if (call.taint === null || ruling.isAnyTaint || !changesThings(effects)) {
      return decisionOf(ruling);
    }
    return {
      action: "ask",
      rule: "tainted",
      reason:
        `Text of strangers was read before (${call.taint.source}), and this call may change something ` +
        `(${ruling.rule} would allow it otherwise).`,
    };
  }

  /** What a person has answered to the same question before; null: nothing. */
  async #answered(call: PolicyCall): Promise<PolicyDecision | null> {
    return (
      answerAmong(call.answers, call) ?? answerAmong(await this.#store.answers(call.name), call)
    );
  }
}

/** The last answer that holds for a call, as a decision; null: there is none. */
function answerAmong(
  answers: readonly RememberedAnswer[],
  call: PolicyCall,
): PolicyDecision | null {
  const answer = answers.findLast((one) => isAbout(one, call));
  if (answer === undefined) return null;
  const when = answer.scope === "session" ? "in this session" : "for always";
  const what = answer.decision === "allow" ? "allowed" : "not allowed";
  return {
    action: answer.decision,
    rule: `answer-${answer.scope}`,
    reason: `It was answered ${when} that this is ${what}.`,
  };
}

/**
 * Whether an answer holds for a call. Where the call changes something, an answer that allows it holds after
 * strangers' text only if it was given then.
 */
function isAbout(answer: RememberedAnswer, call: PolicyCall): boolean {
  if (answer.tool !== call.name || answer.fingerprint !== fingerprintOf(call.tool)) return false;
  const { argumentsHash, decision } = answer;
  if (argumentsHash !== undefined && argumentsHash !== hashOf(call.arguments)) return false;
  const isAnyTaint = decision === "deny" || !changesThings(effectsOf(call.tool, call.name));
  return isAnyTaint || call.taint === null || answer.isTainted;
}

async function strictest(rules: readonly OpenRule[], facts: CallFacts): Promise<Ruling | null> {
  const applying: OpenRule[] = [];
  for (const action of STRICTEST_FIRST) {
    for (const rule of rules.filter((one) => one.rule.action === action)) {
      if (await appliesTo(rule, facts)) applying.push(rule);
    }
    const [first] = applying;
    if (first === undefined) continue;
    // Of rules that allow, one that does so in every state counts.
    const any = applying.find(({ rule }) => rule.taint === "any");
    const { name, rule } = (action === "allow" ? any : undefined) ?? first;
    return {
      action,
      rule: name,
      reason: rule.reason ?? `The rule ${name} says so.`,
      isAnyTaint: rule.taint === "any",
    };
  }
  return null;
}

function otherwise(action: PolicyAction): Ruling {
  return { action, rule: "otherwise", reason: "No rule applies to it.", isAnyTaint: false };
}

const decisionOf = ({ action, rule, reason }: Ruling): PolicyDecision => ({ action, rule, reason });

/** Why a tool is asked for by itself. */
function wishOf({ tool, name }: PolicyCall): string {
  return originOf(tool, name) === "mcp"
    ? "Its server is not trusted by the configuration."
    : "The tool asks for it.";
}

function undecided(why: string): PolicyDecision {
  return { action: "ask", rule: "undecided", reason: `It could not be decided: ${why}.` };
}
