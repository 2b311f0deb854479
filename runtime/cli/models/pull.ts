/** `chorale pull NAME`: a model from a registry. */
import { ModelStoreError, type PullProgress } from "../../../inference/index.ts";
import { InterruptedError } from "../../errors.ts";
import { modelStore, pullModel } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { bytesText, transferProgress } from "./transfer-progress.ts";

export type PullArguments = {
  readonly name: string;
  readonly from: string | undefined;
  readonly json: boolean;
};

/**
 * Progress goes to stderr, what is there in the end to stdout.
 * @throws ModelStoreError, CheckpointError, UnsupportedArchitectureError; the signal's reason
 */
export async function pullCommand(
  { name, from, json }: PullArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const startedAt = performance.now();
  const tell = transferProgress(output);
  const onProgress = (progress: PullProgress): void => {
    if (progress.state === "receiving") {
      tell(`receiving ${progress.file}`, progress.modelCompleted, progress.modelTotal);
    } else if (progress.state === "verifying") {
      tell(`verifying ${progress.file}`, progress.completed, progress.total);
    }
  };
  const pulled = await pullModel(name, {
    from,
    env,
    signal,
    onProgress,
    onNote: (sentence) => output.note(visibleText(sentence)),
  }).catch((error: unknown) => {
    if (error instanceof InterruptedError) {
      output.note("What was received stays: the same command goes on from there.");
    }
    if (isAboutKeys(error) && env["HF_TOKEN"]) output.note("HF_TOKEN was sent with the request.");
    throw error;
  });
  const { model, receivedBytes, wasPresent } = pulled;
  const { manifest } = model;
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  if (json) {
    const { name: pulledName, format, license, digest, source } = manifest;
    output.jsonLine({
      name: pulledName,
      present: wasPresent,
      bytes,
      received_bytes: receivedBytes,
      seconds,
      format,
      license,
      digest,
      source,
      folder: modelStore(env).root,
    });
    return EXIT.ok;
  }
  const license = manifest.license === null ? "" : `, licence ${manifest.license}`;
  const came = wasPresent
    ? "is there already, as the registry has it now"
    : `is there: ${bytesText(bytes)} from ${manifest.source.endpoint}${license}, in ${seconds} s`;
  output.line(visibleText(`${manifest.name} ${came}.`));
  output.note(`To use it: chorale --model ${manifest.name}`);
  return EXIT.ok;
}

function isAboutKeys(error: unknown): boolean {
  return error instanceof ModelStoreError && error.code === "CHORALE_PULL_DENIED";
}
