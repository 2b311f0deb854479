/** Whether a server of this user has the model that a command wants. */
import { demoModelPath } from "../../../inference/index.ts";
import { loadTokenizer, resolveModelName } from "../../index.ts";
import { findServers } from "../discovery.ts";
import { SharedModel } from "./shared-model.ts";

export type SharedModelWish = {
  /** As `--model` names it; undefined: the embedded one. */
  readonly model: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** Gets a sentence for the person who watches. */
  readonly onNote: (sentence: string) => void;
};

/**
 * @returns the model in the server; null where there is none, or none that answers
 * @throws ModelNotFoundError for a name that means nothing
 */
export async function findSharedModel({
  model,
  env,
  signal,
  onNote,
}: SharedModelWish): Promise<SharedModel | null> {
  const servers = await findServers(env);
  if (servers.length === 0) return null;
  const pathOf = (name: string | undefined): string | null =>
    resolveModelName(name, env)?.path ?? null;
  const wanted = pathOf(model);
  for (const { url, socketPath, models } of servers) {
    const served = models.find(({ given }) => isPath(given ?? undefined));
    if (served === undefined) continue;
    try {
      const tokenizer = await loadTokenizer(model ?? demoModelPath);
      const shared = await SharedModel.open({ socketPath, model: served.name, tokenizer }, signal);
      onNote(`The server at ${url} answers (${shared.name}); --no-server loads the model here.`);
      return shared;
    } catch (error) {
      signal?.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      onNote(`The server at ${url} is not used: ${reason}`);
    }
  }
  return null;

  function isPath(name: string | undefined): boolean {
    try {
      return pathOf(name) === wanted;
    } catch {
      // A server may have been started with a name that means nothing here.
      return false;
    }
  }
}
