/** The decisions in `test/golden/policy/`: each file is a policy, tools, and calls with what must come of them. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parsePolicy } from "../../runtime/policy/policy-file.ts";
import { createPolicy } from "../../runtime/policy/rule-policy.ts";
import type { Tool } from "../../tools/index.ts";

const FOLDER = new URL("../golden/policy/", import.meta.url);

const root = realpathSync(mkdtempSync(join(tmpdir(), "chorale-policy-")));
const project = join(root, "project");
const home = join(root, "home");
mkdirSync(join(project, "out/real"), { recursive: true });
mkdirSync(join(home, ".ssh"), { recursive: true });
symlinkSync("/etc", join(project, "out/escape"));
symlinkSync("real", join(project, "out/inside"));
symlinkSync(join(home, ".ssh/id_rsa"), join(project, "innocent"));
symlinkSync(join(home, ".ssh/authorized_keys"), join(project, "out/new"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NAMES = {
  readOnly: "readOnlyHint",
  destructive: "destructiveHint",
  openWorld: "openWorldHint",
};

/** The cells of the table whose first column has this heading. */
function rowsOf(text: string, heading: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .slice(1, -1)
        .split(/\s\|(?=\s)/)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

function toolOf([recipient = "", from, says = ""]: string[]): { tool: Tool; asks: boolean } {
  const annotations: Record<string, boolean> = {};
  for (const [, name, value] of says.matchAll(/(\w+): (true|false)/g)) {
    annotations[NAMES[name as keyof typeof NAMES]] = value === "true";
  }
  const tool = {
    recipient,
    description: "",
    inputSchema: recipient === "python" ? null : true,
    timeoutMs: 1,
    annotations,
    ...(from !== "own" && { origin: from as Tool["origin"] }),
    execute: async () => "",
  } as Tool;
  return { tool, asks: says.endsWith("asks") };
}

for (const file of readdirSync(FOLDER)) {
  const text = readFileSync(new URL(file, FOLDER), "utf8");
  const [, source = ""] = /```policy\n(.*?)```/s.exec(text) ?? [];
  const tools = new Map(rowsOf(text, "tool").map((row) => [row[0] as string, toolOf(row)]));
  // Links below /proc, and file names in which upper and lower case differ.
  describe.skipIf(file === "paths.md" && process.platform !== "linux")(file, () => {
    test.each(rowsOf(text, "call"))("%s | %s", async (call, after, action, rule) => {
      const document = await parsePolicy(source, "golden.yaml");
      const policy = await createPolicy({ ...document, folder: project, home });
      const [, name = "", rest = ""] = /^(\S+) (.*)$/s.exec(call ?? "") ?? [];
      const { tool, asks } = tools.get(name) ?? {};
      if (tool === undefined) throw new Error(`${file} has no tool ${name}`);
      const filled = rest.replaceAll("$PROJECT", project).replaceAll("$HOME", home);
      const decision = await policy.decide({
        tool,
        name,
        arguments: tool.inputSchema === null ? filled : JSON.parse(filled),
        taint: after === "strangers" ? { source: "browser.open", seq: 3 } : null,
        answers: [],
        needsApproval: async () => asks === true,
      });
      expect({ action: decision.action, rule: decision.rule, why: decision.reason }).toMatchObject({
        action,
        rule,
      });
    });
  });
}
