/** `chorale verify [NAME …]`: hashes the files of models anew, and looks at every number of their weights. */
import {
  CheckpointError,
  checkTensors,
  type FileCheck,
  type TensorCheck,
  verifyFiles,
  verifyFoundFiles,
} from "../../../inference/index.ts";
import { UsageError } from "../../errors.ts";
import { modelStore, resolveModelName } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { bytesText, transferProgress } from "./transfer-progress.ts";

export type VerifyArguments = { readonly names: readonly string[]; readonly json: boolean };

type Verified = {
  readonly name: string;
  readonly files: readonly FileCheck[];
  /** Why the weights could not be looked at; null when they could. */
  readonly problem: string | null;
  readonly tensors: TensorCheck | null;
};

/**
 * Status 1 when one is broken.
 * @throws UsageError where there is nothing to verify; ModelNotFoundError; the signal's reason
 */
export async function verifyCommand(
  { names, json }: VerifyArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, env } = context;
  const store = modelStore(env);
  const wanted =
    names.length > 0 ? names : store.list().models.map(({ manifest }) => manifest.name);
  if (wanted.length === 0) {
    throw new UsageError("No models were pulled; accepted: names or paths of models.");
  }
  const verified: Verified[] = [];
  for (const text of wanted) {
    const one = await verifyOne(text, context);
    verified.push(one);
    if (!json) for (const line of asText(one)) output.line(visibleText(line));
  }
  const isHealthy = verified.every(isWhole);
  if (json) output.jsonLine({ healthy: isHealthy, models: verified.map(asJson) });
  const broken = verified.filter((one) => !isWhole(one)).map(({ name }) => name);
  if (broken.length > 0) {
    output.note(`To fetch it again: chorale rm ${broken[0]}, then chorale pull ${broken[0]}`);
  }
  return isHealthy ? EXIT.ok : EXIT.failed;
}

async function verifyOne(text: string, { output, env, signal }: CommandContext): Promise<Verified> {
  const store = modelStore(env);
  const tell = transferProgress(output);
  const onProgress = (file: string, done: number, total: number): void =>
    tell(`hashing ${file}`, done, total);
  const found = resolveModelName(text, env);
  if (found === undefined) throw new UsageError(`${text} is part of Chorale and not verified.`);
  const own = store.list().models.find(({ path }) => path === found.path);
  const files =
    own === undefined
      ? await verifyFoundFiles(found.path, { signal, onProgress })
      : await verifyFiles(store, own, { signal, onProgress });
  return { name: found.name, files, ...(await tensorsOf(found.path)) };

  async function tensorsOf(path: string): Promise<Pick<Verified, "problem" | "tensors">> {
    try {
      const tensors = await checkTensors(path, signal, (done, total) =>
        tell("looking at the weights", done, total),
      );
      return { problem: null, tensors };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      return { problem: error.message, tensors: null };
    }
  }
}

function isWhole({ files, problem, tensors }: Verified): boolean {
  const isRight = files.every((file) => file.problem === null);
  return isRight && problem === null && tensors?.problems.length === 0;
}

function asText(verified: Verified): string[] {
  const { name, files, problem, tensors } = verified;
  const lines = files.flatMap((file) =>
    file.problem === null ? [] : [`BROKEN ${name}: ${file.name}: ${file.problem}`],
  );
  if (problem !== null) lines.push(`BROKEN ${name}: ${problem}`);
  for (const one of tensors?.problems ?? []) {
    lines.push(`BROKEN ${name}: the tensor ${one.tensor} ${one.problem}`);
  }
  if (isWhole(verified)) {
    const bytes = bytesText(files.reduce((sum, file) => sum + file.bytes, 0));
    const hashed =
      files.length === 0
        ? "no hashes of its files are known"
        : `${files.length === 1 ? "1 file" : `${files.length} files`} (${bytes}) as expected`;
    lines.push(`${name}: ${hashed}, ${tensors?.tensors ?? 0} tensors with finite numbers`);
  }
  return lines;
}

function asJson(verified: Verified): object {
  const { name, files, problem, tensors } = verified;
  return { name, whole: isWhole(verified), files, problem, tensors };
}
