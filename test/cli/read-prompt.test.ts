import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { readPrompt } from "../../runtime/cli/read-prompt.ts";
import { InterruptedError, UsageError } from "../../runtime/errors.ts";

type Given = {
  argument?: string | undefined;
  input?: Readable & { isTTY?: boolean };
  isOwnStdin?: boolean;
  patienceMs?: number;
  signal?: AbortSignal;
};

async function read(given: Given): Promise<{ prompt: string; notes: string[] }> {
  const notes: string[] = [];
  const prompt = await readPrompt({
    argument: given.argument,
    stdin: given.input ?? Readable.from([]),
    isOwnStdin: given.isOwnStdin ?? false,
    note: (sentence) => notes.push(sentence),
    signal: given.signal ?? new AbortController().signal,
    ...(given.patienceMs !== undefined && { patienceMs: given.patienceMs }),
  });
  return { prompt, notes };
}

const bytes = (...parts: (string | Buffer)[]): Readable =>
  Readable.from(parts.map((part) => Buffer.from(part)));

describe("the prompt", () => {
  test("is the argument", async () => {
    expect((await read({ argument: "What is 2 + 2?" })).prompt).toBe("What is 2 + 2?");
  });

  test.each([undefined, "-"])("is stdin when the argument is %s", async (argument) => {
    expect(
      (await read({ argument, input: bytes("What is\n", "2 + 2?\n"), isOwnStdin: true })).prompt,
    ).toBe("What is\n2 + 2?");
  });

  test("is the argument with a piped stdin appended as a block", async () => {
    const { prompt } = await read({ argument: "Sum:", input: bytes("1\n2\n"), isOwnStdin: true });
    expect(prompt).toBe("Sum:\n\n<stdin>\n1\n2\n</stdin>");
  });

  test("a piped stdin that is empty adds nothing", async () => {
    expect((await read({ argument: "Hi", input: bytes(), isOwnStdin: true })).prompt).toBe("Hi");
  });

  test("a pipe that stays open does not hang the run, and that is said", async () => {
    const input = new PassThrough();
    const { prompt, notes } = await read({
      argument: "Hi",
      input,
      isOwnStdin: true,
      patienceMs: 20,
    });
    expect(prompt).toBe("Hi");
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("stdin is open but nothing came");
  });

  test("characters split over chunks are whole", async () => {
    const euro = Buffer.from("€");
    const input = bytes(euro.subarray(0, 1), euro.subarray(1));
    expect((await read({ argument: "-", input, isOwnStdin: true })).prompt).toBe("€");
  });

  test.each([
    ["an empty argument", { argument: "  " }, "The prompt is empty"],
    ["an empty stdin", { input: bytes(" \n"), isOwnStdin: true }, "stdin had no text"],
    ["bytes that are no UTF-8", { input: bytes(Buffer.from([0xff, 0xfe])) }, "not UTF-8"],
    ["a terminal", { input: Object.assign(Readable.from([]), { isTTY: true }) }, "No prompt given"],
  ])("%s is refused", async (_what, given: Given, sentence) => {
    const failure = read(given);
    await expect(failure).rejects.toThrow(sentence);
    await expect(failure).rejects.toBeInstanceOf(UsageError);
  });

  test("an endless stdin is refused before it fills the memory", async () => {
    const chunk = Buffer.alloc(1 << 20, "x");
    let sent = 0;
    const input = new Readable({
      read() {
        sent++;
        this.push(chunk);
      },
    });
    await expect(read({ input, isOwnStdin: true })).rejects.toThrow("more than 32 MiB");
    expect(sent).toBeLessThan(40);
  });

  test("waiting ends with the signal", async () => {
    const abort = new AbortController();
    const failure = read({ argument: "-", input: new PassThrough(), signal: abort.signal });
    abort.abort(new InterruptedError("SIGINT"));
    await expect(failure).rejects.toBeInstanceOf(InterruptedError);
  });
});
