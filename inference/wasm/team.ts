/**
 * The threads that run one forward pass together. All run the same code; each does its part of the
 * rows or columns of a phase, and phases are separated by barriers. Short phases are split in advance
 * (`from`, `to`); long ones are dealt out (`deal`), so that a thread that is held up, by another process
 * or a slower core, leaves its work to the others. Nothing that is computed depends on which thread
 * does it, nor on how many there are.
 */

/** Commands that can be open at once: one that runs, and those that it interrupted. */
export const MAX_OPEN_COMMANDS = 3;

// Cells of the control array.
const ARRIVED = 0;
const GENERATION = 1;
const SLEEPERS = 2;
const CANCEL_AGREED = 3;
const PAUSE_REQUESTED = 4;
const PAUSE_AGREED = 5;
const MESSAGES = 6;
/** One cell for each open command. */
const CANCEL_REQUESTED = 8;
/** One cell for each thread, in cache lines of their own: items of its part that were taken. */
const TAKEN = 16;
const TAKEN_STRIDE = 16;

/**
 * Loads before a waiting thread goes to sleep: some 150 µs, longer than phases of a decode step differ
 * between threads and than one thread samples while the others wait for the next token. To be woken
 * takes about 60 µs.
 */
const SPINS = 10_000;

/** Thrown out of a barrier, in all threads at the same one, when the command was cancelled. */
export class Cancelled extends Error {}

export type TeamControl = Int32Array<SharedArrayBuffer>;

export function createControl(size: number): TeamControl {
  const cells = TAKEN + size * TAKEN_STRIDE;
  return new Int32Array(new SharedArrayBuffer(cells * Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Asks the team, from any thread, to stop working on a command. Later commands are not concerned.
 * @param depth how many commands it has interrupted
 */
export function requestCancel(control: TeamControl, command: number, depth = 0): void {
  Atomics.store(control, CANCEL_REQUESTED + depth, command);
}

/** Asks the team, from the main thread, to interrupt a command. */
export function requestPause(control: TeamControl, command: number): void {
  Atomics.store(control, PAUSE_REQUESTED, command);
}

/** Says that the team has interrupted what it was asked to. */
export function clearPause(control: TeamControl): void {
  Atomics.store(control, PAUSE_REQUESTED, 0);
}

/** Wakes threads that wait for a message; called when one was posted to all of them. */
export function announceMessage(control: TeamControl): void {
  Atomics.add(control, MESSAGES, 1);
  Atomics.notify(control, MESSAGES);
}

/** Messages that were announced so far. */
export function announcedMessages(control: TeamControl): number {
  return Atomics.load(control, MESSAGES);
}

/** Waits, blocking, until more messages were announced than `seen`. */
export function waitForMessage(control: TeamControl, seen: number): void {
  Atomics.wait(control, MESSAGES, seen);
}

/** One thread's place in the team. */
export class Team {
  readonly index: number;
  readonly size: number;
  readonly #control: TeamControl;
  readonly #onPause: () => void;
  #command = 0;
  #depth = 0;
  #hasDealt = false;

  /**
   * @param onPause called in every thread when the command is interrupted; other commands may begin and
   *   end in it, and it goes on when this returns
   */
  constructor(control: TeamControl, index: number, size: number, onPause: () => void = () => {}) {
    this.#control = control;
    this.#onPause = onPause;
    this.index = index;
    this.size = size;
  }

  /** Thread 0 does what one thread has to do, and posts to the main thread. */
  get leads(): boolean {
    return this.index === 0;
  }

  /**
   * Says which command the barriers belong to; the same in all threads.
   * @param depth how many commands it has interrupted
   */
  begin(command: number, depth = 0): void {
    this.#command = command;
    this.#depth = depth;
  }

  /**
   * Waits until all threads are here; what they wrote before is then seen by all.
   * @throws Cancelled when the command was cancelled
   */
  barrier(): void {
    // Interrupted, some threads were here and others in a deal: all come here once more.
    while (this.#arrive()) this.#pause();
    this.#hasDealt = false;
  }

  /**
   * Whether the command was cancelled. A thread that sees it may skip the rest of its part of a phase:
   * the barrier behind it will end the step in all threads.
   */
  get cancelled(): boolean {
    return Atomics.load(this.#control, CANCEL_REQUESTED + this.#depth) === this.#command;
  }

  /**
   * @returns whether the command is interrupted here, in all threads
   * @throws Cancelled
   */
  #arrive(mayPause = true): boolean {
    const control = this.#control;
    const generation = Atomics.load(control, GENERATION);
    if (Atomics.add(control, ARRIVED, 1) === this.size - 1) {
      Atomics.store(control, ARRIVED, 0);
      // One thread decides while the others wait here, so that all of them see the same decision.
      const pauses = mayPause && this.#isPauseRequested;
      Atomics.store(control, PAUSE_AGREED, pauses ? 1 : 0);
      Atomics.store(control, CANCEL_AGREED, this.cancelled ? this.#command : 0);
      if (mayPause && !pauses) {
        for (let i = 0; i < this.size; i++) control[TAKEN + i * TAKEN_STRIDE] = 0;
      }
      Atomics.store(control, GENERATION, (generation + 1) | 0);
      if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, GENERATION);
    } else {
      this.#waitWhile(generation);
    }
    if (Atomics.load(control, CANCEL_AGREED) === this.#command) throw new Cancelled();
    return Atomics.load(control, PAUSE_AGREED) === 1;
  }

  get #isPauseRequested(): boolean {
    return Atomics.load(this.#control, PAUSE_REQUESTED) === this.#command;
  }

  /** Lets other commands run, and puts everything back as it was. */
  #pause(): void {
    const cell = TAKEN + this.index * TAKEN_STRIDE;
    const [command, depth, hasDealt] = [this.#command, this.#depth, this.#hasDealt];
    const taken = Atomics.load(this.#control, cell);
    this.#onPause();
    this.begin(command, depth);
    this.#hasDealt = hasDealt;
    Atomics.store(this.#control, cell, taken);
    // No thread goes on with a deal before all parts of it are as they were.
    this.#arrive(false);
  }

  #waitWhile(generation: number): void {
    const control = this.#control;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(control, GENERATION) !== generation) return;
    }
    Atomics.add(control, SLEEPERS, 1);
    while (Atomics.load(control, GENERATION) === generation) {
      Atomics.wait(control, GENERATION, generation);
    }
    Atomics.sub(control, SLEEPERS, 1);
  }

  /** This thread's first item of `total`, which are dealt out in runs of whole `unit`s. */
  from(total: number, unit = 1): number {
    return Math.min(total, this.#share(Math.ceil(total / unit), this.index) * unit);
  }

  /** One past this thread's last item. */
  to(total: number, unit = 1): number {
    return Math.min(total, this.#share(Math.ceil(total / unit), this.index + 1) * unit);
  }

  /**
   * Does items 0 … total - 1 together with the other threads, which make the same call: each begins with
   * its own part, piece by piece, and goes on with what is left of the others'. Items done by others are
   * complete behind the next barrier. Stops early when the command was cancelled.
   *
   * @param piece items per call of `work`: some 10 µs of work are many times what taking a piece costs,
   *   and less than what it costs to wait for a thread that has just taken one
   * @param work does items `from` … `to - 1`
   * @throws Error when there was no barrier since the last deal
   */
  deal(total: number, piece: number, work: (from: number, to: number) => void): void {
    if (this.#hasDealt) throw new Error("two deals without a barrier between");
    this.#hasDealt = true;
    const control = this.#control;
    for (let turn = 0; turn < this.size; turn++) {
      const owner = (this.index + turn) % this.size;
      const first = this.#share(total, owner);
      const end = this.#share(total, owner + 1);
      const cell = TAKEN + owner * TAKEN_STRIDE;
      while (first + Atomics.load(control, cell) < end && !this.cancelled) {
        if (this.#isPauseRequested && this.#arrive()) this.#pause();
        const from = first + Atomics.add(control, cell, piece);
        if (from < end) work(from, Math.min(from + piece, end));
      }
    }
  }

  #share(units: number, index: number): number {
    return Math.floor((units * index) / this.size);
  }
}
