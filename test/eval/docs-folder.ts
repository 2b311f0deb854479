/** The browser over documents that are given as texts. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { createBrowserTools, type Tool } from "../../tools/index.ts";

export type DocsFolder = AsyncDisposable & { readonly tools: readonly Tool[] };

/**
 * Writes the documents to a new folder, which goes with the result.
 *
 * @param docs  file name → text
 */
export async function browserOver(docs: Readonly<Record<string, string>>): Promise<DocsFolder> {
  const folder = await mkdtemp(join(tmpdir(), "chorale-eval-"));
  const clean = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    for (const [name, text] of Object.entries(docs)) {
      const path = join(folder, name);
      if (relative(folder, path).split(sep)[0] === "..") throw new Error(`bad file name ${name}`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    const { tools, close } = await createBrowserTools({ docs: folder });
    const dispose = async (): Promise<void> => {
      await close();
      await clean();
    };
    return { tools, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await clean();
    throw error;
  }
}
