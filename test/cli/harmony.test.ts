/** `chorale harmony …` as a child process: what comes out, and what is refused. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { chorale, type Ran } from "./chorale.ts";

const root = mkdtempSync(join(tmpdir(), "harmony-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const harmony = (args: readonly string[], stdin?: string): Promise<Ran> =>
  chorale(["harmony", ...args], {
    home: join(root, "home"),
    ...(stdin !== undefined && { stdin }),
  });

const file = (name: string, content: string): string => {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
};

const CONVERSATION = {
  messages: [
    { role: "user", content: "Weather in Oslo? <|end|>" },
    { role: "assistant", channel: "analysis", content: "I need the tool." },
    {
      role: "assistant",
      channel: "commentary",
      recipient: "functions.f",
      content_type: "<|constrain|>json",
      content: '{"city":"Oslo"}',
    },
    { role: "assistant", channel: "final", content: "Rain." },
  ],
};
const conversation = file("conversation.json", JSON.stringify(CONVERSATION));

test("render prints text by default, in the style asked for", async () => {
  const { stdout, stderr, code } = await harmony(["render", conversation]);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  expect(stdout).toBe(
    "<|start|>user<|message|>Weather in Oslo? <|end|><|end|>" +
      '<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>{"city":"Oslo"}<|call|>' +
      "<|start|>assistant<|channel|>final<|message|>Rain.<|end|>\n",
  );
  const flags = "--drop-policy none --recipient channel --content-type bare --as completion";
  const styled = await harmony(["render", conversation, ...flags.split(" ")]);
  expect(styled.stdout).toContain("<|channel|>analysis<|message|>I need the tool.<|end|>");
  expect(styled.stdout).toContain("assistant<|channel|>commentary to=functions.f json<|message|>");
  expect(styled.stdout).toMatch(/<\|end\|><\|start\|>assistant\n$/);
});

test("ids keep apart what a user typed and what is a boundary, and parse gives the messages back", async () => {
  const rendered = await harmony(["render", "-", "--format", "ids"], JSON.stringify(CONVERSATION));
  const ids = JSON.parse(rendered.stdout) as number[];
  expect(ids.slice(0, 3)).toEqual([200006, 1428, 200008]);
  const parsed = await harmony(["parse", "--ids", "--strict"], rendered.stdout);
  expect(parsed.code).toBe(0);
  const messages = parsed.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(messages).toMatchObject([
    { role: "user", content: [{ text: "Weather in Oslo? <|end|>" }], terminator: "end" },
    { recipient: "functions.f", content_type: "<|constrain|>json", terminator: "call" },
    { channel: "final", content: [{ text: "Rain." }], issues: [] },
  ]);
});

test("parse says what it recovered; strictly it refuses, after the good messages", async () => {
  const said =
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|channel|>commentary to=f json<|message|>{}<|call|><|call|>\n";
  const lenient = await harmony(["parse", "--tool", "functions.f"], said);
  expect(lenient.code).toBe(0);
  const messages = lenient.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(messages).toMatchObject([
    { role: "assistant", channel: "analysis" },
    { recipient: "f", issues: [{ code: "duplicate_channel" }] },
  ]);
  expect(lenient.stderr).toMatch(/^chorale: stray_stop_token: .+\n$/);

  const document = await harmony(["parse", "--format", "json"], said);
  expect(JSON.parse(document.stdout).issues).toMatchObject([
    { code: "duplicate_channel" },
    { code: "stray_stop_token" },
  ]);

  const strict = await harmony(["parse", "--strict"], `${said.slice(0, 40)}<|end|><|end|>`);
  expect(strict.code).toBe(2);
  expect(strict.stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(strict.stderr).toBe(
    "chorale: Unexpected token 200007 while expecting start token 200006.\n",
  );
});

test("explain names every part, without colour and without obeying the text", async () => {
  const said = "<|channel|>commentary to=f <|constrain|>json<|message|>{\u001b[2J\n}<|call|>";
  const plain = await harmony(["explain"], said);
  expect(plain).toMatchObject({ code: 0, stderr: "" });
  expect(plain.stdout.split("\n").map((line) => line.replace(/ +/g, " "))).toEqual([
    "1 channel <|channel|>commentary",
    " recipient to=f ",
    " content type <|constrain|>json",
    " message <|message|>",
    " content {␛[2J",
    " }",
    " end <|call|>",
    "",
  ]);
  const colored = await harmony(["explain", "--color", "always"], said);
  expect(colored.stdout).toContain("\u001b[36m<|channel|>commentary\u001b[0m");
  expect(colored.stdout).not.toContain("\u001b[2J");
});

test("explain marks what is wrong where it stands", async () => {
  const { stdout } = await harmony(["explain"], "<|channel|>final<|message|>Yes.<|end|><|return|>");
  expect(stdout).toMatch(/end +<\|return\|>\n +! stray_stop_token: /);
});

test.each([
  ["no subcommand", [], "Name one of render, parse, explain."],
  ["no file", ["render"], "The argument <file> is missing."],
  ["a missing file", ["render", "/nope.json"], "there is no such file"],
  ["what is no JSON", ["render", file("a", "{")], "The input is not JSON"],
  ["a role that is none", ["render", file("b", '{"messages":[{"role":"x"}]}')], 'role is "x"'],
  ["a tool without name", ["render", file("c", '[{"role":"tool","content":""}]')], "have a name!"],
  ["a format that is none", ["render", conversation, "--format", "xml"], '--format is "xml"'],
  ["ids that are words", ["parse", "--ids", file("d", "1 two")], 'Id 2 is "two"'],
  [
    "two kinds of input",
    ["parse", "--ids", "--text", conversation],
    "--ids and --text exclude each other.",
  ],
  ["a role that is none there", ["explain", "--role", "king", conversation], '--role is "king"'],
] as const)("%s is refused in one sentence", async (_what, args, sentence) => {
  const { stdout, stderr, code } = await harmony(args);
  expect(stderr).toMatch(/^chorale: .+\n$/);
  expect(stderr).toContain(sentence);
  expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
});
