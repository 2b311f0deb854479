/**
 * The tools of a batch. Every prompt gets a Python of its own, since that remembers; everything else is opened once.
 * Which pages a conversation was shown is in its log.
 */
import type { Tool } from "../../../tools/index.ts";
import { type Environment, openPython } from "../../environment.ts";
import type { AgentArguments } from "../flags.ts";

type GivenTools = Pick<AgentArguments, "file" | "artifacts" | "packages">;

export type PromptTools = AsyncDisposable & {
  readonly tools: readonly Tool[];
  readonly briefing: string | undefined;
};

export class BatchTools {
  readonly #given: GivenTools;
  readonly #environment: Environment;
  readonly #env: NodeJS.ProcessEnv;
  #note: (sentence: string) => void;

  /** @param environment opened without Python */
  constructor(
    given: GivenTools,
    environment: Environment,
    env: NodeJS.ProcessEnv,
    note: (sentence: string) => void,
  ) {
    this.#given = given;
    this.#environment = environment;
    this.#env = env;
    this.#note = note;
  }

  /** @throws ToolsError for a file or a package that cannot be given */
  async forPrompt(): Promise<PromptTools> {
    const { file, artifacts, packages } = this.#given;
    const { home, tools } = this.#environment;
    const python = await openPython(
      { files: file, artifacts, packages },
      home,
      this.#env,
      this.#note,
    );
    // What is to be known of Python is the same for every prompt.
    this.#note = () => {};
    return {
      tools: [...(python === null ? [] : [python.tool]), ...tools],
      briefing: python?.briefing,
      [Symbol.asyncDispose]: async () => {
        await python?.tool.close?.();
      },
    };
  }
}
