/** What a run works with, made of its options before the model is asked anything. */
import { keptMessages, MODEL_HEADER_STYLE, renderMessage } from "../harmony/index.ts";
import type { Session } from "../inference/index.ts";
import type { ToolRegistry } from "../tools/index.ts";
import { openingMessages, userMessage } from "./prompt.ts";
import type { Reporter } from "./reporter.ts";
import { withCleanNames } from "./resolve.ts";
import { checkPrompt, type RunOptions, type RunSettings } from "./run-options.ts";
import { prepareOutput, type StructuredOutput } from "./structured-output.ts";
import { toolsForModel } from "./tool-names.ts";
import { Transcript } from "./transcript.ts";

export type Run = {
  readonly options: RunOptions;
  readonly settings: RunSettings;
  readonly session: Session;
  readonly transcript: Transcript;
  /** By the names the model knows them by. */
  readonly tools: ToolRegistry;
  readonly output: StructuredOutput | null;
  /** Tokens of system and developer message: other runs with the same tools begin with them, too. */
  readonly openingTokens: number;
  readonly reporter: Reporter;
};

/** @throws UsageError, PromptTooLongError, ToolsError for options that cannot be run */
export async function prepare(
  options: RunOptions,
  settings: RunSettings,
  reporter: Reporter,
): Promise<Run> {
  checkPrompt(options);
  settings.signal.throwIfAborted();
  const { engine, tokenizer, instructions, outputSchema, history = [] } = options;
  const tools = toolsForModel(options.tools ?? []);
  const output = outputSchema === undefined ? null : await prepareOutput(outputSchema);

  const rendering = {
    headerStyle: MODEL_HEADER_STYLE,
    hasFunctionTools: tools.inNamespace("functions").length > 0,
  };
  const transcript = new Transcript(tokenizer, (message) =>
    renderMessage(tokenizer, message, rendering),
  );
  const { effort, date } = settings;
  const responseFormat = output?.responseFormat;
  const opening = openingMessages({ tools, effort, date, instructions, responseFormat });
  const earlier = keptMessages(history, "turn").map(withCleanNames);
  for (const message of opening) transcript.append(message);
  const openingTokens = transcript.tokenCount;
  for (const message of [...earlier, userMessage(options.prompt)]) transcript.append(message);
  const session = await engine.createSession();
  return { options, settings, session, transcript, tools, output, openingTokens, reporter };
}
