/** Whether the files of the policy can be read: the user's own, and that of this folder. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { messageOf } from "../../errors.ts";
import { readPolicyFile } from "../../index.ts";
import { configPath } from "../config-file.ts";
import type { Check } from "./check.ts";

const NAMES: readonly string[] = ["policy.json", "policy.yaml", "policy.yml"];

export async function policyChecks(env: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const name = "policy";
  const folders = [dirname(configPath(env)), resolve(".chorale")];
  const files = folders
    .flatMap((folder) => NAMES.map((file) => join(folder, file)))
    .filter((file) => existsSync(file));
  const found: string[] = [];
  const problems: Check[] = [];
  for (const file of files) {
    try {
      const { rules } = await readPolicyFile(file);
      found.push(`${file} (${rules.length} ${rules.length === 1 ? "rule" : "rules"})`);
    } catch (error) {
      const mend = `Correct ${file}; until then commands that use it refuse to start.`;
      problems.push({ name, status: "problem", detail: messageOf(error), mend });
    }
  }
  if (problems.length > 0) return problems;
  const detail =
    found.length === 0
      ? "There is none: tools that ask for an approval are asked for, others run."
      : `${found.join(", ")} can be read.`;
  return [{ name, status: "ok", detail }];
}
