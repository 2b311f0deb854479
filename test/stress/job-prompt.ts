/** What the jobs of the stress ask for, in words that their model reads back. */

/** `keyed`: the tool's effect is made once for each idempotency key; `unkeyed`: a call may not be repeated. */
export type JobKind = "keyed" | "unkeyed";

/** Calls of each job. */
export const CALLS = 2;

export const promptOf = (kind: JobKind, job: number): string =>
  `Leave ${CALLS} rows with ${kind} for job ${job}.`;

export function readPrompt(prompt: string): { readonly kind: JobKind; readonly job: number } {
  const [, kind, job] = /(unkeyed|keyed) for job (\d+)\./.exec(prompt) ?? [];
  if (kind === undefined) throw new Error(`not a prompt of the stress: ${prompt.slice(0, 100)}`);
  return { kind: kind as JobKind, job: Number(job) };
}

/** The answer of a job that nothing disturbed. */
export const answerOf = (job: number): string =>
  Array.from({ length: CALLS }, () => `row of ${job}`).join(", ");
