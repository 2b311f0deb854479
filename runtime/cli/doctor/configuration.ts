/** Whether the configuration can be read and every value in it is one. */
import { messageOf } from "../../errors.ts";
import type { Flags } from "../command/flag.ts";
import { settingStates } from "../config.ts";
import { configPath, readConfigFile } from "../config-file.ts";
import { checkKeys, profileName } from "../settings.ts";
import type { Check } from "./check.ts";

/** One check for each place that is wrong, else one for the whole. */
export async function configurationChecks(
  settings: Flags,
  env: NodeJS.ProcessEnv,
): Promise<readonly Check[]> {
  const name = "configuration";
  const mend = "chorale config edit opens the file; chorale config shows what counts.";
  try {
    const config = readConfigFile(env);
    await checkKeys(config, settings, async () => settings);
    // Every profile, also those that no command uses now.
    const lines = [
      [],
      ...Object.keys(config.profiles).map((profile) => [["profile", [profile]]] as const),
    ];
    const problems = new Set<string>();
    for (const line of lines) {
      const sources = { line: new Map(line), env, config };
      profileName(sources);
      for (const { problem } of Object.values(settingStates(settings, sources))) {
        if (problem !== undefined) problems.add(problem);
      }
    }
    if (problems.size > 0) {
      return [...problems].map((detail) => ({ name, status: "problem" as const, detail, mend }));
    }
    const profiles = Object.keys(config.profiles);
    const detail = config.exists
      ? `${config.path} is valid; profiles: ${profiles.join(", ") || "none"}.`
      : `There is none; chorale config set makes ${configPath(env)}.`;
    return [{ name, status: "ok", detail }];
  } catch (error) {
    return [{ name, status: "problem", detail: messageOf(error), mend }];
  }
}
