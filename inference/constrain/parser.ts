/**
 * What a grammar expects behind what has been read, as states that exist once each: Earley's items with the
 * place of their rule's caller in place of a position in the text. Two texts after which the same can come
 * share a state, so that what is computed for one is there for the other.
 *
 * A **rest** is a list of symbols that are still to come. A **return** is a set of rests, each with a return
 * of its own: what may come where a rule has ended (a node of Tomita's graph-structured stack, 1985). A
 * **state** is a set of rests that begin with a terminal, each with its return.
 */
import { GrammarLimitError } from "../errors.ts";
import type { Grammar, GrammarSymbol } from "./grammar.ts";
import type { Lexer } from "./lexer.ts";
import type { Work } from "./work.ts";

/** The rest of nothing. */
const END = 0;
/** The return of a whole text. */
const WHOLE = 0;

/** Pairs of a rest and a return, flat. */
type Pairs = readonly number[];

/** A rule called where a state is made, with what may follow it. */
type Call = {
  readonly rule: number;
  readonly index: number;
  /** Rest and return of each caller; negative: the return of the call at `-1 - index`. */
  readonly frames: Pairs;
  readonly known: Set<string>;
};

export class Parser {
  readonly #lexer: Lexer;
  readonly #nodes: readonly number[];
  readonly #maxItems: number;
  readonly #work: Work;
  // Rests: the first symbol (terminal t: 2t, rule r: 2r + 1), and the rest behind it.
  readonly #symbol: number[] = [-1];
  readonly #behind: number[] = [END];
  readonly #restOfKey: Map<number, number> = new Map();
  /** Rests that a rule can begin with. */
  readonly #alternatives: (readonly number[])[];
  readonly #nullable: Uint8Array;
  // Returns.
  readonly #returns: Pairs[] = [[]];
  readonly #returnOfKey: Map<string, number> = new Map();
  // States.
  readonly #items: Pairs[] = [];
  readonly #accepting: boolean[] = [];
  readonly #starts: number[] = [];
  readonly #stateOfKey: Map<string, number> = new Map();
  readonly #stateOfKernel: Map<string, number> = new Map();
  readonly #shifts: Map<number, number>[] = [];
  /** The state before the first byte. */
  readonly initial: number;
  #itemCount = 0;

  /**
   * @param nodes of each terminal in the lexer's pool
   * @param maxItems items of all states; more are refused with a `GrammarLimitError`
   */
  constructor(
    grammar: Grammar,
    lexer: Lexer,
    nodes: readonly number[],
    maxItems: number,
    work: Work,
  ) {
    this.#work = work;
    this.#lexer = lexer;
    this.#nodes = nodes;
    this.#maxItems = maxItems;
    const { productive, nullable } = ruleFacts(grammar, lexer, nodes);
    this.#nullable = nullable;
    this.#alternatives = grammar.rules.map((alternatives, rule) =>
      productive[rule] === 0
        ? []
        : [
            ...new Set(
              alternatives
                .filter((symbols) => symbols.every((one) => this.#canMatch(one, productive)))
                .map((symbols) =>
                  symbols.reduceRight((rest, one) => this.#rest(symbolCode(one), rest), END),
                ),
            ),
          ],
    );
    this.initial = this.#close([this.#rest(symbolCode({ rule: grammar.root }), END), WHOLE]);
  }

  /** Whether the text may end where this state was made. */
  isAccepting(state: number): boolean {
    return this.#accepting[state]!;
  }

  /** The lexer's state for the terminals that may come; its dead state if none may. */
  start(state: number): number {
    return this.#starts[state]!;
  }

  /** The state behind terminals that have come. @param set as the lexer gives it */
  shift(state: number, set: number): number {
    const known = this.#shifts[state]!.get(set);
    if (known !== undefined) return known;
    const next = this.#close(this.#shifted(state, set));
    this.#shifts[state]!.set(set, next);
    return next;
  }

  /** The state behind terminals that have come from several states. */
  shiftAll(states: readonly number[], sets: readonly number[]): number {
    return this.#close(states.flatMap((state, at) => this.#shifted(state, sets[at]!)));
  }

  #shifted(state: number, set: number): number[] {
    const terminals = this.#lexer.completed(set);
    const items = this.#items[state]!;
    const kernel: number[] = [];
    for (let at = 0; at < items.length; at += 2) {
      const rest = items[at]!;
      if (!terminals.includes(this.#symbol[rest]! >> 1)) continue;
      kernel.push(this.#behind[rest]!, items[at + 1]!);
    }
    return kernel;
  }

  #canMatch(symbol: GrammarSymbol, productive: Uint8Array): boolean {
    return "rule" in symbol
      ? productive[symbol.rule] === 1
      : !this.#lexer.pool.isEmpty(this.#nodes[symbol.terminal]!);
  }

  #rest(symbol: number, behind: number): number {
    const key = behind * 2 ** 26 + symbol;
    let rest = this.#restOfKey.get(key);
    if (rest === undefined) {
      rest = this.#symbol.push(symbol) - 1;
      this.#behind.push(behind);
      this.#restOfKey.set(key, rest);
    }
    return rest;
  }

  /** The state that begins with these rests: predicts, completes, and makes the returns of what is called. */
  #close(kernel: Pairs): number {
    const kernelKey = pairKey(kernel);
    const known = this.#stateOfKernel.get(kernelKey);
    if (known !== undefined) return known;
    const calls = new Map<number, Call>();
    const order: Call[] = [];
    const items: number[] = [];
    let accepting = false;
    const seen = new Set<number>();
    const open: number[] = [];
    const add = (rest: number, ret: number) => {
      // Returns of calls are negative; both fit into 53 bits.
      const key = rest * 2 ** 27 + (ret + 2 ** 26);
      if (seen.has(key)) return;
      seen.add(key);
      open.push(rest, ret);
    };
    for (let at = 0; at < kernel.length; at += 2) add(kernel[at]!, kernel[at + 1]!);
    while (open.length > 0) {
      const ret = open.pop()!;
      const rest = open.pop()!;
      if (rest === END) {
        // What a call returns to where nothing was read is added by its caller, see below.
        if (ret < 0) continue;
        if (ret === WHOLE) accepting = true;
        const frames = this.#returns[ret]!;
        for (let at = 0; at < frames.length; at += 2) add(frames[at]!, frames[at + 1]!);
        continue;
      }
      const symbol = this.#symbol[rest]!;
      const behind = this.#behind[rest]!;
      if ((symbol & 1) === 0) {
        items.push(rest, ret);
        if (this.#lexer.pool.isNullable(this.#nodes[symbol >> 1]!)) add(behind, ret);
        continue;
      }
      const rule = symbol >> 1;
      let call = calls.get(rule);
      if (call === undefined) {
        call = { rule, index: order.length, frames: [], known: new Set() };
        calls.set(rule, call);
        order.push(call);
        for (const first of this.#alternatives[rule]!) add(first, -1 - call.index);
      }
      addFrame(call, behind, ret);
      if (this.#nullable[rule] === 1) add(behind, ret);
    }
    this.#count(seen.size);
    const returns = this.#makeReturns(order, kernelKey);
    const final = items.map((value, at) =>
      at % 2 === 0 || value >= 0 ? value : returns[-1 - value]!,
    );
    const state = this.#state(sortedPairs(final), accepting);
    this.#stateOfKernel.set(kernelKey, state);
    return state;
  }

  /**
   * The returns of the calls of one state. A call that returns only to what is known is known by what it
   * returns to; calls that return to each other (left recursion) are known by where they were made.
   */
  #makeReturns(calls: readonly Call[], kernelKey: string): number[] {
    const returns: number[] = new Array(calls.length).fill(-1);
    for (const group of callGroups(calls)) {
      const isCircle =
        group.length > 1 || callees(group[0]!).some((index) => index === group[0]!.index);
      if (isCircle) {
        for (const { rule, index } of group) {
          returns[index] = this.#return(`${kernelKey}/${rule}`, undefined);
        }
        for (const call of group) this.#returns[returns[call.index]!] = this.#frames(call, returns);
      } else {
        const frames = this.#frames(group[0]!, returns);
        returns[group[0]!.index] = this.#return(frames.join(), frames);
      }
    }
    return returns;
  }

  /** The frames of a call whose returns are known; in place of a frame with nothing left its return's own. */
  #frames({ frames }: Call, returns: readonly number[]): Pairs {
    const pairs: number[] = [];
    for (let at = 0; at < frames.length; at += 2) {
      const rest = frames[at]!;
      const ret = frames[at + 1]! < 0 ? returns[-1 - frames[at + 1]!]! : frames[at + 1]!;
      const own = rest === END && ret !== WHOLE ? this.#returns[ret] : undefined;
      if (own === undefined || own.length === 0) pairs.push(rest, ret);
      else pairs.push(...own);
    }
    return sortedPairs(pairs);
  }

  #return(key: string, frames: Pairs | undefined): number {
    let found = this.#returnOfKey.get(key);
    if (found === undefined) {
      found = this.#returns.push(frames ?? []) - 1;
      this.#count(1 + (frames?.length ?? 0) / 2);
      this.#returnOfKey.set(key, found);
    }
    return found;
  }

  #state(items: Pairs, accepting: boolean): number {
    const key = `${accepting}:${items.join()}`;
    const known = this.#stateOfKey.get(key);
    if (known !== undefined) return known;
    const state = this.#items.push(items) - 1;
    this.#stateOfKey.set(key, state);
    this.#accepting.push(accepting);
    this.#shifts.push(new Map());
    const terminals = new Set<number>();
    for (let at = 0; at < items.length; at += 2) terminals.add(this.#symbol[items[at]!]! >> 1);
    const sorted = [...terminals].sort((a, b) => a - b);
    this.#starts.push(
      this.#lexer.start(
        sorted,
        sorted.map((terminal) => this.#nodes[terminal]!),
      ),
    );
    return state;
  }

  #count(items: number): void {
    this.#work.spend(2 * items);
    this.#itemCount += items;
    if (this.#itemCount > this.#maxItems) {
      throw new GrammarLimitError("items of the parser", this.#maxItems);
    }
  }
}

function symbolCode(symbol: GrammarSymbol): number {
  return "rule" in symbol ? symbol.rule * 2 + 1 : symbol.terminal * 2;
}

function addFrame(call: Call, rest: number, ret: number): void {
  // A rule that ends with itself returns where it returns to anyway.
  if (rest === END && ret === -1 - call.index) return;
  const key = `${rest},${ret}`;
  if (call.known.has(key)) return;
  call.known.add(key);
  (call.frames as number[]).push(rest, ret);
}

/** Rules that derive some text, and those that derive the empty one. */
function ruleFacts(
  { rules }: Grammar,
  { pool }: Lexer,
  nodes: readonly number[],
): { readonly productive: Uint8Array; readonly nullable: Uint8Array } {
  const closure = (holds: (terminal: number) => boolean) => {
    const facts = new Uint8Array(rules.length);
    const users: [rule: number, symbols: readonly GrammarSymbol[], left: number][][] = rules.map(
      () => [],
    );
    const open: number[] = [];
    const found = (rule: number) => {
      if (facts[rule] === 1) return;
      facts[rule] = 1;
      open.push(rule);
    };
    for (const [rule, alternatives] of rules.entries()) {
      for (const symbols of alternatives) {
        if (!symbols.every((one) => "rule" in one || holds(one.terminal))) continue;
        const called = symbols.filter((one) => "rule" in one);
        if (called.length === 0) found(rule);
        const user: [number, readonly GrammarSymbol[], number] = [rule, symbols, called.length];
        for (const one of called) users[one.rule]!.push(user);
      }
    }
    for (let rule = open.pop(); rule !== undefined; rule = open.pop()) {
      for (const user of users[rule]!) if (--user[2] === 0) found(user[0]);
    }
    return facts;
  };
  return {
    productive: closure((terminal) => !pool.isEmpty(nodes[terminal]!)),
    nullable: closure((terminal) => pool.isNullable(nodes[terminal]!)),
  };
}

/** Sorted by rest, then return, each once. */
function sortedPairs(pairs: Pairs): Pairs {
  if (pairs.length <= 2) return pairs;
  const keys: number[] = [];
  for (let at = 0; at < pairs.length; at += 2) keys.push(pairs[at]! * 2 ** 26 + pairs[at + 1]!);
  keys.sort((a, b) => a - b);
  const sorted: number[] = [];
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    if (key !== keys[at - 1]) sorted.push(Math.floor(key / 2 ** 26), key % 2 ** 26);
  }
  return sorted;
}

function pairKey(pairs: Pairs): string {
  return sortedPairs(pairs).join();
}

/** The calls to whose returns a call returns. */
function callees({ frames }: Call): number[] {
  const indexes: number[] = [];
  for (let at = 1; at < frames.length; at += 2) if (frames[at]! < 0) indexes.push(-1 - frames[at]!);
  return indexes;
}

/** Calls that return to each other, those first that others return to (Tarjan 1972, without recursion). */
function callGroups(calls: readonly Call[]): Call[][] {
  const groups: Call[][] = [];
  const number = new Int32Array(calls.length).fill(-1);
  const low = new Int32Array(calls.length);
  const onStack = new Uint8Array(calls.length);
  const stack: number[] = [];
  let next = 0;
  for (const { index: root } of calls) {
    if (number[root]! >= 0) continue;
    const path: { readonly index: number; readonly edges: number[] }[] = [];
    const enter = (index: number) => {
      number[index] = low[index] = next++;
      onStack[index] = 1;
      stack.push(index);
      path.push({ index, edges: callees(calls[index]!) });
    };
    enter(root);
    while (path.length > 0) {
      const { index, edges } = path.at(-1)!;
      const edge = edges.pop();
      if (edge === undefined) {
        path.pop();
        const parent = path.at(-1);
        if (parent !== undefined) low[parent.index] = Math.min(low[parent.index]!, low[index]!);
        if (low[index] !== number[index]) continue;
        const members = stack.splice(stack.indexOf(index));
        for (const member of members) onStack[member] = 0;
        groups.push(members.map((member) => calls[member]!));
      } else if (number[edge]! < 0) enter(edge);
      else if (onStack[edge] === 1) low[index] = Math.min(low[index]!, number[edge]!);
    }
  }
  return groups;
}
