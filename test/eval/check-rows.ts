/**
 * Whether the rows that the embedded model is trained on are what the runtime makes of the same conversations: every row is
 * played through the real loop with its own replies, real tools and a real validator, and compared id for id.
 *
 *     (cd inference/demo/train && python conversations.py --rows 30) | node test/eval/check-rows.ts
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { JsonSchema, Message, Tokenizer } from "../../harmony/index.ts";
import { ScriptedEngine } from "../../inference/index.ts";
import {
  HarmonyModel,
  homePath,
  loadModel,
  type RunAgentOptions,
  runAgent,
} from "../../runtime/index.ts";
import { createPythonTool, type Tool, type ToolContext } from "../../tools/index.ts";
import { browserOver } from "./docs-folder.ts";

/** One line of `conversations.py`. */
type Row = {
  readonly family: string;
  readonly effort: "low" | "medium" | "high";
  readonly date: string;
  readonly instructions: string | null;
  readonly prompt: string;
  readonly browser: Readonly<Record<string, string>> | null;
  readonly files: Readonly<Record<string, string>>;
  readonly tools: readonly RowTool[];
  readonly schema: string | null;
  readonly xsd: string | null;
  readonly history: readonly RowMessage[];
  /** The cursor of the first page that is shown. */
  readonly cursor: number;
  /** The number of the first Python cell, as tracebacks name it. */
  readonly cell: number;
  /** What the model says, turn by turn, as token ids. */
  readonly replies: readonly (readonly number[])[];
  readonly ids: readonly number[];
};

type RowTool = {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
  readonly results: readonly string[];
};

type RowMessage = Pick<Message, "role" | "channel" | "recipient" | "name"> & {
  readonly text: string;
};

/** Of calls that only count: those before the row. */
const CONTEXT: ToolContext = {
  signal: new AbortController().signal,
  callId: "earlier",
  idempotencyKey: "earlier",
  context: undefined,
  countTokens: (text) => text.length,
  resultTokenLimit: 1_000,
};

/** What the row and the runtime have at the first place where they differ; null when they are the same. */
async function difference(row: Row, tokenizer: Tokenizer): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), "chorale-rows-"));
  const python = createPythonTool({
    cacheDir: homePath(process.env),
    files: Object.entries(row.files).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
    artifactFolder: join(folder, "outputs"),
  });
  await using browser = row.browser === null ? null : await browserOver(docsOf(row.browser));
  try {
    for (let cell = 1; cell < row.cell; cell++) await python.execute?.("0", CONTEXT);
    for (let shown = 0; shown < row.cursor; shown++) {
      const search = browser?.tools.find(({ recipient }) => recipient === "browser.search");
      await search?.execute?.({ query: "anything" }, CONTEXT);
    }
    const engine = new ScriptedEngine(row.replies, { contextLength: 4096 });
    await runAgent({
      model: new HarmonyModel({ engine, tokenizer }),
      prompt: row.prompt,
      messages: row.history.map(messageOf),
      tools: [python, ...row.tools.map(toolOf), ...(browser?.tools ?? [])],
      effort: row.effort,
      date: row.date,
      maxSteps: 12,
      ...(row.instructions !== null && { instructions: row.instructions }),
      ...outputOf(row),
    });
    const read = engine.requests.at(-1)?.tokens ?? [];
    const at = read.findIndex((id, index) => id !== row.ids[index]);
    if (at >= 0) {
      const near = (ids: readonly number[]): string =>
        JSON.stringify(tokenizer.decode(ids.slice(Math.max(0, at - 40), at + 60)));
      return `at token ${at} the runtime has\n    ${near(read)}\n  and the row\n    ${near(row.ids)}`;
    }
    return engine.remaining === 0 ? null : `${engine.remaining} replies were not asked for`;
  } finally {
    await python.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A row that never looks into its documents names none, and a folder must hold one. */
function docsOf(docs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.keys(docs).length > 0 ? docs : { "a.txt": "a" };
}

function outputOf({ schema, xsd }: Row): Pick<RunAgentOptions, "output"> {
  if (schema !== null) return { output: { jsonSchema: JSON.parse(schema) as JsonSchema } };
  return xsd === null ? {} : { output: { xsd } };
}

function messageOf({ text, ...header }: RowMessage): Message {
  const own = header.role === "tool" ? { recipient: "assistant" } : {};
  const called =
    header.role === "assistant" && header.recipient ? { contentType: "<|constrain|>json" } : {};
  return { ...header, ...own, ...called, content: [{ type: "text", text }] };
}

/** A function that answers as in the row, call by call. */
function toolOf({ name, description, parameters, results }: RowTool): Tool {
  const left = [...results];
  return {
    recipient: `functions.${name}`,
    description,
    inputSchema: parameters,
    timeoutMs: 10_000,
    execute: async () => left.shift() ?? "",
  };
}

async function main(): Promise<void> {
  const { tokenizer, engine } = await loadModel();
  await engine.close();
  const counts = new Map<string, { n: number; same: number }>();
  for await (const line of createInterface({ input: process.stdin })) {
    const row = JSON.parse(line) as Row;
    const found = await difference(row, tokenizer).catch(String);
    const count = counts.get(row.family) ?? { n: 0, same: 0 };
    counts.set(row.family, { n: count.n + 1, same: count.same + Number(found === null) });
    if (found === null) continue;
    process.exitCode = 1;
    process.stdout.write(`✗ ${row.family}: ${row.prompt}\n  ${found}\n`);
  }
  for (const [family, { n, same }] of counts) {
    process.stdout.write(`${family}: ${same} of ${n} rows are the runtime's\n`);
  }
}

await main();
