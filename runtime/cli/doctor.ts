/** `chorale doctor`: what this machine has of what Chorale uses, and what to do about what is missing. */
import { sandboxReport } from "../../tools/index.ts";
import { allSettings } from "./command/walk.ts";
import type { CommandContext } from "./command-context.ts";
import type { Check, CheckStatus } from "./doctor/check.ts";
import { configurationChecks } from "./doctor/configuration.ts";
import { machineChecks } from "./doctor/machine.ts";
import { type ModelToCheck, modelCheck } from "./doctor/model.ts";
import { policyChecks } from "./doctor/policy.ts";
import { pythonCheck, sandboxChecks } from "./doctor/sandbox.ts";
import { serverChecks } from "./doctor/servers.ts";
import { packageCheck, stateChecks } from "./doctor/state.ts";
import { terminalCheck } from "./doctor/terminal.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { visibleText, wrapWords } from "./terminal-text.ts";

export type DoctorArguments = ModelToCheck & {
  readonly load: boolean;
  readonly json: boolean;
};

/** One line for each check, or with `json` one document; status 1 when something does not work. */
export async function doctorCommand(
  { load, json, ...model }: DoctorArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { env, output, signal } = context;
  const sandbox = await sandboxReport();
  const { isTTY, columns, rows } = process.stdout;
  const checks: readonly Check[] = [
    ...machineChecks(),
    ...(await stateChecks(env)),
    ...(await configurationChecks(await allSettings(context.commands), env)),
    ...(await policyChecks(env)),
    ...serverChecks(env),
    await modelCheck(model, load),
    ...sandboxChecks(sandbox),
    ...(sandbox.available ? [await pythonCheck(env, signal)] : []),
    await packageCheck(env),
    terminalCheck({ isTerminal: isTTY === true, columns, rows, env }),
  ];
  const isHealthy = checks.every(({ status }) => status !== "problem");
  if (json) output.jsonLine({ healthy: isHealthy, checks, sandbox });
  else show(checks, context);
  return isHealthy ? EXIT.ok : EXIT.failed;
}

const COLORS: Readonly<Record<CheckStatus, string>> = { ok: "32", note: "33", problem: "31" };

function show(checks: readonly Check[], { output }: CommandContext): void {
  const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
  const width = Math.max(...checks.map(({ name }) => name.length));
  const indent = " ".repeat("problem".length + 2 + width + 2);
  for (const { name, status, detail, mend } of checks) {
    const mark = output.paint(status.padEnd("problem".length), COLORS[status]);
    const shown = wrapWords(indent + visibleText(detail), columns, indent);
    output.line(`${mark}  ${name.padEnd(width)}  ${shown.slice(indent.length)}`);
    if (mend !== undefined) {
      output.line(wrapWords(`${indent}-> ${visibleText(mend)}`, columns, `${indent}   `));
    }
  }
}
