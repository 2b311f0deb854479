/** Where Chorale keeps what outlives a run. */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/**
 * The state folder, whether or not it exists: `$CHORALE_HOME`, else `$XDG_DATA_HOME/chorale`, else
 * `~/.local/share/chorale`. Source: the XDG Base Directory Specification.
 */
export function stateDir(env: NodeJS.ProcessEnv): string {
  const override = env["CHORALE_HOME"];
  if (override !== undefined && override !== "") return resolve(override);
  const data = env["XDG_DATA_HOME"];
  // The specification: a relative path here is invalid and is ignored.
  if (data !== undefined && isAbsolute(data)) return join(data, "chorale");
  const user = env["HOME"];
  return join(user !== undefined && isAbsolute(user) ? user : homedir(), ".local/share/chorale");
}
