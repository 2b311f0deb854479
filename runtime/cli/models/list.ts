/** `chorale list`: the models of this machine. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ModelKeeper } from "../../../inference/index.ts";
import { listModels, modelStore } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";
import { bytesText } from "./transfer-progress.ts";

type Row = {
  readonly name: string;
  readonly keeper: "chorale" | ModelKeeper;
  /** null where another program does not have it whole. */
  readonly bytes: number | null;
  readonly digest: string | null;
  readonly license: string | null;
  readonly modified: string | null;
};

const KEEPERS: Readonly<Record<Row["keeper"], string>> = {
  chorale: "",
  ollama: "of Ollama",
  huggingface: "of the Hugging Face cache",
  lmstudio: "of LM Studio",
};

/** Models that were pulled come first, then those that other programs keep; pulls that did not end last. */
export async function listCommand(
  json: boolean,
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const store = modelStore(env);
  const { models, broken } = store.list();
  const own = models.map(({ manifest }): Row => {
    const { name, digest, license, pulledAt } = manifest;
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    return { name, keeper: "chorale", bytes, digest, license, modified: pulledAt };
  });
  const others = listModels(env).flatMap(({ text, keeper, path }): Row[] =>
    keeper === "chorale"
      ? []
      : [{ name: text, keeper, ...fileFacts(path), digest: null, license: null }],
  );
  const pending = store.pending().map(({ name, files }) => {
    const missing = files.filter(
      ({ sha256 }) => sha256 === null || store.blobBytes(sha256) === undefined,
    );
    return { name, bytes: total(files), missing_bytes: total(missing) };
  });
  if (json) {
    output.jsonLine({ folder: store.root, models: [...own, ...others], pending, broken });
    return broken.length === 0 ? EXIT.ok : EXIT.failed;
  }
  const rows = [...own, ...others];
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  for (const { name, keeper, bytes, modified } of rows) {
    const size = bytes === null ? "incomplete" : bytesText(bytes);
    const day = modified?.slice(0, 10) ?? "";
    const line = `${name.padEnd(width)}  ${size.padStart(10)}  ${day}  ${KEEPERS[keeper]}`;
    output.line(visibleText(line.trimEnd()));
  }
  if (rows.length === 0) output.note(`No models are in ${store.root}; chorale pull brings one.`);
  for (const one of pending) {
    output.note(
      `${one.name} is not whole yet; chorale pull ${one.name} goes on, chorale rm ${one.name} takes it away.`,
    );
  }
  for (const { path, problem } of broken) output.note(`BROKEN ${path}: ${problem}`);
  return broken.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Of a file or of what is directly in a folder. */
function fileFacts(path: () => string): {
  readonly bytes: number | null;
  readonly modified: string | null;
} {
  try {
    const found = statSync(path());
    return {
      bytes: found.isFile() ? found.size : weightsIn(path()),
      modified: found.mtime.toISOString(),
    };
  } catch {
    return { bytes: null, modified: null };
  }
}

function weightsIn(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".safetensors") || name.endsWith(".gguf"))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function total(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
