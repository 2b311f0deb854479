/** `chorale models convert` and `chorale models export`: a model written anew, for other programs. */
import { resolve } from "node:path";
import { UsageError } from "../../errors.ts";
import { convertModel, resolveModelName } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { bytesText, transferProgress } from "./transfer-progress.ts";

const GGUF = ".gguf";

export type ConvertArguments = {
  readonly name: string | undefined;
  readonly to: string;
  readonly json: boolean;
};

/** @throws InferenceError, ModelError; the signal's reason */
export async function convertCommand(
  { name, to, json }: ConvertArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const found = resolveModelName(name, env);
  const tell = transferProgress(output);
  const converted = await convertModel(found?.path, {
    to: resolve(to),
    format: to.endsWith(GGUF) ? "gguf" : "safetensors",
    name: found?.name,
    signal,
    onProgress: (done, total) => tell("writing", done, total),
  });
  const { path, bytes, tensors, roundedLayers } = converted;
  if (json) {
    output.jsonLine({ path, bytes, tensors, rounded_layers: roundedLayers });
    return EXIT.ok;
  }
  output.line(visibleText(`${path}: ${tensors} tensors, ${bytesText(bytes)}`));
  if (roundedLayers > 0) {
    output.note(`The experts of ${roundedLayers} layers were rounded to MXFP4.`);
  }
  return EXIT.ok;
}

export type ExportArguments = {
  readonly name: string | undefined;
  readonly gguf: string | undefined;
  readonly json: boolean;
};

/** @throws UsageError where no file is named; as `convertCommand` */
export function exportCommand(
  { name, gguf, json }: ExportArguments,
  context: CommandContext,
): Promise<ExitCode> {
  if (gguf === undefined || !gguf.endsWith(GGUF)) {
    throw new UsageError(
      `--gguf is ${gguf === undefined ? "missing" : JSON.stringify(gguf)}; accepted: the file to write, which ends with ${GGUF}.`,
    );
  }
  return convertCommand({ name, to: gguf, json }, context);
}
