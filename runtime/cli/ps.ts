/** `chorale ps`: the servers of this user, and what they hold in memory. */
import { askServer, findServers } from "../server/discovery.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { visibleText } from "./terminal-text.ts";

type Loaded = {
  readonly name: string;
  readonly size: number;
  readonly context_length: number;
  readonly expires_at: string;
};

export async function psCommand(
  { json }: { readonly json: boolean },
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const servers = await findServers(env);
  if (servers.length === 0 && !json) output.note("no server of this user is running");
  for (const server of servers) {
    const { models } = (await askServer(server.socketPath, "GET", "/api/ps")) as {
      models: readonly Loaded[];
    };
    if (json) {
      output.jsonLine({ ...server, loaded: models });
      continue;
    }
    output.line(`${server.url}  pid ${server.pid}  since ${server.startedAt}`);
    for (const { name, size, context_length, expires_at } of models) {
      const gib = (size / 2 ** 30).toFixed(1);
      output.line(
        visibleText(`  ${name}  ${gib} GiB  context ${context_length}  until ${expires_at}`),
      );
    }
    if (models.length === 0) output.line("  no model in memory");
  }
  return EXIT.ok;
}
