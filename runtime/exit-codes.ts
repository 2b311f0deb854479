/**
 * What the `chorale` command's exit status says. The same number is in the `run.completed` event, so
 * that a program that reads events and a shell script come to the same conclusion.
 */
export const EXIT = {
  ok: 0,
  /** The run failed: the context is full, a tool broke in a way that ends the run, our own bug. */
  failed: 1,
  /** A flag, the prompt or the configuration is wrong; nothing was started. */
  usage: 2,
  /** The final answer still does not pass its schema after the repairs. */
  invalidOutput: 3,
  /** The limit of model turns or of generated tokens was reached. */
  limit: 4,
  /** A tool needed an approval and did not get it. */
  denied: 5,
  /** The model is missing or broken, or does not fit this machine. */
  model: 6,
  /** The model's Harmony stayed unusable after the retries. */
  harmony: 7,
  /** Ctrl-C. */
  interrupted: 130,
  /** Whoever read our output closed it (`chorale … | head -1`), as SIGPIPE reports it. */
  pipeClosed: 141,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
