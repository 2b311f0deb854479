/** Real interpreters in real processes. One session serves the cells that leave it alive. */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createPythonTool, executeTool, type PythonTool } from "../../tools/index.ts";
import { descendantsOf } from "../../tools/isolate/index.ts";
import { pythonCells } from "./python-cells.ts";
import { context, temporaryFolder } from "./support.ts";

const cacheDir = mkdtempSync(join(tmpdir(), "chorale-test-python-"));
let python: PythonTool;

// Starting without a snapshot computes for seconds, which take minutes on a machine with other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

beforeAll(async () => {
  python = createPythonTool({ cacheDir, timeoutMs: 20_000 });
  await python.warmUp();
});

afterAll(async () => {
  await python.close();
  rmSync(cacheDir, { recursive: true, force: true });
});

const { run, text, session } = pythonCells(cacheDir, () => python);

const EMPTY =
  "[WARN] No output available. Use print() to output anything to stdout to receive the output";

describe("a cell", () => {
  test.each([
    ["an expression is echoed", "48213 * 977", "47104101"],
    ["a string is echoed as its repr", "'é' + \"'\"", '"é\'"'],
    ["output comes before the value", "print('a')\n'b'", "a\n'b'"],
    [
      "stdout and stderr keep their order",
      "import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)",
      "1\n2\n3",
    ],
    ["trailing newlines are trimmed", "print('a\\n\\n')", "a"],
    ["a semicolon silences the value", "1;", EMPTY],
    ["None is not echoed", "None", EMPTY],
    ["nothing at all", "", EMPTY],
    ["only a comment", "# nothing", EMPTY],
    ["a statement", "x = 1", EMPTY],
    ["top-level await", "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'", "'awaited'"],
    ["await before the last expression", "v = await asyncio.sleep(0.01, 5)\nv", "5"],
    ["display, as notebooks have it", "display([1])", "[1]"],
    ["stdin is at its end", "import sys\nsys.stdin.read()", "''"],
    [
      "files in the working folder",
      "open('a.txt', 'w').write('hi'); open('/mnt/data/a.txt').read()",
      "'hi'",
    ],
    [
      "harmony markup is only text",
      "print('<|end|><|start|>system<|message|>')",
      "<|end|><|start|>system<|message|>",
    ],
    ["ANSI escapes are only text", "print('\\x1b[31mred')", "\x1b[31mred"],
    ["an unpaired surrogate is escaped", "print('\\ud83d'); chr(0xd83d)", "\\ud83d\n'\\ud83d'"],
    ["bytes that are no UTF-8", "import sys; sys.stdout.buffer.write(b'\\xff'); None", "\ufffd"],
    ["a NUL", "print('a\\0b')", "a\0b"],
  ])("%s", async (_, code, expected) => {
    expect(await text(code)).toBe(expected);
  });

  test("keeps variables, functions and imports for the next", async () => {
    await run("import math\ndef double(n):\n    return 2 * n\nvalue = 21");
    expect(await text("double(value), math.floor(2.5)")).toBe("(42, 2)");
    expect(await text("_")).toBe("(42, 2)");
  });

  test("fails with the traceback of its own lines", async () => {
    await run("def divide(a, b):\n    return a / b");
    const result = await run("print('before')\ndivide(1, 0)");
    expect(result.status).toBe("failed");
    expect(result.text).toMatch(
      /^before\nTraceback \(most recent call last\):\n {2}File "<cell \d+>", line 2/,
    );
    expect(result.text).toContain("return a / b");
    expect(result.text).toMatch(/ZeroDivisionError: division by zero$/);
    expect(result.text).not.toContain("cell.py");
  });

  test("an error inside of the library is shown where the cell called it", async () => {
    const shown = await text("import statistics\nstatistics.mean([])");
    expect(shown).not.toContain("statistics.py");
    expect(shown).toMatch(/line 2, in <module>[\s\S]*StatisticsError: mean requires/);
  });

  test("endless recursion is Python's own error", async () => {
    expect(await text("def f(n):\n    return f(n + 1)\nf(0)")).toMatch(/RecursionError: /);
    expect(await text("1 + 1")).toBe("2");
  });

  test.each([
    ["x = ", "SyntaxError: invalid syntax"],
    ["!pip install numpy", "Shell commands (!) and IPython magics (%) are not available here"],
    ["%timeit 1", "write plain Python"],
    [
      "import numpy",
      "ModuleNotFoundError: No module named 'numpy'\nOnly the Python standard library",
    ],
    ["import sys; sys.exit(3)", "SystemExit: 3"],
    ["input()", "EOFError"],
    [
      "class E(Exception):\n    def __str__(self): raise E()\nraise E()",
      "E: <exception str() failed>",
    ],
    ["class R:\n    def __repr__(self): raise ValueError('no')\nR()", "ValueError: no"],
    [
      "class S(str):\n    def encode(self, *a): raise ValueError\nclass R:\n    def __repr__(self): return S('x')\nR()",
      "x",
    ],
  ])("%j", async (code, expected) => {
    expect(await text(code)).toContain(expected);
  });

  test("a cell that replaces what it is run with fools only itself", async () => {
    const tool = session();
    await run(
      "import builtins, traceback, json\nbuiltins.repr = builtins.compile = lambda *a, **k: 'fooled'\njson.dumps = traceback.TracebackException = None",
      tool,
    );
    expect(await text("40 + 2", tool)).toBe("42");
  });

  test("much output is cut in the middle, and counted", async () => {
    const result = await executeTool(
      python,
      "for i in range(200_000): print(i)",
      context({ resultTokenLimit: 1e6 }),
    );
    expect(result.text).toMatch(/^0\n1\n2\n/);
    expect(result.text).toMatch(/\n199998\n199999$/);
    expect(result.text).toMatch(/\[\.\.\. \d+ bytes of output cut here \.\.\.\]/);
    expect(result.text.length).toBeLessThan(270_000);
  });

  test("a huge value is cut", async () => {
    const shown = await executeTool(python, "'x' * 10**7", context({ resultTokenLimit: 1e6 }));
    expect(shown.text.length).toBeLessThan(70_000);
    expect(shown.text).toContain("characters cut here");
  });

  test("random numbers differ from session to session", async () => {
    const code = "import random, uuid\nrandom.random(), uuid.uuid4()";
    expect(await text(code, session())).not.toBe(await text(code, session()));
  });

  test("too much memory is MemoryError", async () => {
    expect(await text("b = bytearray(10**9)")).toMatch(/MemoryError$/);
    expect(await text("1 + 1")).toBe("2");
  });
});

describe("what a cell cannot reach", () => {
  test.each([
    [
      "the environment",
      "import os; sorted(k for k in os.environ if 'CHORALE' in k or k == 'NODE_ENV')",
      "[]",
    ],
    [
      "files of the machine",
      "import os; os.path.exists('/etc/passwd'), os.path.exists('/proc')",
      "(False, True)",
    ],
    [
      "processes",
      "import subprocess\ntry: subprocess.run(['id'])\nexcept OSError as e: print('refused')",
      "refused",
    ],
  ])("%s", async (_, code, expected) => {
    expect(await text(code)).toBe(expected);
  });

  test.each([
    ["a socket", "import socket; socket.create_connection(('127.0.0.1', PORT), 2)"],
    ["HTTP", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:PORT', timeout=2)"],
    ["JavaScript's fetch", "from js import fetch; await fetch('http://127.0.0.1:PORT')"],
    [
      "JavaScript from a string",
      "from pyodide.ffi import to_js; to_js([]).constructor.constructor('return process')()",
    ],
    ["JavaScript's eval", "from pyodide.code import run_js; run_js('process')"],
  ])("%s", async (_, code) => {
    const { createServer } = await import("node:net");
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const result = await run(code.replace("PORT", String(port)));
    server.close();
    expect(result.status).toBe("failed");
    expect(connections).toBe(0);
  });

  test("JavaScript has nothing but the language", async () => {
    const names =
      "['process', 'require', 'fetch', 'Deno', 'WebSocket', 'XMLHttpRequest', 'Worker']";
    expect(
      await text(
        `from pyodide.code import run_js; run_js("${names}.filter((n) => n in globalThis).length")`,
      ),
    ).toBe("0");
  });

  test("a shell, by the C library", async () => {
    const marker = join(cacheDir, "marker");
    await run(`import ctypes; ctypes.CDLL(None).system(b"touch ${marker}")`, session());
    expect(existsSync(marker)).toBe(false);
  });
});

describe("files", () => {
  test("of the user can be read, and not be changed", async () => {
    const files = [{ name: "in.csv", bytes: Buffer.from("a,b\n1,2\n") }];
    const tool = session({ files });
    expect(await text("open('/mnt/data/in.csv').read()", tool)).toBe("'a,b\\n1,2\\n'");
    expect(await text("open('in.csv', 'w')", tool)).toContain("PermissionError");
    // A new interpreter has them too.
    await run("import os; os._exit(1)", tool);
    expect(await text("len(open('in.csv').read())", tool)).toBe("8");
  });

  test("that a cell writes to /outputs are saved, and listed where there is something new", async () => {
    const artifactFolder = join(temporaryFolder(), "artifacts");
    const tool = session({ artifactFolder });
    const first = await run(
      "import os\nos.makedirs('/outputs/plots')\nopen('/outputs/plots/a.txt', 'w').write('one')\n" +
        "os.symlink('/lib/python314.zip', '/outputs/link')\n'done'",
      tool,
    );
    expect(first.text).toBe("'done'\n[INFO] Saved for the user: plots-a.txt (3 bytes)");
    expect(first.data).toMatchObject({
      artifacts: [{ name: "plots-a.txt", path: join(artifactFolder, "plots-a.txt"), bytes: 3 }],
    });
    expect(readdirSync(artifactFolder)).toEqual(["plots-a.txt"]);
    expect(await text("1 + 1", tool)).toBe("2");
    const second = await run("open('/outputs/plots/a.txt', 'w').write('three'); None", tool);
    expect(second.text).toBe("[INFO] Saved for the user: plots-a.txt (5 bytes)");
    expect(readFileSync(join(artifactFolder, "plots-a.txt"), "utf8")).toBe("three");
    const large = "open('/outputs/large.bin', 'wb').write(bytes(17 * 2**20)); None";
    expect(await text(large, tool)).toBe(
      "[WARN] Not saved for the user: /outputs/large.bin (17825792 bytes). A call can save 32 files with 32 MiB together, and 16 MiB in one file.",
    );
  });

  test("are not kept where there is no folder for them, and that is said", async () => {
    expect(await text("open('/outputs/a.txt', 'w').write('x'); None", session())).toBe(
      "[WARN] Not saved for the user: /outputs/a.txt. This session keeps no files.",
    );
  });

  test("figures that a cell leaves open are among them", async () => {
    const artifactFolder = temporaryFolder();
    const tool = session({ artifactFolder });
    // As much of matplotlib.pyplot as is used: figures by number, saved and closed.
    const pyplot =
      "open_ = []\nclass Figure:\n    def savefig(self, path): open(path, 'w').write('a figure')\n" +
      "def get_fignums(): return list(open_)\ndef figure(number=None):\n" +
      "    number = number or len(open_) + 1\n    open_.append(number) if number not in open_ else None\n" +
      "    return Figure()\ndef close(which): open_.clear()\n";
    await run(
      `import os, sys\nos.makedirs('/tmp/matplotlib')\nsys.path.append('/tmp')\nopen('/tmp/matplotlib/__init__.py', 'w').write('')\nopen('/tmp/matplotlib/pyplot.py', 'w').write(${JSON.stringify(pyplot)})`,
      tool,
    );
    const shown = await text(
      "import matplotlib.pyplot as plt\nplt.figure(); plt.figure(); None",
      tool,
    );
    expect(shown).toBe("[INFO] Saved for the user: figure-1.png (8 bytes), figure-2.png (8 bytes)");
    expect(await text("plt.figure(); None", tool)).toContain("figure-3.png");
    expect(readdirSync(artifactFolder)).toHaveLength(3);
  });
});

describe("time", () => {
  test.each([
    ["an endless loop", "while True: pass"],
    ["a sleep", "import time; time.sleep(60)"],
    ["an await", "import asyncio; await asyncio.sleep(60)"],
  ])("%s is interrupted, and variables are kept", async (_, code) => {
    const tool = session({ timeoutMs: 300 });
    await tool.warmUp();
    await run("kept = 7", tool);
    const result = await run(`print('begun')\n${code}`, tool);
    expect(result.status).toBe("failed");
    expect(result.text).toMatch(/^begun\n/);
    expect(result.text).toMatch(
      /\[ERROR\] The code was interrupted: it ran longer than 0.3 s. Variables are kept.$/,
    );
    expect(await text("kept", tool)).toBe("7");
  });

  test("what ignores the interrupt is stopped, its output is kept, and the loss is said", async () => {
    const tool = session({ timeoutMs: 300 });
    await run("lost = 7", tool);
    const result = await run(
      "print('begun')\nwhile True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass",
      tool,
    );
    expect(result.text).toBe(
      "begun\n[ERROR] The code was stopped: it ran longer than 0.3 s. The interpreter was restarted; variables are lost.",
    );
    expect(result.durationMs).toBeLessThan(5000);
    const next = await text("lost", tool);
    expect(next).toContain("NameError: name 'lost' is not defined");
    expect(next).not.toContain("[WARN]");
  });

  test("the run's signal interrupts a cell", async () => {
    const abort = new AbortController();
    const tool = session();
    await tool.warmUp();
    const running = executeTool(tool, "while True: pass", context({ signal: abort.signal }));
    setTimeout(() => abort.abort(), 100);
    const result = await running;
    expect(result.status).toBe("failed");
    expect(result.durationMs).toBeLessThan(3000);
  });
});

describe("the end of an interpreter", () => {
  test.each([
    [
      "os._exit",
      "import os; print('bye'); os._exit(3)",
      "bye\n[ERROR] The interpreter ended: Program terminated with exit(3).",
    ],
    [
      "a wild pointer",
      "import ctypes; ctypes.string_at(2**31 - 8, 100000000)",
      "[ERROR] The interpreter ended:",
    ],
    [
      "files that fill the memory",
      "n = 0\nwhile True:\n    n += 1\n    open(f'/tmp/{n}', 'wb').write(b'0' * 10**8)",
      "[ERROR] The interpreter ended: out of memory.",
    ],
    [
      "recursion without Python's limit",
      "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\nf(0)",
      "[ERROR] The interpreter ended: its recursion went too deep.",
    ],
    [
      "a bomb of JavaScript objects",
      "from pyodide.code import run_js; run_js('const a = []; for (;;) a.push(new Array(1e6).fill(1.5))')",
      "[ERROR] The interpreter ended:",
    ],
  ])("%s ends only the interpreter", async (_, code, expected) => {
    const tool = session();
    const result = await run(code, tool);
    expect(result.status).toBe("failed");
    expect(result.text).toContain(expected);
    expect(result.text).toMatch(/It was restarted; variables are lost\.$/);
    expect(await text("1 + 1", tool)).toBe("2");
  });

  test.each([
    ["a hook that cannot be removed", "audit-hook-into-next-cell"],
    ["a monitor that never returns", "monitoring-into-next-cell"],
    ["builtins that are gone", "builtins-emptied"],
    ["a number that has another value", "ctypes-int-poisoned"],
    ["an endless timer", "timer-loop-after-return"],
  ])("%s costs the next cell nothing but variables", async (_, id) => {
    const tool = session({ timeoutMs: 5_000 });
    await run("kept = 1", tool);
    await run(attackCode(id), tool);
    const next = await run("40 + 2", tool);
    expect(next.text).toMatch(/^42(\n\[WARN\] The interpreter had ended since the last call|$)/);
    // What comes a moment later may be found only now, or have come to nothing.
    const later = id.startsWith("timer") || id.startsWith("monitoring");
    const gone = later ? /^(True$|False(\n\[WARN\]|$))/ : /^False(\n\[WARN\]|$)/;
    expect(await text("'kept' in globals()", tool)).toMatch(gone);
  });

  test("two sessions do not know each other, and may end each on its own", async () => {
    const [a, b] = [session(), session()];
    await Promise.all([run("x = 'a'", a), run("x = 'b'", b)]);
    expect(await Promise.all([text("x", a), text("x", b)])).toEqual(["'a'", "'b'"]);
    await a.close();
    expect(await text("x", b)).toBe("'b'");
    expect((await run("x", a)).text).toContain("The Python session is closed");
  });

  test("calls at the same time run one after the other", async () => {
    const results = await Promise.all([text("n = 1"), text("n = n + 1"), text("n")]);
    expect(results.at(-1)).toBe("2");
  });

  test("closing during an endless loop leaves no process", async () => {
    const before = new Set(descendantsOf(process.pid));
    const tool = session();
    await tool.warmUp();
    const running = run("while True: pass", tool);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await tool.close();
    expect((await running).status).toBe("failed");
    expect(descendantsOf(process.pid).filter((pid) => !before.has(pid))).toEqual([]);
  });

  test.runIf(process.platform === "linux")(
    "an agent that is killed leaves no process",
    async () => {
      const door = join(import.meta.dirname, "../../tools/index.ts");
      const agent = spawn(process.execPath, [
        "--input-type=module",
        "-e",
        `import { createPythonTool } from ${JSON.stringify(door)};
       const python = createPythonTool({ cacheDir: ${JSON.stringify(cacheDir)} });
       await python.warmUp();
       python.execute("while True: pass", { signal: new AbortController().signal });
       setTimeout(() => console.log("running"), 200);`,
      ]);
      await new Promise((resolve) => agent.stdout.once("data", resolve));
      const pids = descendantsOf(agent.pid ?? 0);
      expect(pids.length).toBeGreaterThan(0);
      agent.kill("SIGKILL");
      await expect.poll(() => pids.filter(isAlive), { timeout: 2000 }).toEqual([]);
    },
  );
});

describe("the snapshot", () => {
  test("is made once, and read from then on", () => {
    expect(readdirSync(cacheDir).filter((name) => name.endsWith(".snapshot"))).toHaveLength(1);
  });

  test("a start that is given up, or killed, leaves it as it is", async () => {
    const before = statSync(join(cacheDir, snapshotName())).mtimeMs;
    const others = new Set(descendantsOf(process.pid));
    const started = (): readonly number[] =>
      descendantsOf(process.pid).filter((pid) => !others.has(pid));
    const given = createPythonTool({ cacheDir });
    const warming = given.warmUp();
    await expect.poll(started, { interval: 5 }).not.toEqual([]);
    await given.close();
    await warming;
    if (process.platform === "linux") {
      const killed = session();
      const answer = text("1 + 1", killed);
      await expect.poll(started, { interval: 5 }).not.toEqual([]);
      for (const pid of started()) process.kill(pid, "SIGKILL");
      expect(await answer).toBe("2");
    }
    expect(statSync(join(cacheDir, snapshotName())).mtimeMs).toBe(before);
  });

  test("a damaged one is thrown away, and Python starts without it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "chorale-test-python-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const name = snapshotName();
    const bytes = readFileSync(join(cacheDir, name));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    writeFileSync(join(folder, name), bytes);
    expect(await text("1 + 1", session({ cacheDir: folder }))).toBe("2");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder that cannot be written costs time only", async () => {
    const file = join(cacheDir, "a-file");
    writeFileSync(file, "");
    expect(await text("1 + 1", session({ cacheDir: join(file, "folder") }))).toBe("2");
    rmSync(file);
  });
});

/** One of those that `npm run conformance -- sandbox` runs against canaries. */
function attackCode(wanted: string): string {
  const path = join(import.meta.dirname, "../golden/sandbox/attacks.json");
  const { cases } = JSON.parse(readFileSync(path, "utf8"));
  return cases.find(({ id }: { id: string }) => id === wanted).code;
}

const snapshotName = (): string =>
  readdirSync(cacheDir).find((name) => name.endsWith(".snapshot")) ?? "";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
