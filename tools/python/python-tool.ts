/** The `python` tool: raw code in, what a notebook cell would show out. */
import { PythonUnavailableError, ToolDefinitionError } from "../core/errors.ts";
import { stateDir } from "../core/state-dir.ts";
import type { Tool, ToolContext, ToolOutput } from "../core/tool.ts";
import { type Artifact, ArtifactFolder } from "./artifacts.ts";
import { cellSource } from "./cell-source.ts";
import type { InputFile } from "./input-files.ts";
import { pythonProblem } from "./launch.ts";
import { describePackages, type SessionPackages } from "./packages/session-packages.ts";
import { ARTIFACT_LIMITS } from "./protocol.ts";
import { type CellResult, PythonSession } from "./session.ts";
import { terminalLines } from "./terminal-lines.ts";
import type { PythonWarmPool } from "./warm-pool.ts";

export type PythonToolOptions = {
  /** Longest run of one cell; the description the model was trained with promises 120 s. */
  readonly timeoutMs?: number;
  /**
   * Where the memory snapshot that makes starting fast is kept: about 30 MB. Default: the state folder.
   * null, or a folder that cannot be written: every start takes seconds.
   */
  readonly cacheDir?: string | null;
  /** What `readInputFiles` gave: copies of these lie in `/mnt/data`, where cells can read them. */
  readonly files?: readonly InputFile[];
  /**
   * Folder for the files that cells write to `/outputs` and `/mnt/data`, created with the first of them.
   * Absent: none is kept.
   */
  readonly artifactFolder?: string;
  /** What `openPackages` gave: cells may import these. Absent: the standard library only. */
  readonly packages?: SessionPackages;
  /** For programs with several conversations. Its folder and packages stand in for the ones above. */
  readonly warmPool?: PythonWarmPool;
};

export interface PythonTool extends Tool<string>, AsyncDisposable {
  /** Starts the interpreter ahead of the first call. Never rejects: the first call tells what failed. */
  warmUp(): Promise<void>;
  execute(code: string, context: ToolContext): Promise<ToolOutput>;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
/** On top of the cell's own time: starting, and ending a cell that does not want to end. */
const START_ALLOWANCE_MS = 130_000;

/** What the model was trained to see when a cell printed nothing. Source: openai/gpt-oss. */
const NO_OUTPUT =
  "[WARN] No output available. Use print() to output anything to stdout to receive the output";

/**
 * Creates the tool without starting anything. Its variables belong to one conversation.
 *
 * @throws PythonUnavailableError where the sandbox does not exist for this platform; `pythonProblem`
 *   asks beforehand; ToolDefinitionError for packages that its warm pool does not have
 */
export function createPythonTool(options: PythonToolOptions = {}): PythonTool {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, files = [], artifactFolder } = options;
  const { cacheDir = stateDir(process.env), warmPool, packages = warmPool?.packages } = options;
  if (warmPool !== undefined && packages !== warmPool.packages) {
    throw new ToolDefinitionError(
      "python",
      "the packages of its warm pool are other than its own.",
    );
  }
  const problem = pythonProblem();
  if (problem !== null) throw new PythonUnavailableError(problem);
  const session = new PythonSession({
    timeoutMs,
    files,
    packages,
    warmPool,
    cacheDir,
  });
  const artifacts = artifactFolder === undefined ? undefined : new ArtifactFolder(artifactFolder);
  return {
    recipient: "python",
    description:
      "Runs Python code in a stateful, sandboxed interpreter without internet access and shows what it prints and the value of its last expression.",
    ...(packages && { descriptionSuffix: describePackages(packages) }),
    inputSchema: null,
    timeoutMs: timeoutMs + START_ALLOWANCE_MS,
    annotations: { openWorldHint: false, destructiveHint: false },
    origin: "builtin",
    async warmUp() {
      await session.start().catch(() => undefined);
    },
    async execute(code: string, context: ToolContext): Promise<ToolOutput> {
      let printed = 0;
      const result = await session.run(cellSource(code), context.signal, (output) => {
        printed += output.length;
        context.onProgress?.({ progress: printed, output });
      });
      return present(result, await keep(result, artifacts));
    },
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  };
}

type Kept = { readonly artifacts: readonly Artifact[]; readonly notes: readonly string[] };

/** Saves what the cell wrote, and says what became of it. */
async function keep(
  { files, leftOut }: CellResult,
  folder: ArtifactFolder | undefined,
): Promise<Kept> {
  const notes: string[] = [];
  if (leftOut.count > 0) {
    const more = leftOut.count - leftOut.files.length;
    const named = leftOut.files.map(({ path, bytes }) => `${path} (${bytes} bytes)`).join(", ");
    const list = more > 0 ? `${named} and ${more} more` : named;
    notes.push(`[WARN] Not saved for the user: ${list}. ${LIMITS}`);
  }
  if (files.length === 0) return { artifacts: [], notes };
  if (folder === undefined) {
    // Files in /mnt/data are there for later cells.
    const lost = files.flatMap(({ path }) => (path.startsWith("/outputs/") ? path : []));
    if (lost.length > 0) {
      notes.push(`[WARN] Not saved for the user: ${lost.join(", ")}. This session keeps no files.`);
    }
    return { artifacts: [], notes };
  }
  const { artifacts, problems } = await folder.save(files);
  for (const { path, problem } of problems) {
    notes.push(`[WARN] Not saved for the user: ${path}. ${problem}`);
  }
  const list = artifacts.map(({ name, bytes }) => `${name} (${bytes} bytes)`).join(", ");
  if (list !== "") notes.unshift(`[INFO] Saved for the user: ${list}`);
  return { artifacts, notes };
}

const MIB = 1024 * 1024;
const LIMITS = `A call can save ${ARTIFACT_LIMITS.filesPerCell} files with ${ARTIFACT_LIMITS.cellBytes / MIB} MiB together, and ${ARTIFACT_LIMITS.fileBytes / MIB} MiB in one file.`;

/**
 * The result as the model reads it: output, then value or traceback, then what it must know.
 *
 * @param kept  what became of its files
 */
export function present(result: CellResult, kept: Kept = { artifacts: [], notes: [] }): ToolOutput {
  const { value, error, ending, restartReason } = result;
  const output = terminalLines(result.output);
  const parts = [output, error ?? "", value ?? ""].map((part) => part.replace(/\n+$/, ""));
  const shown = parts.filter((part) => part !== "");
  const notes = [...kept.notes, ...notesOf(result)];
  const isError = ending !== "finished" || error !== null;
  const text = [...shown, ...notes].join("\n");
  return {
    text: text === "" ? NO_OUTPUT : text,
    ...(isError && { isError }),
    data: {
      output,
      value,
      error,
      ending,
      ...(kept.artifacts.length > 0 && { artifacts: kept.artifacts }),
      stateLost: restartReason !== null || ending === "killed" || ending === "crashed",
    },
  };
}

function* notesOf({
  ending,
  reason,
  restartReason,
  interruptedBetween,
}: CellResult): Generator<string> {
  if (restartReason !== null) {
    yield `[WARN] The interpreter had ended since the last call (${restartReason}) and was restarted before this one; earlier variables and imports were lost.`;
  }
  if (interruptedBetween) {
    yield "[WARN] Code that an earlier call left behind went on computing between the calls and was interrupted. Variables are kept.";
  }
  if (ending === "interrupted") {
    yield `[ERROR] The code was interrupted: ${reason}. Variables are kept.`;
  }
  if (ending === "killed") {
    yield `[ERROR] The code was stopped: ${reason}. The interpreter was restarted; variables are lost.`;
  }
  if (ending === "crashed") {
    yield `[ERROR] The interpreter ended: ${reason}. It was restarted; variables are lost.`;
  }
}
