import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { PolicyError } from "../../runtime/policy/errors.ts";
import { parsePolicy, readPolicyFile } from "../../runtime/policy/policy-file.ts";
import { createPolicy } from "../../runtime/policy/rule-policy.ts";

const folder = mkdtempSync(join(tmpdir(), "chorale-policy-file-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a policy in a file", () => {
  test("is JSON or YAML; one value stands for a list of it", async () => {
    const yaml = await parsePolicy(
      "rules:\n  - action: allow\n    tools: a\n    arguments: {/x: y*}\n",
      "p.yml",
    );
    const json = await parsePolicy(
      '{"rules": [{"action": "allow", "tools": ["a"], "arguments": {"/x": {"glob": "y*"}}}]}',
      "p.json",
    );
    expect(yaml).toEqual(json);
    expect(json).toEqual({
      rules: [{ action: "allow", tools: ["a"], arguments: { "/x": { glob: "y*" } } }],
      otherwise: "default",
    });
  });

  test.each([
    [
      "p.json",
      '{"rules": [\n  {"action": "alow"}\n]}',
      'p.json, line 2: rules[0].action is "alow"; accepted: allow, ask, deny.',
    ],
    [
      "p.json",
      '{\n "rules": [],\n "rule": []\n}',
      "p.json, line 3: rule is no key here (meant: rules?); accepted: version, rules, otherwise.",
    ],
    ["p.json", '{"rules": [\n]', "p.json, line 2: it is not JSON: "],
    [
      "p.json",
      '{"rules": [],\n"rules": [{"action": "deny"}]}',
      "p.json, line 2: duplicated mapping key.",
    ],
    [
      "p.yaml",
      "rules:\n  - action: deny\n    tool: a\n",
      "p.yaml, line 3: rules[0].tool is no key here (meant: tools?)",
    ],
    [
      "p.yaml",
      "rules:\n  - tools: a\n",
      "p.yaml, line 2: rules[0] has no action; accepted: allow, ask, deny.",
    ],
    [
      "p.yaml",
      "rules:\n  - action: deny\n    hosts:\n      - ok.example\n      - http://x/\n",
      'p.yaml, line 5: rules[0].hosts[1] "http://x/" is no host; accepted:',
    ],
    [
      "p.yaml",
      "rules:\n  - action: deny\n    arguments:\n      /a: {pattern: '('}\n",
      "p.yaml, line 4: rules[0].arguments./a.pattern is no regular expression: ",
    ],
    [
      "p.yaml",
      "rules:\n  - action: deny\n    arguments:\n      path: x\n",
      'p.yaml, line 4: rules[0].arguments.path "path" is no JSON pointer; accepted: "" for all',
    ],
    [
      "p.yaml",
      "rules:\n  - action: deny\n    arguments:\n      /a: {glob: a, pattern: b}\n",
      "p.yaml, line 4: rules[0].arguments./a needs one of glob and pattern",
    ],
    [
      "p.yaml",
      "rules:\n  - {action: deny, name: a}\n  - {action: deny, name: a}\n",
      'p.yaml, line 3: rules[1].name is "a", as that of rules[0].',
    ],
    [
      "p.yaml",
      "rules:\n  - {action: deny, name: tainted}\n",
      'p.yaml, line 2: rules[0].name is "tainted", which is the name of a decision without a rule',
    ],
    [
      "p.yaml",
      "rules:\n  - {action: deny, tools: []}\n",
      "p.yaml, line 2: rules[0].tools is an empty list; leave the key out.",
    ],
    [
      "p.yaml",
      "rules:\n  - {action: deny, readOnly: yes}\n",
      'p.yaml, line 2: rules[0].readOnly is "yes"; accepted: true, false.',
    ],
    [
      "p.yaml",
      "rules:\n  - {action: deny, taint: dirty}\n",
      'p.yaml, line 2: rules[0].taint is "dirty"; accepted: any, tainted, clean.',
    ],
    [
      "p.yaml",
      "rules:\n  - {action: deny, hostsAt: /a}\n",
      "p.yaml, line 2: rules[0].hostsAt says where hosts are, and the rule has no hosts.",
    ],
    ["p.yaml", "rules: 5\n", "p.yaml, line 1: rules is 5; accepted: a list of rules."],
    ["p.yaml", "version: 2\nrules: []\n", "p.yaml, line 1: version is 2; accepted: 1."],
    ["p.yaml", "", "it holds 0 documents; accepted: one."],
    ["p.yaml", "rules: []\n---\nrules: []\n", "it holds 2 documents; accepted: one."],
    ["p.yaml", "{}", "p.yaml, line 1: it has no rules"],
    ["p.yaml", "rules: [\n", "p.yaml, line 2: "],
    ["p.yaml", "- a\n", 'p.yaml, line 1: it is ["a"]; accepted: an object.'],
  ])("%s: %j is refused with line and reason", async (file, source, message) => {
    let found: unknown;
    try {
      await parsePolicy(source, file);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(PolicyError);
    expect((found as PolicyError).message).toContain(message);
  });

  test("that is missing, no text, or too large is refused", async () => {
    const missing = join(folder, "none.json");
    await expect(readPolicyFile(missing)).rejects.toThrow("it cannot be read: ENOENT");
    const binary = join(folder, "binary.json");
    writeFileSync(binary, Buffer.from([0xff, 0xfe, 0xfd]));
    await expect(readPolicyFile(binary)).rejects.toThrow("it is not UTF-8 text.");
    const large = join(folder, "large.json");
    writeFileSync(large, " ".repeat(1024 * 1024 + 1));
    await expect(readPolicyFile(large)).rejects.toThrow("accepted: at most 1048576");
  });

  test("of a program is checked as well, without a file or a line", async () => {
    await expect(createPolicy({ rules: [{ action: "alow" as "allow" }] })).rejects.toThrow(
      'The policy: rules[0].action is "alow"; accepted: allow, ask, deny.',
    );
  });
});
