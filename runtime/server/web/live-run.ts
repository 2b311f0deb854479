/** A run that the page has begun. It goes on when no page reads it, and can be read from any place on. */
import { InterruptedError, messageOf } from "../../errors.ts";
import type { RunEvent } from "../../events.ts";
import type { ApprovalDecision, ApprovalRule } from "../../index.ts";
import { ServerError } from "../errors.ts";

/** What happens in a run, and around it. */
export type PageEvent =
  | RunEvent
  /** The model is being loaded, or the tools are opened. */
  | { readonly type: "page.opening"; readonly model: string }
  /** What the user said meanwhile and the model did not read any more. */
  | { readonly type: "page.unread"; readonly texts: readonly string[] };

export type LiveRunOptions = {
  readonly id: string;
  readonly threadId: string;
  /** What the user said; null: an open turn goes on. */
  readonly text: string | null;
  /** Entries of the thread's log before this run. */
  readonly fromSeq: number;
};

/** Most texts that wait to be read, and characters of each. */
const MAX_STEERED = 32;

export class LiveRun {
  readonly id: string;
  readonly threadId: string;
  readonly text: string | null;
  readonly fromSeq: number;
  readonly #abort = new AbortController();
  readonly #events: PageEvent[] = [];
  readonly #questions = new Map<string, (decision: ApprovalDecision) => void>();
  #steered: string[] = [];
  #isOver = false;
  #changed = Promise.withResolvers<void>();
  /** Resolves when it is over; never rejects. */
  readonly done: Promise<void>;

  /** @param work tells what happens; what it throws is told as well */
  constructor(
    { id, threadId, text, fromSeq }: LiveRunOptions,
    work: (run: LiveRun) => Promise<void>,
  ) {
    this.id = id;
    this.threadId = threadId;
    this.text = text;
    this.fromSeq = fromSeq;
    this.done = this.#run(work);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  tell(event: PageEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** What the user said since it was asked last; null: nothing. */
  takeSteered(): string | null {
    if (this.#steered.length === 0) return null;
    const texts = this.#steered;
    this.#steered = [];
    return texts.join("\n\n");
  }

  /** Asks the pages that read. @throws the signal's reason */
  readonly ask: ApprovalRule = ({ callId }, { signal }) => {
    signal.throwIfAborted();
    const answer = Promise.withResolvers<ApprovalDecision>();
    this.#questions.set(callId, answer.resolve);
    signal.addEventListener("abort", () => answer.reject(signal.reason), { once: true });
    return answer.promise.finally(() => this.#questions.delete(callId));
  };

  /** @throws ServerError where no such call waits for an answer */
  decide(callId: string, decision: ApprovalDecision): void {
    const answer = this.#questions.get(callId);
    if (answer === undefined) {
      throw new ServerError(
        "CHORALE_REQUEST",
        `The call ${callId.slice(0, 100)} waits for no answer; it may have had one.`,
        { status: 409, param: "call" },
      );
    }
    answer(decision);
  }

  /** The model reads it in its next step. @throws ServerError when the run is over, or too much waits */
  steer(text: string): void {
    if (this.#isOver || this.#steered.length >= MAX_STEERED) {
      throw new ServerError(
        "CHORALE_REQUEST",
        this.#isOver
          ? "The run is over; send it as a new message."
          : `${MAX_STEERED} messages wait to be read already.`,
        { status: 409 },
      );
    }
    this.#steered.push(text);
  }

  stop(): void {
    this.#abort.abort(new InterruptedError("caller"));
  }

  /** Events with their numbers. @param from the first one that is wanted */
  async *read(from: number): AsyncGenerator<readonly [number, PageEvent], void, void> {
    for (let next = from; ; ) {
      const changed = this.#changed.promise;
      while (next < this.#events.length) {
        yield [next, this.#events[next] as PageEvent];
        next++;
      }
      if (this.#isOver) return;
      await changed;
    }
  }

  async #run(work: (run: LiveRun) => Promise<void>): Promise<void> {
    try {
      await work(this);
    } catch (error) {
      this.tell({ type: "error", message: messageOf(error) });
    }
    if (this.#steered.length > 0) this.tell({ type: "page.unread", texts: this.#steered });
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
