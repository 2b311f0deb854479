/** A server with its page, over a model that says what a test wrote and tools that do what it wants. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryThreadStore } from "../../../../runtime/thread/store.ts";
import { defineTool, type Tool, type ToolOutput } from "../../../../tools/index.ts";
import { type Reply, type ServedModel, type ServeOptions, serve } from "../serve.ts";

export const answer = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;
export const thought = (text: string): string =>
  `<|channel|>analysis<|message|>${text}<|end|><|start|>assistant`;
export const call = (name: string, input: object): string =>
  `<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${JSON.stringify(input)}<|call|>`;
export const python = (code: string): string =>
  `<|channel|>analysis to=python code<|message|>${code}<|call|>`;

/** A picture of one pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

export type PageServer = ServedModel & {
  readonly threads: MemoryThreadStore;
  readonly artifactFolder: string;
  /** Lets the calls of `wait` end. */
  readonly open: () => void;
  /** What the page asks, as it does. */
  readonly ask: (path: string, body?: unknown, init?: RequestInit) => Promise<Response>;
};

export async function pageServer(
  replies: readonly Reply[],
  options: ServeOptions & {
    /** Beside those of every test, or in their place; made for a folder of files. */
    readonly tools?: readonly Tool[] | ((artifactFolder: string) => readonly Tool[]);
  } = {},
): Promise<PageServer> {
  const { tools: given = [], ...rest } = options;
  const threads = new MemoryThreadStore();
  const artifactFolder = mkdtempSync(join(tmpdir(), "chorale-page-"));
  const gate = Promise.withResolvers<void>();
  const own = typeof given === "function" ? given(artifactFolder) : given;
  const taken = new Set(own.map(({ recipient }) => recipient));
  const tools = [
    ...toolsOf(artifactFolder, gate.promise).filter(({ recipient }) => !taken.has(recipient)),
    ...own,
  ];
  const server = await serve(replies, {
    page: {
      threads,
      artifactFolder,
      openTools: async () => ({
        offered: tools,
        openConversation: async () => ({ tools, close: async () => {} }),
      }),
    },
    ...rest,
  });
  const close = async (): Promise<void> => {
    gate.resolve();
    await server.close();
    await Promise.all(own.map((tool) => tool.close?.()));
    rmSync(artifactFolder, { recursive: true, force: true });
  };
  return {
    ...server,
    threads,
    artifactFolder,
    open: gate.resolve,
    ask: (path, body, init) =>
      fetch(`${server.url}/page/api/${path}`, {
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
        ...init,
        headers: { "x-chorale-page": "1", "content-type": "application/json", ...init?.headers },
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function toolsOf(folder: string, gate: Promise<void>): readonly Tool[] {
  const parameters = { type: "object", properties: { city: { type: "string" } } } as const;
  return [
    defineTool({
      name: "weather",
      description: "The weather of a city.",
      parameters,
      execute: ({ city }) => ({ city, sky: "clear", degrees: [3, 4, 5] }),
    }),
    defineTool({
      name: "send_mail",
      description: "Sends a mail.",
      parameters,
      needsApproval: true,
      execute: () => "sent",
    }),
    defineTool({
      name: "fail",
      description: "Fails.",
      parameters,
      execute: () => {
        throw new Error("No such city.");
      },
    }),
    {
      recipient: "functions.wait",
      description: "Waits.",
      inputSchema: parameters,
      timeoutMs: 60_000,
      async execute(_: unknown, { signal, onProgress }): Promise<ToolOutput> {
        onProgress?.({
          progress: 1,
          total: 3,
          message: "waiting",
          output: "\u001b[31mfirst line\u001b[0m\n",
        });
        await Promise.race([
          gate,
          new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
        ]);
        return { text: "\u001b[31mred\u001b[0m and \u202egnp.exe\u202c done" };
      },
    },
    {
      recipient: "python",
      description: "Runs Python.",
      inputSchema: null,
      timeoutMs: 1000,
      async execute(): Promise<ToolOutput> {
        const path = join(folder, "plot.png");
        writeFileSync(path, PNG);
        return {
          text: "a plot",
          data: { artifacts: [{ name: "plot.png", path, bytes: PNG.length }] },
        };
      },
    },
  ];
}
