/** `chorale minions "question"`: a remote model leads, the model of this machine reads; with a receipt of what left. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AttachmentError, readAttachment } from "../../tools/index.ts";
import { openModelOf } from "../environment.ts";
import { messageOf, UsageError } from "../errors.ts";
import { type Home, openHome } from "../home.ts";
import { type LanguageModel, openChatApiModel } from "../index.ts";
import {
  type ContextDocument,
  type MinionsReport,
  type Price,
  REDACTION_RULES,
  type RedactionRule,
  runMinions,
} from "../minions/index.ts";
import type { CommandContext } from "./command-context.ts";
import { errorText } from "./error-text.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { ModelArguments } from "./flags.ts";
import { modelConfiguration } from "./model-configuration.ts";
import { checkWritable, writeWhole } from "./write-file.ts";

export type MinionsArguments = {
  readonly question: string;
  readonly context: readonly string[];
  readonly remote: string | undefined;
  readonly remoteUrl: string | undefined;
  readonly remoteApi: "chat" | "responses" | "ollama" | undefined;
  readonly remoteKeyFile: string | undefined;
  readonly protocol: "minion" | "minions" | undefined;
  readonly rounds: number | undefined;
  readonly budget: number | undefined;
  readonly parallel: number | undefined;
  readonly redact: readonly string[] | undefined;
  readonly private: string | undefined;
  readonly dryRun: boolean;
  readonly prices: string | undefined;
  readonly receipt: string | undefined;
  readonly json: boolean;
  readonly model: Omit<ModelArguments, "context">;
};

/** Of a folder; more are surely not what was meant. */
const MAX_FILES = 10_000;

/** @throws UsageError, ToolsError, ModelError, InferenceError: nothing was sent */
export async function minionsCommand(
  args: MinionsArguments,
  { output, env, signal }: CommandContext,
): Promise<ExitCode> {
  const { question, remote: name, protocol, rounds, budget, parallel = 4, dryRun } = args;
  if (question.trim() === "") throw new UsageError("The question is empty; give one.");
  if (name === undefined) {
    throw new UsageError("--remote is missing; name the model that leads, or its URL.");
  }
  if (args.context.length === 0) {
    throw new UsageError("--context is missing; name a file or folder that the question is about.");
  }
  const note = (sentence: string): void => output.note(sentence);
  const redact = redactionRules(args.redact ?? []);
  const privateTexts = args.private === undefined ? [] : await linesOf(args.private, "--private");
  const price = args.prices === undefined ? undefined : await priceOf(args.prices, name);
  if (args.receipt !== undefined) await checkWritable(args.receipt, "--receipt");
  const documents = await readContext(args.context, note, signal);
  await using opened = new AsyncDisposableStack();
  const home = opened.adopt(openHome(env, note), (kept) => kept.close());
  const loading = output.isLive ? (text: string): void => output.progress(text) : null;
  const local = opened.use(
    await openModelOf(
      {
        ...modelConfiguration({ ...args.model, context: undefined }, { note, progress: loading }),
        maxSessions: parallel + 1,
      },
      home,
      note,
    ),
  );
  const remote = opened.use(await openRemote(name, args, home, note));
  const report = await runMinions({
    ...{ question, context: documents, remote, local, protocol, rounds, budget, parallel, dryRun },
    ...{ redact, private: privateTexts, price, signal },
    onEgress: ({ request, to, bytes, text }) => {
      output.note(
        `${dryRun ? "would send" : "sends"} request ${request} to ${to}, ${bytes} bytes:`,
      );
      output.watchLines("→", text, "call");
      return true;
    },
    onProgress: (sentence) => output.progress(sentence),
  });
  if (args.receipt !== undefined) {
    await writeWhole(args.receipt, `${JSON.stringify(report.receipt, null, 2)}\n`, "--receipt");
  }
  const { error, ...facts } = report;
  if (args.json) {
    output.jsonLine({ ...facts, ...(error !== undefined && { error: messageOf(error) }) });
  } else if (report.answer !== null) {
    output.answer(report.answer);
    output.finishAnswer();
  }
  for (const sentence of sentencesOf(report)) note(sentence);
  if (error === undefined) return EXIT.ok;
  if (!signal.aborted) output.problem(errorText(error));
  const isBudget =
    error instanceof Error && "code" in error && error.code === "CHORALE_MINIONS_BUDGET";
  return isBudget ? EXIT.limit : exitCodeOf(error);
}

/** @throws UsageError, ModelError, InferenceError */
async function openRemote(
  name: string,
  { remoteUrl, remoteApi: api, remoteKeyFile: keyFile }: MinionsArguments,
  home: Home,
  note: (sentence: string) => void,
): Promise<LanguageModel> {
  if (remoteUrl !== undefined)
    return openChatApiModel({ url: remoteUrl, model: name, api, keyFile });
  if (api !== undefined) throw new UsageError("--remote-api is for --remote-url; give both.");
  if (name.includes("://")) {
    return openModelOf({ engines: [name], engineKeyFile: keyFile }, home, note);
  }
  if (keyFile !== undefined) {
    throw new UsageError("--remote-key-file is for a model elsewhere; give --remote-url.");
  }
  note(`${name} is a model of this machine: what is said to leave goes to it alone.`);
  return openModelOf({ path: name }, home, note);
}

function sentencesOf({ status, ...report }: MinionsReport): readonly string[] {
  if (status === "dry_run") return ["Nothing was sent."];
  const { jobs, retries, tokens, receipt, rounds, ratio, milliseconds, cost } = report;
  const remote = tokens.remote.input + tokens.remote.output;
  const alone = tokens.remoteOnly.input + tokens.remoteOnly.output;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const bytes = new Map<string, number>();
  for (const { label, from, to } of receipt.flatMap(({ ranges }) => ranges)) {
    bytes.set(label, (bytes.get(label) ?? 0) + to - from);
  }
  const left = [...bytes].map(([label, count]) => `${label} ${count}`).join(", ");
  return [
    `rounds ${rounds}; jobs ${jobs.total} (${jobs.answered} answered, ${jobs.abstained} abstained, ${jobs.failed} failed); ` +
      `retries ${retries.supervisor} remote, ${retries.worker} local; ${seconds(milliseconds.total)}.`,
    `tokens: ${remote} remote, ${tokens.local.input + tokens.local.output} local (${tokens.local.cached} of them cached); ` +
      `a remote model alone would have taken ${alone} (ratio ${ratio.toFixed(3)}).`,
    ...(cost === undefined
      ? []
      : [
          `cost: ${cost.remote.toFixed(4)}, and ${cost.remoteOnly.toFixed(4)} for a remote model alone.`,
        ]),
    `left this machine in ${receipt.length} request${receipt.length === 1 ? "" : "s"}, bytes: ${left === "" ? "none" : left}.`,
  ];
}

function redactionRules(names: readonly string[]): readonly RedactionRule[] {
  return names.map((name) => {
    const rule = REDACTION_RULES.find((known) => known === name);
    if (rule !== undefined) return rule;
    throw new UsageError(`--redact has ${name}; accepted: ${REDACTION_RULES.join(", ")}.`);
  });
}

async function readText(path: string, flag: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${flag} ${path} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

async function linesOf(path: string, flag: string): Promise<readonly string[]> {
  const lines = (await readText(path, flag)).split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

async function priceOf(path: string, name: string): Promise<Price> {
  const text = await readText(path, "--prices");
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--prices ${path} is no JSON: ${messageOf(cause)}.`, { cause });
  }
  const entry: unknown =
    typeof table === "object" && table !== null && Object.hasOwn(table, name)
      ? (table as Readonly<Record<string, unknown>>)[name]
      : undefined;
  const { input, output } = (entry ?? {}) as {
    readonly input?: unknown;
    readonly output?: unknown;
  };
  if (typeof input === "number" && typeof output === "number" && input >= 0 && output >= 0) {
    return { input, output };
  }
  throw new UsageError(
    `--prices ${path} has no price for ${name}; accepted: {"${name}": {"input": NUMBER, "output": NUMBER}}.`,
  );
}

/** @throws UsageError, AttachmentError */
async function readContext(
  paths: readonly string[],
  note: (sentence: string) => void,
  signal: AbortSignal,
): Promise<readonly ContextDocument[]> {
  const documents: ContextDocument[] = [];
  for (const path of paths) {
    const isFolder = (await stat(path).catch(() => null))?.isDirectory() === true;
    for (const file of isFolder ? await filesOf(path) : [path]) {
      signal.throwIfAborted();
      try {
        const { text, warnings } = await readAttachment(file);
        for (const warning of warnings) note(`${file}: ${warning}`);
        documents.push({ name: file, text });
      } catch (error) {
        // What a person named has to be there; a folder may have a picture in it.
        if (!isFolder || !(error instanceof AttachmentError)) throw error;
        note(error.message);
      }
    }
  }
  if (documents.length > 0) return documents;
  throw new UsageError(`No document with text was found in ${paths.join(", ")}.`);
}

/** The files of a folder and the folders in it, by name, without hidden ones and links. */
async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter(
      (path) =>
        !path
          .slice(folder.length)
          .split(/[\\/]/)
          .some((part) => part.startsWith(".")),
    )
    .toSorted();
  if (files.length <= MAX_FILES) return files;
  throw new UsageError(
    `--context ${folder} has ${files.length} files, more than ${MAX_FILES}; name a part of it.`,
  );
}
