/** `chorale cp NAME NEW`: a pulled model under a second name, without its bytes a second time. */
import { findStoredModel, modelNameText, parseModelName } from "../../../inference/index.ts";
import { UsageError } from "../../errors.ts";
import { modelStore } from "../../index.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { visibleText } from "../terminal-text.ts";

export type CopyArguments = {
  readonly name: string;
  readonly to: string;
  readonly json: boolean;
};

/** @throws UsageError for a model that was not pulled; ModelStoreError */
export async function copyCommand(
  { name: text, to, json }: CopyArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const store = modelStore(env);
  const target = parseModelName(to);
  const name = modelNameText(target);
  const from = findStoredModel(text, store);
  if (from === undefined) {
    throw new UsageError(
      `Cannot copy ${text}: it was not pulled; accepted: the name of a model that chorale list shows as pulled.`,
    );
  }
  await store.copy(from, target, name, signal);
  if (json) output.jsonLine({ from: from.manifest.name, name, folder: store.root });
  else output.line(visibleText(`${name} is ${from.manifest.name} now.`));
  return EXIT.ok;
}
