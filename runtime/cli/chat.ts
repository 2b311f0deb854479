/**
 * `chorale chat`, and `chorale` alone in a terminal. Only what the first prompt needs is loaded before it is shown:
 * the model, the tools and the library come behind it.
 */

import { UsageError } from "../errors.ts";
import type { ChatArguments } from "./chat/chat-arguments.ts";
import type { Teller } from "./chat/chat-session.ts";
import type { ChatHistory } from "./chat/history.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/**
 * Runs a chat until the person leaves it.
 * @throws UsageError where there is no person at a terminal; what opening the model and the tools throws
 */
export async function chatCommand(args: ChatArguments, context: CommandContext): Promise<ExitCode> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new UsageError(
      'A chat needs a terminal, and stdin or stdout is none here. In a script use: chorale run "QUESTION"',
    );
  }
  const { output, env, signal } = context;
  const options = {
    open: async (teller: Teller) => {
      const { openChat } = await import("./chat/open-chat.ts");
      return openChat(args, context, teller);
    },
    history: args.ephemeral ? null : (): Promise<ChatHistory> => openHistory(env),
    signal,
    onLeft: endSoon,
  };
  if (!output.isLive) {
    const { chatInLines } = await import("./chat/chat-lines.ts");
    await chatInLines({ ...options, output });
  } else {
    const { chatInTerminal } = await import("./chat/chat-terminal.ts");
    await chatInTerminal({ ...options, isColored: output.isColored });
  }
  return EXIT.ok;
}

async function openHistory(env: NodeJS.ProcessEnv): Promise<ChatHistory> {
  const { homePath } = await import("../home.ts");
  const { ChatHistory } = await import("./chat/history.ts");
  return new ChatHistory(homePath(env));
}

/** A person who has left does not wait for a model that is still being loaded, or for Python. */
const LINGER_MS = 500;

function endSoon(): void {
  process.exitCode = EXIT.ok;
  setTimeout(() => process.exit(EXIT.ok), LINGER_MS).unref();
}
