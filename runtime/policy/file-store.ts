/**
 * Answers and trusted tools in a folder, one small file each: two processes that write at the same time lose
 * nothing of each other's.
 */
import { hash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Tool, writeFileAtomic } from "../../tools/index.ts";
import { PolicyStoreError } from "./errors.ts";
import { hashOf } from "./fingerprint.ts";
import type { RememberedAnswer } from "./policy.ts";
import { type PolicyStore, type TrustedTool, trustedTool } from "./store.ts";

type KeptAnswer = RememberedAnswer & { readonly at: string };

export class FilePolicyStore implements PolicyStore {
  readonly #answers: string;
  readonly #tools: string;
  readonly #files: string;

  /** @param folder created with the first thing that is kept */
  constructor(folder: string) {
    this.#answers = join(folder, "answers");
    this.#tools = join(folder, "tools");
    this.#files = join(folder, "files");
  }

  async answers(tool: string): Promise<readonly RememberedAnswer[]> {
    return (await this.allAnswers()).filter((answer) => answer.tool === tool);
  }

  async allAnswers(): Promise<readonly RememberedAnswer[]> {
    const kept = await readAll(this.#answers, isAnswer);
    return kept.toSorted((a, b) => (a.at < b.at ? -1 : 1)).map(({ at: _at, ...answer }) => answer);
  }

  async remember(answer: RememberedAnswer): Promise<void> {
    const { tool, fingerprint, argumentsHash = "" } = answer;
    // A later answer to the same question takes the place of the earlier one.
    const name = hashOf([tool, fingerprint, argumentsHash]);
    await write(this.#answers, name, { ...answer, at: new Date().toISOString() });
  }

  async trusted(name: string): Promise<TrustedTool | null> {
    return read(join(this.#tools, fileName(hashOf(name))), isTrusted);
  }

  async allTrusted(): Promise<readonly TrustedTool[]> {
    const tools = await readAll(this.#tools, isTrusted);
    return tools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async trust(tool: Tool, name: string): Promise<void> {
    await write(this.#tools, hashOf(name), trustedTool(tool, name));
  }

  async revoke(name: string): Promise<boolean> {
    const answers = await this.answers(name);
    const paths = [
      join(this.#tools, fileName(hashOf(name))),
      ...answers.map(({ tool, fingerprint, argumentsHash = "" }) =>
        join(this.#answers, fileName(hashOf([tool, fingerprint, argumentsHash]))),
      ),
    ];
    const isTrustedNow = (await this.trusted(name)) !== null;
    try {
      for (const path of paths) await rm(path, { force: true });
    } catch (error) {
      throw new PolicyStoreError(`forget ${name}`, error);
    }
    return isTrustedNow || answers.length > 0;
  }

  /** Whether a policy of a project was trusted with this very content. @throws PolicyStoreError */
  async isTrustedFile(path: string, content: Uint8Array): Promise<boolean> {
    const kept = await read(join(this.#files, fileName(hashOf(resolve(path)))), isTrustedFile);
    return kept?.sha256 === hash("sha256", content, "hex");
  }

  /** @throws PolicyStoreError */
  async trustFile(path: string, content: Uint8Array): Promise<void> {
    const file = { path: resolve(path), sha256: hash("sha256", content, "hex") };
    await write(this.#files, hashOf(file.path), file);
  }
}

type TrustedFile = { readonly path: string; readonly sha256: string };

function isTrustedFile(value: unknown): value is TrustedFile {
  const file = value as Partial<TrustedFile> | null;
  return typeof file?.path === "string" && typeof file.sha256 === "string";
}

const fileName = (name: string): string => `${name}.json`;

async function write(folder: string, name: string, value: unknown): Promise<void> {
  const path = join(folder, fileName(name));
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
  } catch (error) {
    throw new PolicyStoreError(`write ${path}`, error);
  }
}

type Is<T> = (value: unknown) => value is T;

async function readAll<T>(folder: string, is: Is<T>): Promise<readonly T[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new PolicyStoreError(`read ${folder}`, error);
  }
  const found = await Promise.all(
    names.filter((name) => name.endsWith(".json")).map((name) => read(join(folder, name), is)),
  );
  return found.filter((one): one is Awaited<T> & T => one !== null);
}

/**
 * null where there is no such file. One that is damaged cannot be told from one that was tampered with.
 * @throws PolicyStoreError
 */
async function read<T>(path: string, is: Is<T>): Promise<T | null> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new PolicyStoreError(`read ${path}`, error);
  }
  if (is(value)) return value;
  throw new PolicyStoreError(`read ${path}`, new Error("it does not hold what was written there"));
}

function isAnswer(value: unknown): value is KeptAnswer {
  const answer = value as Partial<KeptAnswer> | null;
  return (
    (answer?.decision === "allow" || answer?.decision === "deny") &&
    answer.scope === "always" &&
    typeof answer.tool === "string" &&
    typeof answer.fingerprint === "string" &&
    (answer.argumentsHash === undefined || typeof answer.argumentsHash === "string") &&
    typeof answer.isTainted === "boolean" &&
    typeof answer.at === "string"
  );
}

function isTrusted(value: unknown): value is TrustedTool {
  const tool = value as Partial<TrustedTool> | null;
  return (
    typeof tool?.name === "string" &&
    typeof tool.fingerprint === "string" &&
    typeof tool.definition?.description === "string" &&
    typeof tool.trustedAt === "string"
  );
}
