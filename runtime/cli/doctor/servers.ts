/** Servers of the Model Context Protocol, as they are configured: none is started. */
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { McpServerConfig } from "../../../tools/index.ts";
import { messageOf } from "../../errors.ts";
import { configuredServers, parsed } from "../mcp/sources.ts";
import type { Check } from "./check.ts";

/** One check for each server that could not be started, else one for all. */
export function serverChecks(env: NodeJS.ProcessEnv): readonly Check[] {
  const name = "mcp servers";
  try {
    const servers = configuredServers({ mcp: [], noMcp: false }, env);
    const problems = servers.flatMap((server): Check[] => {
      const about = `${name}: ${server.name}`;
      try {
        const [config] = parsed(server, env);
        const missing = missingCommand(config?.target, env);
        if (missing !== null) {
          return [
            {
              name: about,
              status: "problem",
              detail: `Its command ${missing} is not in PATH (${server.source.path}).`,
              mend: `Install ${missing}, or take the server out: chorale mcp remove ${server.name}.`,
            },
          ];
        }
        if (server.isTrusted) return [];
        const mend = `chorale mcp trust shows what it is, and asks whether it may be started.`;
        const detail = `It comes with this folder (${server.source.path}) and has not been agreed to.`;
        return [{ name: about, status: "note", detail, mend }];
      } catch (error) {
        return [{ name: about, status: "problem", detail: messageOf(error) }];
      }
    });
    if (problems.length > 0) return problems;
    const names = servers.map((server) => server.name).join(", ");
    const detail =
      servers.length === 0
        ? "None are configured; chorale mcp add brings one."
        : `${names}; chorale mcp test NAME starts one.`;
    return [{ name, status: "ok", detail }];
  } catch (error) {
    const mend = "Correct the file, or see chorale mcp --help.";
    return [{ name, status: "problem", detail: messageOf(error), mend }];
  }
}

/** The command of a server that is a process, where there is no such program. */
function missingCommand(
  target: McpServerConfig["target"] | undefined,
  env: NodeJS.ProcessEnv,
): string | null {
  if (target === undefined || !("command" in target)) return null;
  const { command } = target;
  const folders = isAbsolute(command) || command.includes("/") ? [""] : pathOf(env);
  const isThere = folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? null : command;
}

function pathOf(env: NodeJS.ProcessEnv): readonly string[] {
  return (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
}
