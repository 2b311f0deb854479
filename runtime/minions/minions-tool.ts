/** The protocols as a tool: an agent asks about documents that neither it nor the remote model has to read as a whole. */
import { defineTool, type Tool } from "../index.ts";
import { type MinionsOptions, runMinions } from "./run-minions.ts";

export type MinionsToolOptions = Omit<MinionsOptions, "question" | "signal" | "dryRun"> & {
  /** Whether the user is asked before each call, since parts of the documents leave the machine. Default true. */
  readonly needsApproval?: boolean | undefined;
};

const TIMEOUT_MS = 30 * 60_000;

/**
 * The tool `ask_documents`. Its result for programs (`data`) is the report, with the receipt; a run that fails is an
 * error that the model reads.
 */
export function createMinionsTool(options: MinionsToolOptions): Tool {
  const { needsApproval = true, onProgress, ...others } = options;
  const names = options.context.map(({ name }) => name).join(", ");
  return defineTool<{ readonly question: string }>({
    name: "ask_documents",
    description: `Answers a question about these documents: ${names}. It takes long; ask one whole question.`,
    inputSchema: {
      type: "object",
      properties: { question: { type: "string", minLength: 1 } },
      required: ["question"],
      additionalProperties: false,
    },
    timeoutMs: TIMEOUT_MS,
    needsApproval,
    annotations: { readOnlyHint: true, openWorldHint: true },
    async execute({ question }, context) {
      let steps = 0;
      const report = await runMinions({
        ...others,
        question,
        signal: context.signal,
        onProgress(message) {
          onProgress?.(message);
          context.onProgress?.({ progress: ++steps, message });
        },
      });
      const { error, ...facts } = report;
      if (report.answer !== null) return { text: report.answer, data: facts };
      const reason = error instanceof Error ? error.message : String(error);
      return { text: `There is no answer: ${reason}`, isError: true, data: facts };
    },
  });
}
