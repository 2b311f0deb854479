/** What README.md tells a newcomer to type does what it says. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, expect, inject, test } from "vitest";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "chorale-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The blocks of code below a heading: what is typed, and what is a file. */
function blocksOf(heading: string): { commands: string[]; program: string } {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const block = (language: string) =>
    new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(section)?.[1] ?? "";
  return { commands: block("").trim().split("\n"), program: block("ts") };
}

test("five commands lead from an empty folder to an agent with a tool of one's own", () => {
  const { commands, program } = blocksOf("From an empty folder to your own tool");
  expect(commands).toHaveLength(5);
  mkdirSync(join(folder, "weather"));
  writeFileSync(join(folder, "weather", "weather.ts"), program);
  // The package as it is here, instead of the published one.
  const script = commands
    .join("\n")
    .replace("mkdir weather", "mkdir -p weather")
    .replace("npm install chorale", `npm install --prefer-offline "${inject("tarball")}"`);
  const { NODE_OPTIONS: _, ...env } = process.env;
  const printed = execFileSync("sh", ["-ec", script], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, PATH: dirname(process.execPath) + delimiter + env["PATH"] },
  });
  expect(printed.trim().split("\n").at(-1)).toMatch(/Lisbon.*18.*cloudy/);
});
