/** Apart from exit-codes.ts, which a command needs before it needs an engine and tools. */
import {
  InferenceError,
  InvalidRequestError,
  ModelStoreError,
  RemoteEngineError,
} from "../../inference/index.ts";
import { ToolsError } from "../../tools/index.ts";
import { codeOf } from "../errors.ts";
import { EXIT, type ExitCode, runExitCode } from "./exit-codes.ts";

/**
 * Exit status that a thrown value stands for: what tools refuse while they are set up (a schema, a
 * module) or a model is asked for (a context it does not have) is the user's to correct, what else
 * inference throws is about the model or this machine, and a bug is a failed run.
 */
export function exitCodeOf(error: unknown): ExitCode {
  const known = runExitCode(error);
  if (known !== undefined) return known;
  if (error instanceof InvalidRequestError) return EXIT.usage;
  if (error instanceof ModelStoreError) return storeExitCode(error);
  if (error instanceof RemoteEngineError && error.code === "CHORALE_ENGINE_ADDRESS") {
    return EXIT.usage;
  }
  if (error instanceof InferenceError) return EXIT.model;
  if (error instanceof ToolsError) return EXIT.usage;
  if (WRONG_JOBS.has(codeOf(error) ?? "")) return EXIT.usage;
  return EXIT.failed;
}

/** A job that is not there, or not in the state that a command needs. */
const WRONG_JOBS: ReadonlySet<string> = new Set([
  "CHORALE_JOB_NOT_FOUND",
  "CHORALE_JOB_AMBIGUOUS",
  "CHORALE_JOB_STATE",
  "CHORALE_JOB_KEY",
]);

/** A wrong name is the user's to correct; a registry, a network or a disk that fails is neither that nor the model. */
function storeExitCode({ code }: ModelStoreError): ExitCode {
  if (code === "CHORALE_MODEL_NAME" || code === "CHORALE_MODEL_AMBIGUOUS") return EXIT.usage;
  return code === "CHORALE_MODEL_STORE" ? EXIT.model : EXIT.failed;
}
