/** Jobs from what a supervisor writes; its code runs in the sandbox, and what it does there comes to nothing. */
import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readJobs } from "../../../runtime/minions/decompose.ts";

const CANARY = "kestrel-5521";
const documents = [
  { name: "first.txt", text: `🦉 Owls. The word is ${CANARY}.\n\n${"x ".repeat(100)}` },
  { name: "second.txt", text: "The tower is 40 metres high." },
];
const limits = {
  maxJobs: 40,
  maxTasks: 3,
  chunkChars: 100,
  codeMs: 3000,
  restore: (text: string) => text,
};
const { signal } = new AbortController();
const read = (reply: string): ReturnType<typeof readJobs> =>
  readJobs(reply, documents, limits, signal);
const python = (code: string): ReturnType<typeof readJobs> =>
  read(`Here:\n\`\`\`python\n${code}\n\`\`\`\n`);

describe("a list of tasks", () => {
  test("is done for each chunk, those of one chunk together", async () => {
    const reading = await read('{"tasks":[{"task":"A"},{"task":"B","advice":"C"}]}');
    const jobs = "value" in reading ? reading.value : [];
    expect(jobs.slice(0, 2)).toMatchObject([
      { task: "A", taskId: 1, advice: "", chunk: { document: "first.txt", from: 0 } },
      { task: "B", taskId: 2, advice: "C", chunk: { document: "first.txt", from: 0 } },
    ]);
    expect(jobs.at(-1)).toMatchObject({
      task: "B",
      chunk: { document: "second.txt", from: 0, to: 28 },
    });
  });

  test.each([
    ["nothing", "neither a JSON object"],
    ['{"tasks":[]}', "makes no job"],
    ['{"tasks":[{"task":7}]}', "is not a text"],
    ['{"tasks":[null]}', "is not a text"],
    ['{"tasks":[{"task":" "}]}', "a task is empty"],
    [
      '{"tasks":[{"task":"a"},{"task":"b"},{"task":"c"},{"task":"d"}]}',
      "more than 3 different tasks",
    ],
    [`{"tasks":[{"task":"${"a".repeat(2001)}"}]}`, "longer than 2000"],
  ])("%s is refused", async (reply, problem) => {
    expect(await read(reply)).toMatchObject({ problem: expect.stringContaining(problem) });
  });
});

describe("code", () => {
  test("gives jobs with the places of their chunks", { timeout: 60_000 }, async () => {
    const reading = await python(
      [
        "def prepare_jobs(context, prev_job_manifests=None, prev_job_outputs=None):",
        "    print('looking')",
        "    jobs = [JobManifest(chunk=chunk, task='How high?', advice='In metres.') for chunk in chunk_by_section(context[1])]",
        "    return jobs + [JobManifest(context[0][2:7], 'What?')]",
      ].join("\n"),
    );
    expect(reading).toEqual({
      value: [
        {
          chunk: { document: "second.txt", from: 0, to: 28, text: documents[1]?.text },
          ...{ task: "How high?", advice: "In metres.", taskId: 1 },
        },
        // Python counts the owl as one character, and the text here as two.
        {
          chunk: { document: "first.txt", from: 3, to: 8, text: "Owls." },
          task: "What?",
          advice: "",
          taskId: 2,
        },
      ],
    });
  });

  const trace = join(tmpdir(), "chorale-minions-escape");
  const returns = (value: string): string => `def prepare_jobs(context):\n    return ${value}`;
  const does = (statement: string): string =>
    `def prepare_jobs(context):\n    ${statement}\n    return []`;

  test.each([
    [
      "an error with the context in its text",
      does("raise ValueError(context[0])"),
      "ended with ValueError",
    ],
    [
      "an error whose name is the context",
      does("raise type(context[0][17:29].replace('-', '_'), (Exception,), {})()"),
      "did not end well",
    ],
    ["no prepare_jobs", "x = 1", "ended with NameError"],
    ["no Python", "def prepare_jobs(:", "ended with SyntaxError"],
    ["no list", returns("7"), "ended with TypeError"],
    ["no manifests", returns("[1, 2]"), "ended with AttributeError"],
    [
      "a chunk that is invented",
      returns("[JobManifest('another text', 'a')]"),
      "does not stand in a document",
    ],
    ["an empty chunk", returns("[JobManifest('', 'a')]"), "is empty"],
    ["too many jobs", returns("[JobManifest(context[1], 'a')] * 41"), "more than 40 jobs"],
    [
      "too many tasks",
      returns("[JobManifest(context[1], str(n)) for n in range(9)]"),
      "more than 3 different",
    ],
    [
      "the context as a task",
      returns("[JobManifest(context[1], context[0] * 10)]"),
      "longer than 2000",
    ],
    ["a loop without an end", does("while True: pass"), "did not end well"],
    ["an exit", does("import sys; sys.exit(0)"), "gives no list"],
    ["an end of the process", does("import os; os._exit(0)"), ""],
    ["a file of the host", does("open('/etc/passwd').read()"), "did not end well"],
    ["a file on the host", does(`open(${JSON.stringify(trace)}, 'w').write('x')`), ""],
    [
      "a socket",
      does("import socket; socket.create_connection(('127.0.0.1', 9), 2)"),
      "did not end well",
    ],
    [
      "a request",
      does("import urllib.request as r; r.urlopen('http://127.0.0.1:9/')"),
      "did not end well",
    ],
    [
      "a process",
      does("import subprocess; subprocess.run(['touch', '/tmp/x'])"),
      "did not end well",
    ],
    ["JavaScript", does("import js; js.eval('process.exit(0)')"), ""],
    [
      "a module of Node",
      does("from pyodide.code import run_js; run_js('require(\"fs\")')"),
      "did not end well",
    ],
    ["memory without an end", does("x = 'a' * (1 << 34)"), "did not end well"],
    [
      "a recursion without an end",
      "def prepare_jobs(context):\n    return prepare_jobs(context)",
      "RecursionError",
    ],
    [
      "an answer of its own, malformed",
      `${returns("[]")}\n_json.dumps = lambda value: "nonsense"`,
      "gives no list",
    ],
    [
      "places of its own",
      `${returns("[]")}\n_json.dumps = lambda value: '{"texts":["a"],"jobs":[[5,0,4,0,0]]}'`,
      "gives no list",
    ],
    [
      "negative places",
      `${returns("[]")}\n_json.dumps = lambda value: '{"texts":["a"],"jobs":[[0,-9,4,0,0]]}'`,
      "gives no list",
    ],
    [
      "places that are no numbers",
      `${returns("[]")}\n_json.dumps = lambda value: '{"texts":["a"],"jobs":[[0,"0","4",0,0]]}'`,
      "gives no list",
    ],
    [
      "a name of the prototype",
      `${returns("[]")}\n_json.dumps = lambda value: '{"texts":["a"],"jobs":[["__proto__",0,4,0,0]]}'`,
      "gives no list",
    ],
    [
      "no texts",
      `${returns("[]")}\n_json.dumps = lambda value: '{"texts":{},"jobs":[]}'`,
      "gives no list",
    ],
    ["much output", does("print('y' * 5_000_000)"), ""],
  ])("%s comes to nothing", { timeout: 60_000 }, async (_, code, problem) => {
    rmSync(trace, { force: true });
    const reading = await python(code);
    expect(reading).toMatchObject({ problem: expect.stringContaining(problem) });
    expect(JSON.stringify(reading)).not.toMatch(/kestrel|5521|Owls/);
    expect(existsSync(trace)).toBe(false);
  });
});
