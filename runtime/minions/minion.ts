/** The protocol `minion`: supervisor and worker talk; the worker alone sees the documents. */
import { runAgent, Thread } from "../index.ts";
import { bestChunks, type ContextDocument, chunksOf } from "./chunks.ts";
import { MinionsError } from "./errors.ts";
import type { LocalMeter } from "./local-meter.ts";
import { objectIn, type Reading, readDecision, type Supervisor } from "./supervisor.ts";

export type ProtocolOptions = {
  readonly question: string;
  readonly documents: readonly ContextDocument[];
  readonly supervisor: Supervisor;
  readonly worker: LocalMeter;
  readonly rounds: number;
  readonly signal: AbortSignal;
  /** The values in the place of labels, for what the worker reads. */
  readonly restore: (text: string) => string;
  readonly onProgress: (sentence: string) => void;
};

/** What is counted while a protocol runs; it is true also where it fails. */
export type Tally = {
  rounds: number;
  jobs: number;
  answered: number;
  abstained: number;
  failed: number;
  /** Samplings of the worker beyond the first of a job: its answer did not have the form. */
  workerRetries: number;
};

const OPENING =
  "A worker has read the documents. Write one message to it that asks for what you need to answer the question. It is a " +
  "small model: ask for one thing at a time, in simple words, and not for long calculations.\n" +
  'Reply with JSON: {"message": "…"}\n\nThe question:\n';
const DECIDE =
  "\n\nIs that enough to answer the question? If it is, reply with JSON: " +
  '{"decision": "provide_final_answer", "answer": "…"}. If not, ask the worker for what is missing: ' +
  '{"decision": "request_additional_info", "message": "…"}.';
const CONCLUDE =
  "\n\nThe worker cannot be asked again. Reply with JSON, and say in the answer what is not known: " +
  '{"decision": "provide_final_answer", "answer": "…"}.';
const WORKER_ANSWER = "The worker's reply:\n";

const WORKER =
  "You are a worker. You have the documents below. Answer questions about them concisely, from the documents alone, with the " +
  "exact words and numbers that stand there. If they do not say it, say that.";

/** Tokens of the worker's context that are left for questions and answers. */
const RESERVED_SHARE = 0.4;
const WORKER_TOKENS = 512;
/** A chunk is at most this much of what the worker reads of the documents. */
const CHUNKS_IN_CONTEXT = 8;

/** @returns the supervisor's answer, with labels in it */
export async function runMinion(options: ProtocolOptions, tally: Tally): Promise<string> {
  const { question, supervisor, rounds, restore, onProgress } = options;
  const thread = Thread.create();
  let message = await supervisor.ask(
    [
      { label: "protocol", text: OPENING },
      { label: "question", text: question },
    ],
    readMessage,
    thread,
  );
  const worker = new ChatWorker(options, tally);
  for (;;) {
    tally.rounds++;
    tally.jobs++;
    onProgress(`round ${tally.rounds} of ${rounds}: the worker reads`);
    const reply = await worker.answer(restore(message));
    tally.answered++;
    const isLast = tally.rounds >= rounds || !supervisor.mayAskAgain;
    const decision = await supervisor.ask(
      [
        { label: "protocol", text: WORKER_ANSWER },
        { label: "worker", text: reply },
        { label: "protocol", text: isLast ? CONCLUDE : DECIDE },
      ],
      (text) => readDecision(text, isLast),
      thread,
    );
    if (decision.decision === "answer") return decision.answer;
    message = decision.message;
  }
}

function readMessage(reply: string): Reading<string> {
  const message = objectIn(reply)?.["message"];
  if (typeof message === "string" && message.trim() !== "") return { value: message };
  return { problem: "it has no JSON object with a text as message." };
}

/** One conversation over the documents; where they are too long, each question gets the parts that fit it best. */
class ChatWorker {
  readonly #options: ProtocolOptions;
  readonly #tally: Tally;
  readonly #thread = Thread.create();
  readonly #whole: string | null;

  constructor(options: ProtocolOptions, tally: Tally) {
    this.#options = options;
    this.#tally = tally;
    const { documents, worker } = options;
    const whole = shown(documents);
    const room = Math.floor(worker.contextLength * (1 - RESERVED_SHARE));
    this.#whole = worker.countTokens(whole) <= room ? whole : null;
  }

  async answer(message: string): Promise<string> {
    const { worker, signal, documents } = this.#options;
    const instructions = `${WORKER}\n\n${this.#whole ?? shown(this.#parts(message))}`;
    let samplings = 0;
    const result = await runAgent({
      onEvent: ({ type }) => {
        if (type === "generation.completed" && ++samplings > 1) this.#tally.workerRetries++;
      },
      ...{ model: worker, instructions, prompt: message, signal, effort: "low" as const },
      // With other parts it is another conversation.
      thread: this.#whole === null ? Thread.create() : this.#thread,
      maxTokens: Math.min(WORKER_TOKENS, Math.floor(worker.contextLength * 0.15)),
    });
    signal.throwIfAborted();
    const output = result.output ?? result.partialOutput;
    if (output !== undefined && output !== null && output.trim() !== "") return output;
    throw new MinionsError(
      "CHORALE_MINIONS_MODEL",
      `The worker ${worker.name} gave no answer about ${documents.length} documents: ${result.error?.message ?? "it ended without one."}`,
      result.error,
    );
  }

  #parts(message: string): ContextDocument[] {
    const { documents, worker, question } = this.#options;
    const text = documents.map((document) => document.text).join("");
    const charsPerToken = text.length / Math.max(1, worker.countTokens(text));
    const room = worker.contextLength * (1 - RESERVED_SHARE) * charsPerToken;
    const maxChars = Math.max(200, Math.floor((room / CHUNKS_IN_CONTEXT) * 0.9));
    const chunks = chunksOf(documents, maxChars);
    const best = bestChunks(chunks, `${question}\n${message}`, CHUNKS_IN_CONTEXT);
    return best.map((chunk) => ({ name: chunk.document, text: chunk.text }));
  }
}

function shown(documents: readonly ContextDocument[]): string {
  return documents.map(({ name, text }) => `# ${name}\n\n${text.trim()}`).join("\n\n");
}
