/**
 * The tools of a batch. Every prompt gets a Python and a browser of its own, since those remember; documents, plugins
 * and modules are opened once.
 */
import {
  createBrowserTools,
  type FolderBackend,
  folderNotes,
  openDocumentFolder,
  type Tool,
} from "../../../tools/index.ts";
import { type Environment, indexFolder, openPython } from "../../environment.ts";
import type { AgentArguments } from "../flags.ts";

type GivenTools = Pick<AgentArguments, "docs" | "file" | "artifacts" | "packages">;

export type PromptTools = AsyncDisposable & {
  readonly tools: readonly Tool[];
  readonly briefing: string | undefined;
};

export class BatchTools implements AsyncDisposable {
  readonly #given: GivenTools;
  readonly #environment: Environment;
  readonly #env: NodeJS.ProcessEnv;
  #note: (sentence: string) => void;
  readonly #documents: FolderBackend | null;

  private constructor(
    given: GivenTools,
    environment: Environment,
    env: NodeJS.ProcessEnv,
    note: (sentence: string) => void,
    documents: FolderBackend | null,
  ) {
    this.#given = given;
    this.#environment = environment;
    this.#env = env;
    this.#note = note;
    this.#documents = documents;
  }

  /**
   * @param environment opened without Python and documents
   * @throws DocumentFolderError
   */
  static async open(
    given: GivenTools,
    environment: Environment,
    env: NodeJS.ProcessEnv,
    note: (sentence: string) => void,
  ): Promise<BatchTools> {
    const documents =
      given.docs === undefined
        ? null
        : await openDocumentFolder(given.docs, { indexFolder: indexFolder(environment.home) });
    if (documents !== null) for (const line of folderNotes(documents.summary)) note(line);
    return new BatchTools(given, environment, env, note, documents);
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
    const browser = await this.#browserTools();
    return {
      tools: [...(python === null ? [] : [python.tool]), ...tools, ...browser],
      briefing: python?.briefing,
      [Symbol.asyncDispose]: async () => {
        await python?.tool.close?.();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#documents?.close();
  }

  async #browserTools(): Promise<readonly Tool[]> {
    if (this.#documents === null) return [];
    const { tools } = await createBrowserTools({ backend: this.#documents });
    return tools.map((tool) => ({
      ...tool,
      annotations: { ...tool.annotations, openWorldHint: false },
    }));
  }
}
