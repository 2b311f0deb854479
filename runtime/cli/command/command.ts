/** What a command is. Its module is loaded when it is called; what it does, when its arguments are right. */
import type { ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import type { ArgumentsOf, Completes, Flags } from "./flag.ts";

/** What every command gets beside its own arguments. */
export type CommandContext = {
  readonly output: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C, SIGTERM, or a reader that closed stdout; the reason is an InterruptedError. */
  readonly signal: AbortSignal;
  /** Ends the command after this many milliseconds as a signal does. */
  readonly stopAfter: (ms: number) => void;
  /** Behind a signal the command needs up to this many milliseconds to end in order. */
  readonly takeTime: (ms: number) => void;
  /** Every command, for those that are about commands. */
  readonly commands: CommandTable;
};

/** An argument by its place. */
export type Positional<T = unknown> = {
  readonly describe: string;
  readonly completes?: Completes;
  readonly arity: "required" | "optional" | "rest" | "any";
  /** Carries the type; never set. */
  readonly type?: T;
};

export type Positionals = Readonly<Record<string, Positional>>;

type PositionalArguments<P extends Positionals> = {
  readonly [Name in keyof P]: P[Name] extends Positional<infer T> ? T : never;
};

/** A command line without `chorale`, and what it is for. */
export type Example = readonly [commandLine: string, purpose: string];

export type Command = {
  /** Flags that only the command line may give. */
  readonly flags: Flags;
  /** Flags that the environment and the configuration may give as well. A name means the same for every command. */
  readonly settings: Flags;
  /** In the order in which they stand. */
  readonly positionals: Positionals;
  readonly examples: readonly Example[];
  /** Pairs of flags of which only one may be given. */
  readonly exclusive: readonly (readonly [string, string])[];
  /** Computes in one piece: no handler of a signal could run before it has ended. */
  readonly isSynchronous: boolean;
  /** Also runs where the configuration cannot be read, as if there were none. */
  readonly mendsConfiguration: boolean;
  run(args: Readonly<Record<string, unknown>>, context: CommandContext): Promise<ExitCode>;
};

/** A command of commands, like `chorale tools`. */
export type CommandGroup = {
  readonly commands: CommandTable;
  /** What runs where none of them is named. */
  readonly otherwise?: Command;
  readonly examples: readonly Example[];
};

/** A command by name: a module of this table is loaded when the command is called. */
export type CommandEntry = {
  /** One line for the list in help. */
  readonly describe: string;
  readonly load: () => Promise<Command | CommandGroup>;
};

export type CommandTable = Readonly<Record<string, CommandEntry>>;

type Definition<F extends Flags, S extends Flags, P extends Positionals> = {
  readonly flags?: F;
  readonly settings?: S;
  readonly positionals?: P;
  readonly examples: readonly Example[];
  readonly exclusive?: readonly (readonly [keyof (F & S) & string, keyof (F & S) & string])[];
  readonly isSynchronous?: boolean;
  readonly mendsConfiguration?: boolean;
  /** Loads what the command does, so that help and a wrong flag do not wait for it. */
  readonly run: (
    args: ArgumentsOf<F> & ArgumentsOf<S> & PositionalArguments<P>,
    context: CommandContext,
  ) => Promise<ExitCode>;
};

/** A command whose arguments have the types that its flags and positionals say. */
export function defineCommand<
  const F extends Flags = Record<never, never>,
  const S extends Flags = Record<never, never>,
  const P extends Positionals = Record<never, never>,
>(definition: Definition<F, S, P>): Command {
  const {
    flags,
    settings,
    positionals,
    examples,
    exclusive,
    isSynchronous,
    mendsConfiguration,
    run,
  } = definition;
  return {
    flags: flags ?? {},
    settings: settings ?? {},
    positionals: positionals ?? {},
    examples,
    exclusive: exclusive ?? [],
    isSynchronous: isSynchronous ?? false,
    mendsConfiguration: mendsConfiguration ?? false,
    // The parser reads the arguments by the same flags and positionals.
    run: run as Command["run"],
  };
}

/** The entry of a command that stands in its group's own module. */
export function subcommand(describe: string, command: Command): CommandEntry {
  return { describe, load: () => Promise.resolve(command) };
}

export function required(describe: string, completes?: Completes): Positional<string> {
  return positional(describe, "required", completes);
}

export function optional(describe: string, completes?: Completes): Positional<string | undefined> {
  return positional(describe, "optional", completes);
}

/** One or more, up to the end. */
export function rest(describe: string, completes?: Completes): Positional<readonly string[]> {
  return positional(describe, "rest", completes);
}

/** Any number, up to the end. */
export function anyNumber(describe: string, completes?: Completes): Positional<readonly string[]> {
  return positional(describe, "any", completes);
}

function positional<T>(
  describe: string,
  arity: Positional["arity"],
  completes: Completes | undefined,
): Positional<T> {
  return { describe, arity, ...(completes !== undefined && { completes }) };
}

export function isGroup(command: Command | CommandGroup): command is CommandGroup {
  return "commands" in command;
}

/** Every flag that a command takes. */
export function flagsOf({ flags, settings }: Command): Flags {
  const hasSettings = Object.keys(settings).length > 0;
  return { ...flags, ...settings, ...(hasSettings && profileFlag) };
}

/** Of every command that has settings. */
const profileFlag = {
  profile: {
    type: "text",
    placeholder: "NAME",
    completes: "profile",
    describe: "Take the settings of this profile of the configuration",
  },
} as const satisfies Flags;
