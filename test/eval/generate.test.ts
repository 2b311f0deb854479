import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createValidator } from "../../tools/index.ts";
import { DEFAULT_COUNT, generateTasks } from "./generate.ts";
import { Random } from "./random.ts";
import { FAMILIES, readTasks, type Task, TaskFileError } from "./task.ts";
import * as words from "./words.ts";

const tasks = generateTasks(7);

function family(name: string): readonly Task[] {
  return tasks.filter((task) => task.family === name);
}

describe("generated tasks", () => {
  it("are at least 400 over all families, with different ids and prompts", () => {
    expect(DEFAULT_COUNT).toBeGreaterThanOrEqual(400);
    expect(tasks).toHaveLength(DEFAULT_COUNT);
    for (const name of FAMILIES) expect(family(name).length).toBeGreaterThanOrEqual(20);
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length);
    expect(new Set(tasks.map(({ prompt }) => prompt)).size).toBeGreaterThan(tasks.length * 0.85);
  });

  it("depend on the seed and nothing else", () => {
    expect(generateTasks(7)).toEqual(tasks);
    expect(generateTasks(8)).not.toEqual(tasks);
  });

  it("come in the number asked for, every family among them", () => {
    const few = generateTasks(7, 11);
    expect(new Set(few.map((task) => task.family)).size).toBe(FAMILIES.length);
    expect(Math.abs(generateTasks(7, 200).length - 200)).toBeLessThan(8);
  });

  it("ask for things that can be satisfied", async () => {
    // A validator takes a while to start; a few of each family show what all have in common.
    const some = (name: string): readonly Task[] => family(name).filter((_, at) => at % 6 === 0);
    for (const { schema, expect: wanted } of some("json")) {
      const validator = await createValidator({ jsonSchema: schema ?? false });
      expect((await validator.validate(JSON.stringify(wanted.final_json))).action).toBe("accept");
    }
    for (const { xsd = "", expect: wanted } of some("xml")) {
      const validator = await createValidator({ xsd });
      const [open = "", ...elements] = wanted.final_contains ?? [];
      const document = `${open}${elements.join("")}${open.replace("<", "</")}`;
      expect((await validator.validate(document)).action).toBe("accept");
    }
    for (const { tools = [], expect: wanted } of some("function")) {
      const [call] = wanted.calls ?? [];
      const tool = tools.find(({ name }) => `functions.${name}` === call?.recipient);
      const validator = await createValidator({ jsonSchema: tool?.parameters ?? false });
      expect((await validator.validate(JSON.stringify(call?.arguments))).action).toBe("accept");
      for (const each of wanted.final_contains ?? []) {
        expect(JSON.stringify(tool?.result)).toContain(each);
      }
    }
    for (const { docs = {}, expect: wanted } of family("documents")) {
      // The answer that nothing says it is in no document.
      if (wanted.final_contains?.length === 2)
        expect(Object.values(docs).join("\n")).toContain(wanted.final_contains?.[0]);
    }
  });

  it("use no name and no word of the lists that the model was trained with", () => {
    const folder = new URL("../../inference/demo/train/families/", import.meta.url);
    const training = readdirSync(folder)
      .filter((name) => name.endsWith(".py"))
      .map((name) => readFileSync(new URL(name, folder), "utf8"))
      .join("\n");
    const known = new Set(training.match(/[\p{L}'-]+/gu));
    const places = words.PLACES.filter((word) => known.has(word));
    const names = [...words.FIRST_NAMES, ...words.SURNAMES].filter((word) => known.has(word));
    const things = [...words.THINGS, ...words.WORDS, ...words.TRADES].filter((w) => known.has(w));
    expect({ places, names, things }).toEqual({ places: [], names: [], things: [] });
    for (const firm of words.FIRMS) expect(training).not.toContain(firm);
  });
});

describe("random choices", () => {
  it("are even enough and stay within their bounds", () => {
    const random = new Random(1, "x");
    const counts = new Map<number, number>();
    for (let at = 0; at < 6000; at++) {
      const value = random.int(1, 6);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
    expect(random.sample([1, 2, 3], 5).sort()).toEqual([1, 2, 3]);
  });
});

describe("task files", () => {
  it("are read line by line, and refused with the line that is wrong", async () => {
    const folder = await mkdtemp(join(tmpdir(), "chorale-tasks-"));
    const path = join(folder, "tasks.jsonl");
    const read = async (text: string): Promise<readonly Task[]> => {
      await writeFile(path, text);
      return readTasks(path);
    };
    const task = { id: "1", family: "text", prompt: "p", expect: { calls: [] } };
    expect(
      await read(`${JSON.stringify(task)}\n\n${JSON.stringify({ ...task, id: "2" })}`),
    ).toHaveLength(2);
    await expect(read(`${JSON.stringify(task)}\n{`)).rejects.toThrow(/line 2 is not JSON/);
    for (const [change, message] of [
      [{ prompt: 1 }, "prompt must be a text"],
      [{ effort: "extreme" }, "effort must be"],
      [{ expect: undefined }, "expect must be an object"],
      [{ expect: { final_contains: "x" } }, "final_contains must be a list"],
      [{ expect: { calls: [{}] } }, "calls must be a list"],
      [{ tools: [{ name: "f" }] }, "tools must be a list"],
      [{ docs: [] }, "docs must map"],
      [{ files: { a: 1 } }, "files must map"],
      [{ history: [{ role: "tool", text: "x" }] }, "history must be a list"],
      [{ turns: [{ prompt: "p" }] }, "turns: expect must be an object"],
      [{ turns: [{ expect: {} }] }, "each of turns must have a prompt"],
    ] as const) {
      await expect(read(JSON.stringify({ ...task, ...change }))).rejects.toThrow(message);
    }
    await expect(read("\n")).rejects.toThrow(TaskFileError);
    await rm(folder, { recursive: true });
    await expect(readTasks(path)).rejects.toThrow("Cannot read the tasks");
  });
});
