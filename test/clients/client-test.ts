/** A test of a real client against a server on loopback whose model is a script. */
import { type TestContext, test } from "vitest";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { type ServedModel, type ServeOptions, says, serve } from "../runtime/server/serve.ts";
import { missing } from "./installed.ts";
import { CLIENT_TIMEOUT_MS, FILE, openWorkplace, type Workplace } from "./workplace.ts";

/** What was asked of every client. */
export const TASK = "List the files in this folder.";
/** What the script thinks before it calls a tool. */
export const THOUGHT = "The user wants a listing, so the files have to be looked at.";
export const ANSWER: string = `There is one file: ${FILE}.`;
export const MODEL = "gpt-oss:20b";

/** Generations that the script has an answer for. */
const MAX_STEPS = 32;

/** A prompt as text, special tokens written out → what the model says behind `<|start|>assistant`. */
export type Script = (prompt: string) => string;

export const thinks = (text: string): string => `<|channel|>analysis<|message|>${text}<|end|>`;

export const answers = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;

const calls = (tool: string, args: object | string): string => {
  const [given, type] =
    typeof args === "string" ? [args, ""] : [JSON.stringify(args), " <|constrain|>json"];
  return `<|start|>assistant<|channel|>commentary to=functions.${tool}${type}<|message|>${given}<|call|>`;
};

/**
 * One call, then the answer. What a client asks beside it, like a title for the conversation, declares no such tool.
 * @param tool  as the model knows it: `bash` is `bash_tool`
 */
export function toolTurn(tool: string, args: object | string, answer: string = ANSWER): Script {
  return (prompt) => {
    if (prompt.includes(`<|start|>functions.${tool} to=assistant`)) return answers(answer);
    if (!prompt.includes(`type ${tool} = `)) return answers("A listing");
    return thinks(THOUGHT) + calls(tool, args);
  };
}

export type Client = Workplace & {
  readonly server: ServedModel;
  /** The prompts of the model that declare a tool. */
  readonly promptsWith: (tool: string) => readonly string[];
  /** `chorale connect` for the server. */
  readonly connect: (name: string, ...flags: readonly string[]) => ReturnType<Workplace["chorale"]>;
};

const tokenizer = loadO200kHarmony();

/** @param packages  without them the test is skipped, and says so */
export function clientTest(
  name: string,
  packages: readonly string[],
  script: Script,
  body: (client: Client, context: TestContext) => Promise<void>,
  options: ServeOptions = {},
): void {
  workplaceTest(name, packages, async (workplace, context) => {
    const reply = (tokens: readonly number[]): readonly number[] =>
      says(script(tokenizer.decode(tokens)));
    const replies = Array.from({ length: MAX_STEPS }, () => reply);
    // The script is held to the schemas that the client declared, as a model is.
    await using server = await serve(replies, { hasMatchers: true, ...options });
    const client: Client = {
      ...workplace,
      server,
      promptsWith: (tool) => server.prompts().filter((text) => text.includes(`type ${tool} = `)),
      connect: (program, ...flags) =>
        workplace.chorale("connect", program, "--url", server.url, "--model", MODEL, ...flags),
    };
    await body(client, context);
  });
}

/** @param packages  without them the test is skipped, and says so */
export function workplaceTest(
  name: string,
  packages: readonly string[],
  body: (workplace: Workplace, context: TestContext) => Promise<void>,
): void {
  test(name, { timeout: CLIENT_TIMEOUT_MS + 30_000 }, async (context) => {
    const reason = missing(packages);
    if (reason !== null) context.skip(reason);
    const workplace = openWorkplace();
    try {
      await body(workplace, context);
    } finally {
      workplace.close();
    }
  });
}
