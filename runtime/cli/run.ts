/** `chorale run "question"`: one prompt, one answer. */
import { join } from "node:path";
import type { PrefixStoreOptions, TokenEngine } from "../../inference/index.ts";
import {
  type BrowserTools,
  createBrowserTools,
  createValidator,
  loadToolModule,
  type Tool,
  type ValidatorOptions,
} from "../../tools/index.ts";
import { runAgent } from "../agent.ts";
import { messageOf, UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-codes.ts";
import { type Home, openHome } from "../home.ts";
import { loadModel } from "../model.ts";
import type { CommandContext } from "./command-context.ts";
import type { AgentArguments, ModelArguments } from "./flags.ts";
import type { Output } from "./output.ts";
import { missingNote, openPlugins } from "./plugins.ts";
import { openPython } from "./python.ts";
import { readTextFile } from "./read-input.ts";
import { isPiped, readPrompt } from "./read-prompt.ts";
import { watchRun } from "./watch.ts";
import { memoryNote, watchLoading } from "./watch-loading.ts";

export type RunArguments = {
  readonly prompt: string | undefined;
  readonly json: boolean;
  readonly agent: AgentArguments;
  readonly model: ModelArguments;
};

/**
 * What the user gave is checked before a model is opened, since that may take a while.
 * @throws UsageError, ToolsError, ModelError: nothing was started
 */
export async function runCommand(args: RunArguments, context: CommandContext): Promise<ExitCode> {
  const { output, env, signal } = context;
  const prompt = await readPrompt({
    argument: args.prompt,
    stdin: process.stdin,
    piped: isPiped(0),
    note: (sentence) => output.note(sentence),
    signal,
  });
  const outputSchema = await readSchema(args.agent);
  // A schema that is none is refused now, not after the model is loaded.
  if (outputSchema !== undefined) await createValidator(outputSchema);
  const home = openHome(env, (sentence) => output.note(sentence));
  const tools: Tool[] = [];
  try {
    const { python, briefing } = await openPython(args.agent, home, context);
    if (python !== undefined) tools.push(python);
    for (const file of args.agent.tools) {
      tools.push(...(await loadToolModule(file)));
    }
    for (const plugin of await openPlugins(args.agent, tools, context)) {
      const note = missingNote(plugin);
      if (note !== null) output.note(note);
    }
    let browser: BrowserTools | undefined;
    if (args.agent.docs !== undefined) {
      browser = await createBrowserTools({ docs: args.agent.docs });
      tools.push(...browser.tools);
      const left = skippedNote(browser.summary);
      if (left !== null) output.note(left);
    }
    const { model: path, context: contextLength, threads, memory, ...others } = args.model;
    const { precision, prefixStore, ...sampling } = others;
    const model = await loadModel(path, {
      contextLength,
      threads,
      memoryLimit: memory,
      precision,
      prefixStore: prefixStoreOf(path, home, output, prefixStore),
      onMemory: (needs) => {
        const note = memoryNote(needs);
        if (note !== null) output.note(note);
      },
      onProgress: watchLoading((sentence) => output.note(sentence)),
    });
    if (path === undefined) output.note(embeddedModelNote(model.engine));
    // Starts while the model reads the prompt; most runs need it.
    void python?.warmUp();
    try {
      const { instructions, effort, maxTurns, maxTokens, maxRetries, resample } = args.agent;
      const { exitCode, error } = await runAgent({
        engine: model.engine,
        tokenizer: model.tokenizer,
        sampling: { ...model.sampling, ...sampling },
        prompt,
        tools,
        outputSchema,
        instructions: briefing === undefined ? instructions : joined(instructions, briefing),
        effort,
        maxTurns,
        maxTokens,
        maxReasoningTokens: args.agent.maxReasoningTokens,
        maxRetries,
        ...(resample !== undefined && { resample: { headers: resample } }),
        signal,
        onEvent: args.json
          ? (event) => output.jsonLine(event)
          : watchRun(output, {
              holdAnswer: outputSchema !== undefined,
              // An answer with a schema has to stay as it was checked.
              normaliseCitations: outputSchema === undefined ? citationsOf(browser) : undefined,
            }),
      });
      if (error !== undefined) output.note(error.message);
      return exitCode;
    } finally {
      await model.close();
    }
  } finally {
    await Promise.allSettled(tools.map((tool) => tool.close?.()));
    home.close();
  }
}

const joined = (instructions: string | undefined, briefing: string): string =>
  instructions === undefined ? briefing : `${instructions}\n\n${briefing}`;

function citationsOf(browser: BrowserTools | undefined): ((text: string) => string) | undefined {
  return browser && ((text) => browser.normaliseCitations(text).text);
}

/** Bytes of computed prefixes that are kept where nothing else is said. */
const PREFIX_STORE_GIB = 4;

/** The embedded model reads its prompt in less time than a file. */
function prefixStoreOf(
  model: string | undefined,
  home: Home,
  output: Output,
  gibibytes: number = PREFIX_STORE_GIB,
): PrefixStoreOptions | undefined {
  if (model === undefined || gibibytes === 0) return undefined;
  return {
    path: join(home.path, "prefixes"),
    maxBytes: gibibytes * 2 ** 30,
    onProblem: (sentence) => output.note(sentence),
  };
}

/** Nobody should take the demo model's answers for a large model's. */
function embeddedModelNote(engine: TokenEngine): string {
  return (
    `no --model given, so the small embedded demo model answers (${engine.contextLength} tokens of ` +
    "context; arithmetic, text, dates, declared functions, extraction)."
  );
}

/** Files named of those that `--docs` left out. */
const NAMED_FILES = 3;

/** Nobody should wonder why the model does not find what lies in the folder. */
function skippedNote(summary: BrowserTools["summary"]): string | null {
  if (summary === undefined || summary.skipped.length === 0) return null;
  const { path, documents, skipped } = summary;
  const named = skipped.slice(0, NAMED_FILES).map((file) => `${file.path}: ${file.reason}`);
  const more = skipped.length - named.length;
  return (
    `${skipped.length} of the files in ${path} are left out (${named.join("; ")}` +
    `${more > 0 ? `; and ${more} more` : ""}); ${documents} can be read.`
  );
}

/** Schemas are read whole, so a wrong path must not read a disk image. */
const MAX_SCHEMA_BYTES = 4 * 1024 * 1024;

async function readSchema(args: AgentArguments): Promise<ValidatorOptions | undefined> {
  if (args.xsd !== undefined)
    return { xsd: await readTextFile(args.xsd, MAX_SCHEMA_BYTES, `--xsd ${args.xsd}`) };
  if (args.schema === undefined) return undefined;
  const text = await readTextFile(args.schema, MAX_SCHEMA_BYTES, `--schema ${args.schema}`);
  let jsonSchema: unknown;
  try {
    jsonSchema = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--schema ${args.schema} is not JSON: ${messageOf(cause)}.`, { cause });
  }
  if (typeof jsonSchema !== "boolean" && (typeof jsonSchema !== "object" || jsonSchema === null)) {
    throw new UsageError(
      `--schema ${args.schema} holds ${JSON.stringify(jsonSchema)}; a JSON Schema is an object.`,
    );
  }
  return { jsonSchema: jsonSchema as ValidatorOptions & { jsonSchema: object }["jsonSchema"] };
}
