/**
 * Area `mcp`: the scenarios for clients of the protocol's own suite (`@modelcontextprotocol/conformance`), played
 * against `mcp-client.ts`. What is given are names of scenarios; none: all of them.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CaseResult, ConformanceInputError } from "./case-result.ts";

const SUITE = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"));
const CLIENT = join(import.meta.dirname, "mcp-client.ts");
const LIMIT_MS = 60_000;

export async function* run(given: readonly string[]): AsyncGenerator<CaseResult> {
  const folder = mkdtempSync(join(tmpdir(), "chorale-mcp-suite-"));
  try {
    const all = await clientScenarios(folder);
    const unknown = given.find((name) => !all.includes(name));
    if (unknown !== undefined) {
      throw new ConformanceInputError(
        `There is no scenario ${unknown}; there are ${all.join(", ")}.`,
      );
    }
    for (const name of given.length === 0 ? all : given) {
      // The suite splits the command at blanks, and writes results where it is started.
      const command = `${process.execPath} ${CLIENT}`;
      const limit = ["--timeout", String(LIMIT_MS)];
      const { code, output } = await suite(
        ["client", "--command", command, "--scenario", name, ...limit],
        folder,
      );
      const count = /Passed: (\d+)\/(\d+), .*/.exec(output)?.[0];
      const failed = output.split("Failed Checks:")[1] ?? output.slice(-500);
      const isPassed = code === 0 && output.includes("OVERALL: PASSED");
      yield { id: name, pass: isPassed, got: isPassed ? count : failed, expected: "all checks" };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function clientScenarios(folder: string): Promise<readonly string[]> {
  const { output } = await suite(["list"], folder);
  const clients = output.split(/^Client scenarios.*$/m)[1] ?? "";
  const names = [...clients.matchAll(/^ {2}- (\S+) \[/gm)].map(([, name]) => name ?? "");
  if (names.length === 0) throw new Error(`the suite lists no scenarios for clients: ${output}`);
  return names;
}

async function suite(
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [SUITE, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once("close", resolve);
  return { code: await promise, output };
}
