/** `chorale stop`: ends the servers of this user, or takes one model out of their memory. */
import { UsageError } from "../errors.ts";
import { askServer, findServers } from "../server/discovery.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** @throws UsageError where no server runs; ServerError for a model that none has */
export async function stopCommand(
  { model }: { readonly model: string | undefined },
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const servers = await findServers(env);
  if (servers.length === 0) throw new UsageError("No server of this user is running.");
  for (const { socketPath, url } of servers) {
    if (model === undefined) {
      await askServer(socketPath, "POST", "/chorale/stop");
      output.note(`${url} is closing`);
    } else {
      await askServer(socketPath, "POST", "/api/generate", { model, prompt: "", keep_alive: 0 });
      output.note(`${model} is out of the memory of ${url}`);
    }
  }
  return EXIT.ok;
}
