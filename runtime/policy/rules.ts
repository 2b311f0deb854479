/** Rules as a policy file or a program writes them. */
import type { PolicyOrigin } from "./effects.ts";
import type { PolicyAction } from "./policy.ts";

/** What the text of an argument must be like. */
export type ArgumentPattern =
  /** The whole text; `*` stands for any characters, `?` for one. */
  | { readonly glob: string }
  /** A regular expression of ECMAScript (with the flag `u`) that matches somewhere in it. */
  | { readonly pattern: string };

/**
 * A rule applies to a call when everything that it names is so. Where a call names several hosts, paths or
 * values, a rule that denies or asks applies if one of them fits; a rule that allows, if all of them do.
 */
export type PolicyRule = {
  /** In events and messages. Default: its number. */
  readonly name?: string | undefined;
  readonly action: PolicyAction;
  /** Names of tools, in which `*` and `?` are wildcards; with or without `functions.`. Default: every tool. */
  readonly tools?: readonly string[] | undefined;
  readonly origin?: readonly PolicyOrigin[] | undefined;
  /** What the tool says about itself, the careful value where it says nothing. */
  readonly readOnly?: boolean | undefined;
  readonly destructive?: boolean | undefined;
  readonly openWorld?: boolean | undefined;
  /** By JSON pointer, in which `*` stands for every name or index and `**` for any number of them. */
  readonly arguments?: Readonly<Record<string, ArgumentPattern>> | undefined;
  /** Hosts that the arguments name: `api.example.com`, `*.example.com`, `example.com:8443`, `*`. */
  readonly hosts?: readonly string[] | undefined;
  /** Pointers to the arguments that name hosts. Default: they are looked for. */
  readonly hostsAt?: readonly string[] | undefined;
  /** Paths that the arguments name, with all that is below: `./out`, `~/.ssh`, a `.env` anywhere. */
  readonly paths?: readonly string[] | undefined;
  /** Pointers to the arguments that name paths. Default: they are looked for. */
  readonly pathsAt?: readonly string[] | undefined;
  /**
   * `tainted`, `clean`: only after text of strangers was read, or only before. `any`, of a rule that allows:
   * side effects are allowed after it as well. Default: the rule applies in both states, and what it allows
   * is asked once strangers' text was read, if it changes anything.
   */
  readonly taint?: "any" | "tainted" | "clean" | undefined;
  /** For people, and for the model where a call is denied. */
  readonly reason?: string | undefined;
};

/** Who decides about calls that no rule applies to: the default policy, or one action for all of them. */
export type Otherwise = "default" | PolicyAction;

/**
 * What decides where a person has written nothing. Everything runs that the person named on the command line
 * and that can do no lasting harm; the rest is asked.
 */
export const DEFAULT_RULES: readonly PolicyRule[] = [
  {
    name: "read-only",
    action: "allow",
    readOnly: true,
    taint: "any",
    reason: "The tool says that it changes nothing.",
  },
  {
    name: "sandboxed-python",
    action: "allow",
    tools: ["python"],
    origin: ["builtin"],
    taint: "any",
    reason: "Python runs in a sandbox without network and without your files.",
  },
  {
    name: "destructive",
    action: "ask",
    destructive: true,
    reason: "The tool may destroy something, or does not say that it does not.",
  },
  {
    name: "mcp-side-effects",
    action: "ask",
    origin: ["mcp"],
    readOnly: false,
    reason: "The tool of a server may change something.",
  },
  {
    name: "named-tools",
    action: "allow",
    reason: "The tool was given to this run, and does not say that it destroys anything.",
  },
];
