/** What the command line adds to an error of the library: the flag that would change the outcome. */
import { codeOf, messageOf } from "../errors.ts";

const MISSING_MODEL = "CHORALE_MODEL_NOT_FOUND";
const WHERE_FROM =
  "`chorale pull gpt-oss:20b` brings one, and `chorale list` says which there are.";
const MISSING_PACKAGE = "CHORALE_PACKAGE_MISSING";

const ADVICE: Readonly<Record<string, string>> = {
  maxSteps: "raise the limit with --max-steps",
  maxTokens: "raise the limit with --max-tokens",
  maxReasoningTokens: "raise the limit with --max-reasoning-tokens",
  maxSeconds: "raise the limit with --max-seconds",
  maxToolCalls: "raise the limit with --max-tool-calls",
  maxOutputBytes: "raise the limit with --max-output-bytes",
  maxRetries: "raise the limit with --max-retries",
  contextLength: "--context sets how much of the model's context is used",
  memoryLimit:
    "--memory SIZE keeps as many experts in memory as fit and reads the others from the file",
};

/** An error as a sentence for a person at the command line. */
export function errorText(error: unknown): string {
  const message = messageOf(error);
  if (error instanceof Error && "packages" in error && codeOf(error) === MISSING_PACKAGE) {
    const names = (error.packages as readonly string[]).join(" ");
    return `${message} Install with: chorale python install ${names}`;
  }
  if (codeOf(error) === MISSING_MODEL) return `${message} ${WHERE_FROM}`;
  const option: unknown = error instanceof Error && "option" in error ? error.option : undefined;
  const advice = typeof option === "string" ? ADVICE[option] : undefined;
  return advice === undefined ? message : `${message.replace(/\.$/, "")}; ${advice}.`;
}
