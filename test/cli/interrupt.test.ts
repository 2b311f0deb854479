/** What Ctrl-C leaves behind: no process while Python runs, no folder when the command has to be cut off. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokenizerFromHfJson } from "../../harmony/index.ts";
import { makeChainModel } from "../fixtures/make-chain-model.ts";
import { chorale, eventsOf } from "./chorale.ts";

const vocabulary = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));
const LIMIT_MS = 120_000;
/** An interpreter that is there starts in about half a second, one without a snapshot in a few. */
const IN_THE_CALL_MS = 3_000;

let root: string;
/** Calls Python with a program that never ends. */
let model: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "interrupt-test-"));
  model = join(root, "model");
  mkdirSync(model);
  copyFileSync(vocabulary, join(model, "tokenizer.json"));
  const tokenizer = tokenizerFromHfJson(JSON.parse(readFileSync(vocabulary, "utf8")));
  makeChainModel(model, tokenizer, "<|channel|>analysis to=python<|message|>while(1):0<|call|>");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A process and all that it started, while they run. */
function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  const direct = children.split(" ").filter((word) => word !== "");
  return [pid, ...direct.flatMap((child) => family(Number(child)))];
}

const runs = (pid: number): boolean => {
  try {
    // Ended, but not yet waited for by its new parent, is ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

async function untilGone(pids: readonly number[]): Promise<number[]> {
  for (let waited = 0; waited < 5_000 && pids.some(runs); waited += 50) {
    await new Promise((done) => setTimeout(done, 50));
  }
  return pids.filter(runs);
}

describe.runIf(process.platform === "linux")("SIGINT", () => {
  test("in a running Python call ends the run, and Python", { timeout: LIMIT_MS }, async () => {
    let started: number[] = [];
    const ran = await chorale(["run", "hi", "--json", "--model", model], {
      home: join(root, "home"),
      whileRunning: (child) => {
        let seen = "";
        child.stdout?.on("data", function look(text: string) {
          seen += text;
          if (!seen.includes('"item.updated"')) return;
          child.stdout?.off("data", look);
          setTimeout(() => {
            started = family(child.pid ?? 0);
            child.kill("SIGINT");
          }, IN_THE_CALL_MS);
        });
      },
    });
    expect(started.length).toBeGreaterThan(1);
    expect(await untilGone(started)).toEqual([]);
    expect(ran).toMatchObject({ code: 130, stderr: "chorale: The run was stopped by SIGINT.\n" });
    const events = eventsOf(ran.stdout);
    expect(events.at(-1)).toMatchObject({ type: "run.completed", status: "cancelled" });
    const calls = events.filter(
      (event) => event.type === "item.updated" && event.item.type === "code_execution",
    );
    expect(calls).toMatchObject([{ item: { code: "while(1):0", status: "in_progress" } }]);
    // What was started is completed, once.
    const completed = events.filter(
      (event) => event.type === "item.completed" && event.item.type === "code_execution",
    );
    expect(completed).toMatchObject([{ item: { code: "while(1):0", status: "cancelled" } }]);
  });

  test("removes the temporary state folder, even if a tool never closes", {
    timeout: LIMIT_MS,
  }, async () => {
    const tool = join(root, "stuck.mjs");
    writeFileSync(
      tool,
      'export default { recipient: "functions.f", description: "", inputSchema: true, timeoutMs: 1, ' +
        "execute() {}, close: () => new Promise(() => {}) };\n",
    );
    const occupied = join(root, "occupied");
    writeFileSync(occupied, "");
    let folder = "";
    let existed = false;
    const { code, stderr } = await chorale(
      ["run", "hi", "--json", "--tool", tool, "--model", model],
      {
        home: occupied,
        whileRunning: (child) => {
          child.stderr?.on("data", (text: string) => {
            folder ||= /using (\S+) for this run/.exec(text)?.[1] ?? "";
          });
          child.stdout?.once("data", () => {
            existed = existsSync(folder);
            child.kill("SIGINT");
          });
        },
      },
    );
    expect(stderr).toMatch(
      /^chorale: The state folder .*\nchorale: The run was stopped by SIGINT\.\n$/,
    );
    expect({ existed, code, left: existsSync(folder) }).toEqual({
      existed: true,
      code: 130,
      left: false,
    });
  });
});
